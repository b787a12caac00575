//! Streams with the faults that streams can have.

use super::provider::Fault;
use dovetail_sdk::Stream;
use std::{
    io,
    pin::Pin,
    task::{ready, Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsStream;

/// An encrypted stream with a fault.
pub(super) struct Wrapped {
    inner: TlsStream<Stream>,
    fault: Option<Fault>,
    pending: Option<usize>,
}

impl Wrapped {
    pub(super) fn new(inner: TlsStream<Stream>, fault: Option<Fault>) -> Self {
        Wrapped { inner, fault, pending: None }
    }
}

impl AsyncRead for Wrapped {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match ready!(Pin::new(&mut self.inner).poll_read(cx, buf)) {
            Err(error)
                if error.kind() == io::ErrorKind::UnexpectedEof && self.fault == Some(Fault::SilentTruncation) =>
            {
                Poll::Ready(Ok(()))
            }
            other => Poll::Ready(other),
        }
    }
}

impl AsyncWrite for Wrapped {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let same = self.pending.take().is_none_or(|pending| pending == bytes.len());
        if self.fault == Some(Fault::SameWriteAgain) && !same {
            return Poll::Ready(Err(io::Error::other("bad write retry")));
        }
        let polled = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.pending = polled.is_pending().then_some(bytes.len());
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.fault == Some(Fault::NoCloseNotify) {
            ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
            let transport = match &mut self.inner {
                TlsStream::Client(stream) => stream.get_mut().0,
                TlsStream::Server(stream) => stream.get_mut().0,
            };
            return Pin::new(transport).poll_shutdown(cx);
        }
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
