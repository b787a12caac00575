//! Transports that are hard to live with.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Moves at most `piece` bytes a call, and is pending every other time.
pub(super) struct Pieces<S> {
    inner: S,
    piece: usize,
    read_now: bool,
    write_now: bool,
}

impl<S> Pieces<S> {
    pub(super) fn new(inner: S, piece: usize) -> Self {
        Pieces { inner, piece, read_now: false, write_now: false }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Pieces<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.read_now = !self.read_now;
        if !self.read_now {
            return later(cx);
        }
        let room = self.piece;
        read_at_most(Pin::new(&mut self.inner), cx, buf, room).map_ok(|_| ())
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Pieces<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.write_now = !self.write_now;
        if !self.write_now {
            return later(cx);
        }
        let piece = bytes.get(..self.piece).unwrap_or(bytes);
        Pin::new(&mut self.inner).poll_write(cx, piece)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// Gives what it reads as if the network had cut it after `at` bytes: one read ends there, and the next is pending once.
pub(super) struct Cut<S> {
    inner: S,
    at: usize,
    read: usize,
    paused: bool,
}

impl<S> Cut<S> {
    pub(super) fn new(inner: S, at: usize) -> Self {
        Cut { inner, at, read: 0, paused: false }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Cut<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let left = self.at.saturating_sub(self.read);
        if left == 0 && !self.paused {
            self.paused = true;
            return later(cx);
        }
        let room = if left == 0 { usize::MAX } else { left };
        read_at_most(Pin::new(&mut self.inner), cx, buf, room).map_ok(|count| self.read += count)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Cut<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

fn read_at_most<S: AsyncRead>(
    inner: Pin<&mut S>,
    cx: &mut Context<'_>,
    buf: &mut ReadBuf<'_>,
    most: usize,
) -> Poll<io::Result<usize>> {
    let mut limited = buf.take(most);
    let polled = inner.poll_read(cx, &mut limited);
    let count = limited.filled().len();
    let bytes = limited.filled().to_vec();
    if polled.is_ready() {
        // `take` looks at the same memory, but what it filled is not yet counted as filled.
        buf.put_slice(&bytes);
    }
    polled.map_ok(|()| count)
}

fn later<T>(cx: &mut Context<'_>) -> Poll<T> {
    cx.waker().wake_by_ref();
    Poll::Pending
}

/// Polls a future so many times, letting others run in between; `None` if it is not done by then.
pub(super) async fn polled<F: Future + Unpin>(future: &mut F, times: usize) -> Option<F::Output> {
    for _ in 0..times {
        let once = std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut *future).poll(cx))).await;
        if let Poll::Ready(output) = once {
            return Some(output);
        }
        tokio::task::yield_now().await;
    }
    None
}
