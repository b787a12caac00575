//! The stream of a TLS 1.3 connection, server's side, on rustls' unbuffered interface.
//!
//! A mail server holds thousands of connections that wait, so a connection that waits holds no buffer: input is read into a
//! buffer of the thread and decrypted from there, output is encrypted into another one; only what could not be finished (a
//! record that is not whole, octets that the socket does not take) is kept with the connection until it is.
//!
//! **How it fails.** What the peer breaks gets its alert (RFC 8446 section 6.2) and is an error of the read that met it, then
//! and ever after. An end of the transport without close_notify reads as `UnexpectedEof` (section 6.1). A write after a
//! failure or after our own close is `BrokenPipe`.
//!
//! **Bounds.** A record that is not whole: 16 KiB and its head, during a handshake 64 KiB (rustls refuses more). Output that
//! the socket does not take: [`MAX_OUTGOING`] and what one write makes of [`MAX_WRITE`] octets.

// By name, since the benchmark of the boundary takes this file in by its name too.
#[path = "driver/core.rs"]
mod core;
#[path = "driver/exporter.rs"]
pub(crate) mod exporter;
#[path = "driver/room.rs"]
mod room;

#[cfg(test)]
#[path = "driver/tests.rs"]
mod tests;

use self::core::{Act, Core, Ended};
use room::Room;
use rustls::{server::UnbufferedServerConnection, CommonState, Error, ProtocolVersion, ServerConfig};
use std::{
    future::poll_fn,
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{ready, Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A write waits while more than this has not left yet.
const MAX_OUTGOING: usize = 64 << 10;
/// A write takes at most so much.
const MAX_WRITE: usize = 64 << 10;
/// Slices shorter than this are gathered, so that they share a record.
const WORTH_GATHERING: usize = 8 << 10;
/// A read asks for so much: a whole record and more.
const READ_SIZE: usize = 32 << 10;

/// See the module.
pub(crate) struct Driver<S> {
    io: S,
    core: Core,
    /// Records that are not whole yet.
    incoming: Vec<u8>,
    closing: bool,
    /// The transport wakes a writer when it takes more: a reader that sends meanwhile would be woken in its place, and the
    /// writer never.
    writer_waits: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
    /// Shakes hands over a transport from which `first` was read already.
    ///
    /// # Errors
    /// With rustls' error inside, or the transport's own. The transport comes back, with the alert sent if it could be.
    pub(crate) async fn accept(io: S, config: Arc<ServerConfig>, first: &[u8]) -> Result<Self, (io::Error, S)> {
        let tls = match UnbufferedServerConnection::new(config) {
            Ok(tls) => tls,
            Err(error) => return Err((broken_by(error), io)),
        };
        let mut me = Driver { io, core: Core::new(tls), incoming: Vec::new(), closing: false, writer_waits: false };
        me.take_in(first, None);
        match poll_fn(|cx| me.poll_handshake(cx)).await {
            Ok(()) => Ok(me),
            Err(error) => Err((error, me.io)),
        }
    }

    /// What rustls knows of the connection.
    pub(crate) fn tls(&self) -> &CommonState {
        &self.core.tls
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let sending = match self.poll_send(cx)? {
                Poll::Ready(()) => Pin::new(&mut self.io).poll_flush(cx)?,
                Poll::Pending => Poll::Pending,
            };
            let is_over = matches!(self.core.ended, Ended::Not) && !self.core.tls.is_handshaking();
            if is_over && self.core.tls.protocol_version() == Some(ProtocolVersion::TLSv1_3) {
                // Tickets that did not leave yet leave with what is said first.
                return Poll::Ready(Ok(()));
            }
            // What is to be said goes out first: a peer that waits for it says nothing.
            ready!(sending);
            match &self.core.ended {
                Ended::Failed(error) => return Poll::Ready(Err(broken_by(error.clone()))),
                Ended::Closed => return Poll::Ready(Err(truncated())),
                Ended::Not if is_over => return Poll::Ready(Ok(())),
                Ended::Not => ready!(self.poll_receive(cx, None))?,
            }
        }
    }

    /// Reads once from the transport and takes that in: octets for the reader go `into` its buffer, as far as they fit.
    fn poll_receive(&mut self, cx: &mut Context<'_>, into: Option<&mut ReadBuf<'_>>) -> Poll<io::Result<()>> {
        let mut room = Room::of(READ_SIZE);
        let mut buf = ReadBuf::new(room.octets());
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut buf))?;
        let fresh = buf.filled_mut();
        if fresh.is_empty() {
            return Poll::Ready(Err(truncated()));
        }
        if self.incoming.is_empty() {
            let used = self.core.advance(fresh, None, into)?;
            self.incoming.extend_from_slice(fresh.get(used..).unwrap_or_default());
        } else {
            self.take_in(fresh, into);
        }
        Poll::Ready(Ok(()))
    }

    /// Takes octets in behind those that were not whole.
    fn take_in(&mut self, fresh: &[u8], into: Option<&mut ReadBuf<'_>>) {
        let mut all = std::mem::take(&mut self.incoming);
        all.extend_from_slice(fresh);
        // Without something to do it has no other errors than those that end the connection, which are kept.
        let used = self.core.advance(&mut all, None, into).unwrap_or(all.len());
        // Dropped when it is empty, since a connection that waits shall hold nothing.
        if used < all.len() {
            all.drain(..used);
            self.incoming = all;
        }
    }

    /// Sends what was encrypted.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.core.outgoing.is_empty() {
            let count = ready!(Pin::new(&mut self.io).poll_write(cx, self.core.outgoing.filled()))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.core.outgoing.consume(count);
        }
        Poll::Ready(Ok(()))
    }

    /// The same for one who writes, and waits until it is done.
    fn poll_send_for_writer(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let sent = self.poll_send(cx);
        self.writer_waits = sent.is_pending();
        sent
    }

    fn encrypt(&mut self, octets: &[u8]) -> io::Result<()> {
        match self.closing {
            true => Err(core::over()),
            false => self.act(Act::Encrypt(octets)),
        }
    }

    fn act(&mut self, act: Act<'_>) -> io::Result<()> {
        let mut incoming = std::mem::take(&mut self.incoming);
        let done = self.core.advance(&mut incoming, Some(act), None);
        incoming.drain(..done.as_ref().map_or(0, |used| *used).min(incoming.len()));
        if !incoming.is_empty() {
            self.incoming = incoming;
        }
        done.map(drop)
    }

    /// Encrypts slices, at most [`MAX_WRITE`] octets of them; gives how many. Small ones share records.
    fn encrypt_slices(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut left = MAX_WRITE;
        let mut small = Room::of(0);
        for slice in slices {
            let part = slice.get(..left.min(slice.len())).unwrap_or_default();
            left -= part.len();
            if part.len() < WORTH_GATHERING {
                small.push(part);
                continue;
            }
            if !small.is_empty() {
                self.encrypt(small.octets())?;
                small.clear();
            }
            self.encrypt(part)?;
        }
        if !small.is_empty() {
            self.encrypt(small.octets())?;
        }
        Ok(MAX_WRITE - left)
    }

    fn poll_encrypted(
        &mut self,
        cx: &mut Context<'_>,
        encrypt: impl FnOnce(&mut Self) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        if self.core.outgoing.len() > MAX_OUTGOING {
            ready!(self.poll_send_for_writer(cx))?;
        }
        let count = encrypt(self)?;
        // What does not leave now leaves at the next write or flush.
        match self.poll_send(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(count)),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Driver<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        loop {
            self.core.read(buf);
            if buf.filled().len() > before {
                return Poll::Ready(Ok(()));
            }
            // Answers of TLS itself, an alert among them: they must not keep the reader waiting. A writer that waits sends
            // them with what it waits for; one that has given up leaves them to the next write, flush or shutdown.
            if !self.writer_waits {
                if let Poll::Ready(Err(error)) = self.poll_send(cx) {
                    return Poll::Ready(Err(error));
                }
            }
            match &self.core.ended {
                Ended::Closed => return Poll::Ready(Ok(())),
                Ended::Failed(error) => return Poll::Ready(Err(broken_by(error.clone()))),
                Ended::Not => ready!(self.poll_receive(cx, Some(&mut *buf)))?,
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Driver<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let part = octets.get(..MAX_WRITE).unwrap_or(octets);
        self.poll_encrypted(cx, |me| me.encrypt(part).map(|()| part.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_encrypted(cx, |me| me.encrypt_slices(slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send_for_writer(cx))?;
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !std::mem::replace(&mut self.closing, true) {
            // It fails only where nothing can be said any more, as after an alert.
            let _ = self.act(Act::Close);
        }
        ready!(self.poll_send_for_writer(cx))?;
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

fn broken_by(error: Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

fn truncated() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the peer ended the connection without close_notify")
}
