//! An encrypted stream: OpenSSL's connection as tokio's traits want it.
//!
//! **What it is for.** Handshakes, reads and writes, poll by poll. A shutdown sends close_notify and closes the writing half; the
//! other half goes on. What the peer sends after its close_notify is not read; an end without it is `UnexpectedEof`.
//!
//! **How it fails.** Errors of the stream below are passed on as they are. What breaks TLS is `InvalidData`; the peer gets its
//! alert with the next write, or now if there is room.
//!
//! **Bounds.** A write takes one record (16 KiB) at most. A connection that waits holds no buffer, neither ours nor OpenSSL's.

use super::{
    errors::{describe, may_be_tls},
    ffi,
    wires::Wires,
};
use openssl::{
    error::ErrorStack,
    ssl::{Error, ErrorCode, ShutdownState, Ssl, SslRef, SslStream, SslVersion},
};
use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{ready, Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A record's plaintext has at most so many bytes (RFC 8446 §5.1).
const RECORD: usize = 16 * 1024;

/// A record's header has so many bytes.
const HEADER: usize = 5;

/// See the module.
pub(crate) struct TlsStream<S: AsyncRead + AsyncWrite + Unpin> {
    tls: SslStream<Wires<S>>,
    /// Whether a writer waits for room below. Then readers leave what waits to it: the stream below wakes only one.
    writer_waits: bool,
    /// Whether close_notify is sent.
    closed: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream<S> {
    /// A connection that is to shake hands as `ssl` says.
    pub(crate) fn new(ssl: Ssl, stream: S) -> Result<Self, ErrorStack> {
        Ok(TlsStream { tls: SslStream::new(ssl, Wires::new(stream))?, writer_waits: false, closed: false })
    }

    /// What OpenSSL knows about the connection.
    pub(crate) fn ssl(&self) -> &SslRef {
        self.tls.ssl()
    }

    /// What is below OpenSSL.
    pub(crate) fn wires(&mut self) -> &mut Wires<S> {
        self.tls.get_mut()
    }

    /// Shakes hands. After an error, [`TlsStream::poll_end`] sends the alert.
    pub(crate) fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.wires().reads_for(cx);
        forget_errors();
        let done = self.tls.do_handshake();
        let waits = match &done {
            Ok(()) => false,
            // OpenSSL would wait for all of a record of SSL 2.0, which nobody may ever send.
            Err(_) if self.wires().first().len() >= HEADER && !may_be_tls(self.wires().first()) => {
                return Poll::Ready(done);
            }
            Err(error) if error.code() == ErrorCode::WANT_READ => true,
            Err(_) => return Poll::Ready(done),
        };
        match self.wires().flush_through(cx) {
            Poll::Ready(Err(failure)) => {
                self.wires().fail_with(failure);
                return Poll::Ready(Err(ErrorStack::get().into()));
            }
            // Of a server's messages in TLS 1.3 only tickets can be left, which a peer may read when it likes.
            Poll::Pending if !self.only_tickets_are_left() => return Poll::Pending,
            _ if waits => return Poll::Pending,
            _ => {}
        }
        self.wires().forget_first();
        Poll::Ready(Ok(()))
    }

    fn only_tickets_are_left(&self) -> bool {
        let ssl = self.ssl();
        ssl.is_server() && ssl.is_init_finished() && ssl.version2() == Some(SslVersion::TLS1_3)
    }

    /// Sends what waits, and closes the writing half of the stream below.
    pub(crate) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.wires().shutdown(cx)
    }

    fn failed(&mut self, error: &Error) -> io::Error {
        if let Some(error) = self.wires().failure() {
            return error;
        }
        match error.ssl_error() {
            Some(stack) if !stack.errors().is_empty() => io::Error::new(io::ErrorKind::InvalidData, describe(stack)),
            _ => io::Error::new(io::ErrorKind::BrokenPipe, "the TLS connection has failed before, or is closed"),
        }
    }

    /// Notes whether the writer waits.
    fn writing<T>(&mut self, polled: Poll<T>) -> Poll<T> {
        self.writer_waits = polled.is_pending();
        polled
    }

    fn write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let flushed = self.wires().flush(cx);
        ready!(self.writing(flushed))?;
        let bytes = bytes.get(..RECORD).unwrap_or(bytes);
        self.wires().writes_for(cx);
        self.wires().straight(true);
        forget_errors();
        let written = self.tls.ssl_write(bytes);
        self.wires().straight(false);
        Poll::Ready(written.map_err(|error| self.failed(&error)))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let this = &mut *self;
        this.wires().reads_for(cx);
        forget_errors();
        let read = ffi::read_into(&mut this.tls, buf);
        if this.wires().is_waiting() && !this.writer_waits {
            // A ticket, an answer to a key update, or an alert. What fails here fails the next write too.
            let _ = this.wires().flush(cx);
        }
        match read {
            Ok(()) => Poll::Ready(Ok(())),
            Err(error) if error.code() == ErrorCode::ZERO_RETURN => Poll::Ready(Ok(())),
            Err(error) if error.code() == ErrorCode::WANT_READ => Poll::Pending,
            Err(error) => Poll::Ready(Err(this.failed(&error))),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match parts {
            [] => Poll::Ready(Ok(0)),
            [one] => self.write(cx, one),
            // Into one record, rather than a record for each.
            many => {
                let mut record = Vec::with_capacity(many.iter().map(|part| part.len()).sum::<usize>().min(RECORD));
                for part in many {
                    let room = RECORD - record.len();
                    record.extend_from_slice(part.get(..room).unwrap_or(part));
                }
                self.write(cx, &record)
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = self.wires().flush_through(cx);
        self.writing(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.closed {
            forget_errors();
            // Fails only for a connection that has failed before, which has nothing more to say.
            let _ = self.tls.shutdown();
            self.closed = true;
        }
        let closed = self.wires().shutdown(cx);
        self.writing(closed)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Drop for TlsStream<S> {
    /// OpenSSL would forbid to resume the session of a connection that ends without close_notify, as was the rule before TLS 1.1
    /// (RFC 5246 §7.2.1).
    fn drop(&mut self) {
        self.tls.set_shutdown(ShutdownState::SENT | ShutdownState::RECEIVED);
    }
}

/// OpenSSL tells what went wrong in a queue of the thread; what an earlier call left there would be blamed on the next.
pub(crate) fn forget_errors() {
    ErrorStack::get();
}
