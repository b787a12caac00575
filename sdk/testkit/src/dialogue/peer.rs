//! What a dialogue is held with.

use crate::session::TestClient;
use dovetail_sdk::Stream;
use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf},
    net::TcpStream,
};

/// A connection to a server, which may know how to become TLS.
pub trait Peer: AsyncRead + AsyncWrite + Send + Unpin {
    /// The step `TLS`: upgrades the connection as a client does.
    ///
    /// # Errors
    /// If the handshake fails, or this kind of connection knows none.
    fn upgrade(&mut self) -> impl Future<Output = io::Result<()>> + Send {
        async { Err(io::Error::new(io::ErrorKind::Unsupported, "this connection knows no TLS: use WithTls")) }
    }
}

impl Peer for DuplexStream {}
impl Peer for TcpStream {}
impl Peer for Stream {}

impl Peer for TestClient {
    async fn upgrade(&mut self) -> io::Result<()> {
        self.start_tls().await
    }
}

/// A connection with a way to TLS, such as the client side of a TLS library.
///
/// ```
/// use dovetail_testkit::{dialogue::WithTls, Script};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let plain = tokio::io::join(&b"go\r\n"[..], tokio::io::sink());
/// let mut peer = WithTls::new(plain, |_plain| async move {
///     // Here stands the handshake of a client, such as a call of a TLS connector.
/// #   let encrypted = tokio::io::join(&b"hello again\r\n"[..], tokio::io::sink());
///     Ok(encrypted)
/// });
/// Script::parse("upgrade", "C: STARTTLS\nS: go\nTLS\nS: hello again\nS!")?.play(&mut peer).await?;
/// # Ok(())
/// # }
/// ```
pub struct WithTls<S, T, F> {
    layer: Layer<S, T>,
    upgrade: Option<F>,
}

enum Layer<S, T> {
    Plain(S),
    Tls(T),
    /// A handshake failed, or was given up.
    Lost,
}

impl<S, T, F> WithTls<S, T, F> {
    /// A plain connection, and what the step `TLS` makes of it.
    pub fn new<H>(plain: S, upgrade: F) -> Self
    where
        F: FnOnce(S) -> H,
        H: Future<Output = io::Result<T>>,
    {
        WithTls { layer: Layer::Plain(plain), upgrade: Some(upgrade) }
    }
}

impl<S, T, F, H> Peer for WithTls<S, T, F>
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
    T: AsyncRead + AsyncWrite + Send + Unpin,
    F: FnOnce(S) -> H + Send + Unpin,
    H: Future<Output = io::Result<T>> + Send,
{
    async fn upgrade(&mut self) -> io::Result<()> {
        match (std::mem::replace(&mut self.layer, Layer::Lost), self.upgrade.take()) {
            (Layer::Plain(plain), Some(upgrade)) => {
                self.layer = Layer::Tls(upgrade(plain).await?);
                Ok(())
            }
            _ => Err(io::Error::other("the connection was upgraded before")),
        }
    }
}

impl<S: AsyncRead + Unpin, T: AsyncRead + Unpin, F: Unpin> AsyncRead for WithTls<S, T, F> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.layer {
            Layer::Plain(plain) => Pin::new(plain).poll_read(cx, buf),
            Layer::Tls(tls) => Pin::new(tls).poll_read(cx, buf),
            Layer::Lost => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

impl<S: AsyncWrite + Unpin, T: AsyncWrite + Unpin, F: Unpin> AsyncWrite for WithTls<S, T, F> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.layer {
            Layer::Plain(plain) => Pin::new(plain).poll_write(cx, bytes),
            Layer::Tls(tls) => Pin::new(tls).poll_write(cx, bytes),
            Layer::Lost => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.layer {
            Layer::Plain(plain) => Pin::new(plain).poll_flush(cx),
            Layer::Tls(tls) => Pin::new(tls).poll_flush(cx),
            Layer::Lost => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.layer {
            Layer::Plain(plain) => Pin::new(plain).poll_shutdown(cx),
            Layer::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
            Layer::Lost => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}
