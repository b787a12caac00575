//! The encrypted stream: ends, halves, and transports that give and take little.

use super::*;
use rustls::version::{TLS12, TLS13};
use std::{
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

const NAME: &str = "mail.example.org";

async fn pair(version: &'static SupportedProtocolVersion) -> (Client, Stream) {
    let authority = Authority::new();
    let acceptor = FakeCerts::with(NAME, vec![authority.ecdsa(NAME)]).acceptor();
    let (client, server) = connected(&acceptor, Arc::new(authority.client_config(&[version])), NAME).await;
    (client, server.stream)
}

#[tokio::test]
async fn an_end_without_close_notify_is_not_an_end() {
    for version in [&TLS12, &TLS13] {
        let (mut client, mut server) = pair(version).await;
        client.write_all(b"half a mess").await.unwrap();
        client.flush().await.unwrap();
        let (transport, _) = client.into_inner();
        drop(transport);
        let mut got = Vec::new();
        let error = server.read_to_end(&mut got).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{version:?}");
        assert_eq!(got, b"half a mess");
    }
}

#[tokio::test]
async fn close_notify_is_an_end_and_the_other_half_goes_on() {
    for version in [&TLS12, &TLS13] {
        let (mut client, mut server) = pair(version).await;
        client.write_all(b"question").await.unwrap();
        client.get_mut().1.send_close_notify();
        client.flush().await.unwrap();
        let mut got = Vec::new();
        server.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, b"question");
        server.write_all(b"answer").await.unwrap();
        server.shutdown().await.unwrap();
        let mut got = Vec::new();
        client.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, b"answer", "{version:?}");
    }
}

#[tokio::test]
async fn a_shutdown_sends_close_notify() {
    let (mut client, mut server) = pair(&TLS13).await;
    server.write_all(b"bye").await.unwrap();
    server.shutdown().await.unwrap();
    drop(server);
    let mut got = Vec::new();
    // rustls' reader gives an error if the end comes without it.
    client.read_to_end(&mut got).await.unwrap();
    assert_eq!(got, b"bye");
}

#[tokio::test]
async fn much_data_passes_both_ways_at_once() {
    for version in [&TLS12, &TLS13] {
        let (client, server) = pair(version).await;
        let data: Vec<u8> = (0..4_000_000_u32).map(|number| (number % 251) as u8).collect();
        let (got_by_server, got_by_client) = tokio::join!(exchange(client, &data), exchange(server, &data));
        assert!(got_by_server == data && got_by_client == data, "{version:?}");
    }
}

async fn exchange(stream: impl AsyncRead + AsyncWrite, data: &[u8]) -> Vec<u8> {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let send = async {
        writer.write_all(data).await.unwrap();
        writer.flush().await.unwrap();
    };
    let mut got = vec![0; data.len()];
    let ((), read) = tokio::join!(send, reader.read_exact(&mut got));
    read.unwrap();
    got
}

/// A transport that moves one byte a call, and is pending every other time.
struct Drip<S> {
    inner: S,
    read_now: bool,
    write_now: bool,
}

impl<S: AsyncRead + Unpin> AsyncRead for Drip<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.read_now = !self.read_now;
        if !self.read_now {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let mut one = [0];
        let mut small = ReadBuf::new(&mut one);
        let polled = Pin::new(&mut self.inner).poll_read(cx, &mut small);
        buf.put_slice(small.filled());
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Drip<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.write_now = !self.write_now;
        if !self.write_now {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Pin::new(&mut self.inner).poll_write(cx, &bytes[..bytes.len().min(1)])
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[tokio::test]
async fn one_byte_at_a_time_is_enough() {
    let authority = Authority::new();
    let acceptor = FakeCerts::with(NAME, vec![authority.ecdsa(NAME)]).acceptor();
    for version in [&TLS12, &TLS13] {
        // Wide enough for the ticket, which the client reads only later.
        let (near, far) = duplex(4096);
        let client = tokio_rustls::TlsConnector::from(Arc::new(authority.client_config(&[version])))
            .connect(ServerName::try_from(NAME).unwrap(), near);
        let server = acceptor.accept(Stream::new(Drip { inner: far, read_now: false, write_now: false }));
        let (client, server) = tokio::join!(client, server);
        let (mut client, mut server) = (client.unwrap(), server.unwrap().stream);
        let data = vec![7; 3000];
        let (_, got) = tokio::join!(
            async {
                client.write_all(&data).await.unwrap();
                client.shutdown().await.unwrap();
            },
            async {
                let mut got = Vec::new();
                server.read_to_end(&mut got).await.map(|_| got)
            }
        );
        assert_eq!(got.unwrap(), data, "{version:?}");
    }
}
