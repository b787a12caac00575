//! The byte stream over a TCP connection.
//!
//! * TCP_NODELAY is set: answers are written whole, so Nagle could only delay them.
//! * A read or write that makes no progress for the idle time fails with `TimedOut`. One timer a connection, armed only
//!   while waiting.
//! * Where text is expected a client that begins with TLS is told apart by its first octets: reading fails then, and whoever
//!   counts the octets knows why. Once it has begun with something else a read costs one comparison.
//! * When the session drops the stream, unread input is drained for a moment after our side is closed: otherwise the
//!   kernel would answer it with a reset, and the peer could lose the last reply. What the connection counts against stays
//!   counted until then.

use super::opening::Opening;
use crate::session::table::Octets;
use std::{
    any::Any,
    future::Future,
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{ready, Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::TcpStream,
    time::{sleep_until, Instant, Sleep},
};

/// So long a closing connection is drained at most.
const LINGER: Duration = Duration::from_secs(2);
/// So much is drained at most.
const LINGER_BYTES: u64 = 256 * 1024;

/// A connection.
pub struct Socket {
    tcp: Option<TcpStream>,
    idle: Duration,
    progress: Instant,
    timer: Option<Pin<Box<Sleep>>>,
    peer_closed: bool,
    held: Option<Held>,
    octets: Arc<Octets>,
    opening: Opening,
}

/// What a connection keeps until it is really gone, such as its place within a limit.
pub type Held = Box<dyn Any + Send + Sync>;

impl Socket {
    /// Takes a connection; it may idle for so long, keeps `held` to its end, and counts its octets.
    pub fn new(tcp: TcpStream, idle: Duration, held: Held, octets: Arc<Octets>) -> Self {
        // A socket that takes no options is about to fail anyway.
        let _ = tcp.set_nodelay(true);
        Socket {
            tcp: Some(tcp),
            idle,
            progress: Instant::now(),
            timer: None,
            peer_closed: false,
            held: Some(held),
            octets,
            opening: Opening::OVER,
        }
    }

    /// Fails to read with `InvalidData` where the client begins with TLS, and has [`Octets::began_with_tls`] say so.
    pub fn expect_text(&mut self) {
        self.opening = Opening::AHEAD;
    }

    /// Settles a poll of the socket: progress resets the clock, waiting is limited.
    fn settle<T>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.progress = Instant::now();
            return polled;
        }
        loop {
            let due = self.progress + self.idle;
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(due)));
            ready!(timer.as_mut().poll(cx));
            if Instant::now() >= due {
                return Poll::Ready(Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the connection was idle for too long",
                )));
            }
            timer.as_mut().reset(due);
        }
    }

    fn count_sent(&self, polled: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(count)) = polled {
            self.octets.sent(*count);
        }
    }

    fn tcp(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.tcp.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = self.tcp()?.poll_read(cx, buf);
        self.octets.received(buf.filled().len() - before);
        if !self.opening.is_over() && self.opening.is_client_hello(&buf.filled()[before..]) {
            self.octets.tls_came();
            buf.set_filled(before);
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "TLS where text is expected")));
        }
        match &polled {
            Poll::Ready(Ok(())) if buf.filled().len() == before && buf.remaining() > 0 => self.peer_closed = true,
            Poll::Ready(Err(_)) => self.peer_closed = true,
            _ => {}
        }
        self.settle(cx, polled)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = self.tcp()?.poll_write(cx, bytes);
        self.count_sent(&polled);
        self.settle(cx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = self.tcp()?.poll_write_vectored(cx, slices);
        self.count_sent(&polled);
        self.settle(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = self.tcp()?.poll_flush(cx);
        self.settle(cx, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = self.tcp()?.poll_shutdown(cx);
        self.settle(cx, polled)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let Some(tcp) = self.tcp.take() else { return };
        if self.peer_closed {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let held = self.held.take();
            runtime.spawn(async move {
                linger(tcp).await;
                drop(held);
            });
        }
    }
}

async fn linger(mut tcp: TcpStream) {
    // The peer may be gone already; then there is nobody to be polite to.
    let _ = tcp.shutdown().await;
    let drain = async {
        let mut limited = (&mut tcp).take(LINGER_BYTES);
        let mut room = [0; 4096];
        while matches!(limited.read(&mut room).await, Ok(count) if count > 0) {}
    };
    // Whatever comes after the limit meets a reset.
    let _ = tokio::time::timeout(LINGER, drain).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    async fn pair(idle: Duration) -> (Socket, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        (Socket::new(server, idle, Box::new(()), Arc::default()), client)
    }

    #[tokio::test]
    async fn small_answers_are_not_held_back() {
        let (socket, _client) = pair(Duration::from_secs(10)).await;
        assert!(socket.tcp.as_ref().unwrap().nodelay().unwrap());
    }

    #[tokio::test]
    async fn an_idle_connection_times_out_and_progress_resets_the_clock() {
        let (mut socket, mut client) = pair(Duration::from_millis(50)).await;
        client.write_all(b"x").await.unwrap();
        let mut room = [0; 8];
        assert_eq!(socket.read(&mut room).await.unwrap(), 1);
        socket.write_all(b"yz").await.unwrap();
        assert_eq!(socket.octets.so_far(), (1, 2));
        let error = socket.read(&mut room).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn tls_is_not_read_as_text() {
        for (expects, sent) in
            [(true, &b"\x16\x03\x01\x02\x00"[..]), (false, b"\x16\x03\x01\x02\x00"), (true, b"EHLO \x16\x03\x01")]
        {
            let (mut socket, mut client) = pair(Duration::from_secs(10)).await;
            if expects {
                socket.expect_text();
            }
            client.write_all(sent).await.unwrap();
            drop(client);
            let mut got = Vec::new();
            let outcome = socket.read_to_end(&mut got).await.map_err(|error| error.kind());
            let is_tls = expects && sent[0] == 22;
            let expected =
                if is_tls { (Err(io::ErrorKind::InvalidData), vec![]) } else { (Ok(sent.len()), sent.to_vec()) };
            assert_eq!(((outcome, got), socket.octets.began_with_tls()), (expected, is_tls), "{sent:?}");
        }
    }

    #[tokio::test]
    async fn a_connection_counts_until_it_has_lingered() {
        let (mut socket, client) = pair(Duration::from_secs(10)).await;
        let count = std::sync::Arc::new(());
        socket.held = Some(Box::new(count.clone()));
        drop(socket);
        assert_eq!(std::sync::Arc::strong_count(&count), 2);
        drop(client);
        while std::sync::Arc::strong_count(&count) > 1 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn the_last_reply_arrives_although_input_was_left_unread() {
        let (mut socket, mut client) = pair(Duration::from_secs(10)).await;
        client.write_all(&[b'x'; 10_000]).await.unwrap();
        socket.write_all(b"bye").await.unwrap();
        drop(socket);
        let mut got = Vec::new();
        client.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, b"bye");
    }
}
