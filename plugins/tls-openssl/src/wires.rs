//! The transport below OpenSSL: what it reads comes straight from the stream, what it writes goes straight there or waits.
//!
//! **What it is for.** OpenSSL reads and writes as on a socket that does not block. A record that it has sealed can't be
//! unsealed, so writing never refuses: what the stream doesn't take now waits in [`Wires::flush`]. So no plaintext is taken
//! that a cancelled caller believes unsent. During the handshake everything waits, so that each flight leaves in one write
//! and an alert is never lost.
//!
//! **How it fails.** OpenSSL is only told that it failed; the error is kept for [`Wires::failure`]. An end reads as
//! `UnexpectedEof`: OpenSSL asks for more only where there must be more.
//!
//! **Bounds.** [`MAX_WAITING`] bytes wait; more means a peer that makes us answer and doesn't read. The buffer is gone when it is
//! empty. [`KEPT`] first bytes are kept until the handshake is over, to guess what a peer speaks that does not speak TLS.

use std::{
    io::{self, Read, Write},
    pin::Pin,
    task::{ready, Context, Poll, Waker},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// So many first bytes are kept.
const KEPT: usize = 64;
/// So many sealed bytes wait at most: a handshake's flight with long chains, or some records.
const MAX_WAITING: usize = 256 * 1024;

/// See the module.
pub(crate) struct Wires<S> {
    inner: S,
    reader: Waker,
    writer: Waker,
    waiting: Vec<u8>,
    /// So many of the waiting bytes are written.
    sent: usize,
    /// Whether writes go straight to the stream: while the writer is polled.
    straight: bool,
    first: Option<Vec<u8>>,
    failure: Option<io::Error>,
    written: bool,
}

impl<S> Wires<S> {
    pub(crate) fn new(inner: S) -> Self {
        Wires {
            inner,
            reader: Waker::noop().clone(),
            writer: Waker::noop().clone(),
            waiting: Vec::new(),
            sent: 0,
            straight: false,
            first: Some(Vec::new()),
            failure: None,
            written: false,
        }
    }

    /// Whom to wake when there is something to read.
    pub(crate) fn reads_for(&mut self, cx: &Context<'_>) {
        self.reader.clone_from(cx.waker());
    }

    /// Whom to wake when there is room, in case the next write goes straight.
    pub(crate) fn writes_for(&mut self, cx: &Context<'_>) {
        self.writer.clone_from(cx.waker());
    }

    /// Whether writes go straight to the stream from now on.
    pub(crate) fn straight(&mut self, straight: bool) {
        self.straight = straight;
    }

    /// The first bytes that came, as long as they are kept.
    pub(crate) fn first(&self) -> &[u8] {
        self.first.as_deref().unwrap_or_default()
    }

    /// Keeps first bytes no longer.
    pub(crate) fn forget_first(&mut self) {
        self.first = None;
    }

    /// Whether OpenSSL has written anything.
    pub(crate) fn has_written(&self) -> bool {
        self.written
    }

    /// Whether sealed bytes wait.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The stream's own error, if it was that.
    pub(crate) fn failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    /// The stream below has failed.
    pub(crate) fn fail_with(&mut self, error: io::Error) {
        self.failure = Some(error);
    }

    fn fail<T>(&mut self, error: io::Error) -> io::Result<T> {
        self.failure = Some(error);
        // Of a kind that the `openssl` crate does not take for "try again".
        Err(io::ErrorKind::Other.into())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wires<S> {
    /// Writes what waits.
    pub(crate) fn flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.sent < self.waiting.len() {
            let rest = self.waiting.get(self.sent..).unwrap_or_default();
            match ready!(Pin::new(&mut self.inner).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.sent += count,
            }
        }
        self.waiting = Vec::new();
        self.sent = 0;
        Poll::Ready(Ok(()))
    }

    /// Flushes the stream itself, when nothing waits.
    pub(crate) fn flush_through(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.flush(cx))?;
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    /// Closes the stream's writing half, when nothing waits.
    pub(crate) fn shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.flush(cx))?;
        match ready!(Pin::new(&mut self.inner).poll_shutdown(cx)) {
            // The peer was faster.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Poll::Ready(Ok(())),
            done => Poll::Ready(done),
        }
    }

    /// Writes something that is not OpenSSL's, after what waits.
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
    }
}

impl<S: AsyncRead + Unpin> Read for Wires<S> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let mut room = ReadBuf::new(room);
        match Pin::new(&mut self.inner).poll_read(&mut Context::from_waker(&self.reader), &mut room) {
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
            Poll::Ready(Err(error)) => self.fail(error),
            Poll::Ready(Ok(())) if room.filled().is_empty() => self.fail(io::ErrorKind::UnexpectedEof.into()),
            Poll::Ready(Ok(())) => {
                if let Some(first) = &mut self.first {
                    first.extend(room.filled().iter().take(KEPT - first.len().min(KEPT)));
                }
                Ok(room.filled().len())
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> Write for Wires<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written = true;
        let mut rest = bytes;
        while self.straight && self.waiting.is_empty() && !rest.is_empty() {
            match Pin::new(&mut self.inner).poll_write(&mut Context::from_waker(&self.writer), rest) {
                Poll::Pending => break,
                Poll::Ready(Err(error)) => return self.fail(error),
                Poll::Ready(Ok(0)) => return self.fail(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => rest = rest.get(count..).unwrap_or_default(),
            }
        }
        if self.waiting.len() + rest.len() > MAX_WAITING {
            return self.fail(io::Error::other("the peer makes us answer and reads nothing"));
        }
        self.waiting.extend_from_slice(rest);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
