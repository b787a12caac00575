//! The listener of `/metrics` and `/healthz`: HTTP/1.1 by hyper, one answer a connection.
//!
//! It asks nobody who they are, so by default it is off, and where it is on it belongs on a loopback address or behind a
//! firewall: figures tell how busy a server is and which accounts' store is full, never who its users are.
//!
//! **Bounds.** [`MAX_CONNECTIONS`] at a time, others wait; a request's head within [`MAX_HEAD`] octets and [`HEAD_TIME`]; a
//! connection within [`CONNECTION_TIME`]. Bodies of requests are not read.

use super::metrics::page;
use crate::control::Status;
use http_body_util::Full;
use hyper::{
    body::{Bytes, Incoming},
    header::{ALLOW, CONTENT_TYPE},
    server::conn::http1,
    service::service_fn,
    Method, Request, Response, StatusCode,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

/// Connections at a time.
const MAX_CONNECTIONS: usize = 16;
/// Octets of a request's line and headers; hyper takes no less.
const MAX_HEAD: usize = 8192;
/// Headers of a request.
const MAX_HEADERS: usize = 64;
/// A request's head must have come within this.
const HEAD_TIME: Duration = Duration::from_secs(5);
/// A connection is over within this.
const CONNECTION_TIME: Duration = Duration::from_secs(15);

/// How the server is when somebody asks; nothing once it is gone.
pub type Ask = Arc<dyn Fn() -> Option<Health> + Send + Sync>;

/// A server's health.
pub struct Health {
    /// Whether it takes connections.
    pub ready: bool,
    /// Everything else.
    pub status: Status,
}

/// Answers for ever.
pub async fn serve(socket: TcpListener, ask: Ask) {
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = tokio::task::JoinSet::new();
    loop {
        // Never closed.
        let Ok(place) = room.clone().acquire_owned().await else { return };
        while connections.try_join_next().is_some() {}
        match socket.accept().await {
            Ok((stream, _)) => {
                let ask = ask.clone();
                connections.spawn(async move {
                    connection(stream, ask).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the metrics listener cannot accept now; raise the limit of open files if this stays");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, ask: Ask) {
    let service = service_fn(move |request: Request<Incoming>| {
        let ask = ask.clone();
        async move { Ok::<_, Infallible>(answer(&request, &ask)) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    match tokio::time::timeout(CONNECTION_TIME, served).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a request for metrics broke off"),
        Err(_) => tracing::debug!("a request for metrics took too long"),
    }
}

fn answer<B>(request: &Request<B>, ask: &Ask) -> Response<Full<Bytes>> {
    const PLAIN: &str = "text/plain; charset=utf-8";
    let known = matches!(request.uri().path(), "/metrics" | "/healthz");
    if !known {
        return respond(StatusCode::NOT_FOUND, PLAIN, "there are /metrics and /healthz here\n".to_owned());
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refused = respond(StatusCode::METHOD_NOT_ALLOWED, PLAIN, "only GET and HEAD\n".to_owned());
        refused.headers_mut().insert(ALLOW, hyper::header::HeaderValue::from_static("GET, HEAD"));
        return refused;
    }
    let Some(health) = ask() else {
        return respond(StatusCode::SERVICE_UNAVAILABLE, PLAIN, "stopped\n".to_owned());
    };
    if request.uri().path() == "/metrics" {
        return respond(StatusCode::OK, page::CONTENT_TYPE, page::of(&health.status));
    }
    match health.ready {
        true => respond(StatusCode::OK, PLAIN, "ok\n".to_owned()),
        false => respond(StatusCode::SERVICE_UNAVAILABLE, PLAIN, "stopping\n".to_owned()),
    }
}

fn respond(code: StatusCode, kind: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = code;
    response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(kind));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    async fn ask(request: &[u8], ready: bool) -> String {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(socket.local_addr().unwrap()).await.unwrap();
        let serving =
            tokio::spawn(serve(socket, Arc::new(move || Some(Health { ready, status: page::tests::status() }))));
        client.write_all(request).await.unwrap();
        let mut got = Vec::new();
        // A reset after the answer is an end too.
        let _ = client.read_to_end(&mut got).await;
        serving.abort();
        String::from_utf8(got).unwrap()
    }

    #[tokio::test]
    async fn only_what_is_there_is_answered() {
        for (request, ready, answer) in [
            ("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", true, "HTTP/1.1 200 OK"),
            ("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n", true, "HTTP/1.1 200 OK"),
            ("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", true, "HTTP/1.1 200 OK"),
            ("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", false, "HTTP/1.1 503 "),
            ("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", true, "HTTP/1.1 405 "),
            ("GET /../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", true, "HTTP/1.1 404 "),
            ("EHLO x\r\n\r\n", true, "HTTP/1.1 400 "),
        ] {
            let got = ask(request.as_bytes(), ready).await;
            assert!(got.starts_with(answer), "{request}: {got}");
            assert!(!got.contains("keep-alive"), "{got}");
        }
        let got = ask(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", true).await;
        assert!(
            got.contains("content-type: text/plain; version=0.0.4") && got.contains("dovetail_core_build_info"),
            "{got}"
        );
    }

    #[tokio::test]
    async fn a_head_that_is_too_long_is_refused() {
        let long = format!("GET /metrics HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "y".repeat(2 * MAX_HEAD));
        assert!(ask(long.as_bytes(), true).await.starts_with("HTTP/1.1 431 "));
        let many = format!("GET /metrics HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(MAX_HEADERS + 1));
        assert!(ask(many.as_bytes(), true).await.starts_with("HTTP/1.1 431 "));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_says_nothing_is_let_go() {
        assert_eq!(ask(b"GET /metr", true).await, "");
    }
}
