//! Values that panic when the other side touches them.

use crate::boom;
use dovetail_sdk::abi::scope::{self, Scope};
use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Wake},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::Notify,
};

/// Panics when it is dropped.
pub(crate) struct DropBomb(pub(crate) &'static str);

impl Drop for DropBomb {
    fn drop(&mut self) {
        // A second panic while unwinding would end the process, which no boundary can prevent.
        if !std::thread::panicking() {
            boom(self.0);
        }
    }
}

/// A stream that panics in each poll.
pub(crate) struct PollBomb;

impl AsyncRead for PollBomb {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        boom("stream poll")
    }
}

impl AsyncWrite for PollBomb {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        boom("stream poll")
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        boom("stream poll")
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        boom("stream poll")
    }
}

/// A stream at its end that panics when it is dropped.
pub(crate) struct StreamDropBomb(#[allow(dead_code, reason = "it is there to be dropped")] pub(crate) DropBomb);

impl AsyncRead for StreamDropBomb {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for StreamDropBomb {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A waker that tells `woken` and then panics, in the scope of whoever made it: whoever wakes it is on a thread of the
/// host, where no instance is known to charge the panic to.
pub(crate) struct WakeBomb {
    woken: Arc<Notify>,
    scope: Option<Scope>,
}

impl WakeBomb {
    pub(crate) fn new(woken: Arc<Notify>) -> Arc<Self> {
        Arc::new(WakeBomb { woken, scope: scope::current() })
    }
}

impl Wake for WakeBomb {
    fn wake(self: Arc<Self>) {
        self.woken.notify_one();
        match self.scope.clone() {
            Some(scope) => scope::run(scope, || boom("wake")),
            None => boom("wake"),
        }
    }
}
