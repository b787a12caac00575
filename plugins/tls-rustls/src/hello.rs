//! The stream below a handshake until its ClientHello is read: keeps what came, for what rustls does not tell.
//!
//! It says what a peer speaks that does not speak TLS, and whether a TLS 1.2 client offers the extended master secret
//! (RFC 7627), without which its exporter must not bind a channel (RFC 9266 §4.2); and with TLS 1.3 the handshake begins
//! again with it, in a connection that has its config. rustls takes 64 KiB at most before it has a whole ClientHello or gives
//! up.

use std::{
    io,
    pin::Pin,
    task::{ready, Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// See the module.
pub(crate) struct Noted<S> {
    inner: S,
    first: Vec<u8>,
}

impl<S> Noted<S> {
    pub(crate) fn new(inner: S) -> Self {
        Noted { inner, first: Vec::new() }
    }

    /// The stream, and the first bytes that came over it.
    pub(crate) fn into_parts(self) -> (S, Vec<u8>) {
        (self.inner, self.first)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Noted<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        self.first.extend_from_slice(buf.filled().get(before..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Noted<S> {
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

/// Whether the ClientHello that starts in `first` offers the extended master secret. Looks at the first record only.
pub(crate) fn offers_extended_master_secret(first: &[u8]) -> bool {
    extension(first, EXTENDED_MASTER_SECRET).is_some()
}

/// Whether it offers TLS 1.3 (RFC 8446 section 4.2.1). Looks at the first record only.
pub(crate) fn offers_tls13(first: &[u8]) -> bool {
    let versions = extension(first, SUPPORTED_VERSIONS).and_then(|value| value.get(1..)).unwrap_or_default();
    versions.chunks_exact(2).any(|version| version == TLS13)
}

/// What an extension says, if it is there whole.
fn extension(first: &[u8], wanted: usize) -> Option<&[u8]> {
    let mut rest = extensions(first)?;
    loop {
        let kind = number(&mut rest, 2)?;
        let len = number(&mut rest, 2)?;
        let value = rest.get(..len)?;
        if kind == wanted {
            return Some(value);
        }
        skip(&mut rest, len)?;
    }
}

/// The extensions of a ClientHello (RFC 5246 §7.4.1.2), as far as they were kept.
fn extensions(first: &[u8]) -> Option<&[u8]> {
    let mut rest = first;
    skip(&mut rest, RECORD_HEADER + HANDSHAKE_HEADER + VERSION_AND_RANDOM)?;
    for width in [1, 2, 1] {
        // Session id, cipher suites, compression methods.
        let len = number(&mut rest, width)?;
        skip(&mut rest, len)?;
    }
    number(&mut rest, 2)?;
    Some(rest)
}

fn skip(rest: &mut &[u8], len: usize) -> Option<()> {
    *rest = rest.get(len..)?;
    Some(())
}

fn number(rest: &mut &[u8], width: usize) -> Option<usize> {
    let (bytes, tail) = rest.split_at_checked(width)?;
    *rest = tail;
    Some(bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)))
}

const RECORD_HEADER: usize = 5;
const HANDSHAKE_HEADER: usize = 4;
const VERSION_AND_RANDOM: usize = 34;
const EXTENDED_MASTER_SECRET: usize = 23;
const SUPPORTED_VERSIONS: usize = 43;
const TLS13: [u8; 2] = [3, 4];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hello(extensions: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; RECORD_HEADER + HANDSHAKE_HEADER + VERSION_AND_RANDOM];
        bytes.extend([2, 7, 7, 0, 2, 0xc0, 0x2b, 1, 0]);
        bytes.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
        bytes.extend(extensions);
        bytes
    }

    #[test]
    fn finds_the_extension() {
        assert!(offers_extended_master_secret(&hello(&[0, 5, 0, 1, 9, 0, 23, 0, 0])));
        assert!(!offers_extended_master_secret(&hello(&[0, 5, 0, 1, 23, 0, 24, 0, 0])));
        // Not in the value of another extension.
        assert!(!offers_extended_master_secret(&hello(&[0, 5, 0, 4, 0, 23, 0, 0])));
        assert!(!offers_extended_master_secret(&hello(&[])));
    }

    #[test]
    fn finds_the_version() {
        assert!(offers_tls13(&hello(&[0, 43, 0, 5, 4, 3, 3, 3, 4])));
        assert!(!offers_tls13(&hello(&[0, 43, 0, 3, 2, 3, 3])));
        assert!(!offers_tls13(&hello(&[0, 43, 0, 0])));
        assert!(!offers_tls13(&hello(&[0, 5, 0, 5, 4, 3, 3, 3, 4])));
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            offers_extended_master_secret(&bytes);
            offers_tls13(&bytes);
        }

        #[test]
        fn a_cut_hello_offers_nothing_new(cut in 0_usize..64) {
            let whole = hello(&[0, 5, 0, 1, 9, 0, 23, 0, 0]);
            let cut = &whole[..cut.min(whole.len() - 4)];
            prop_assert!(!offers_extended_master_secret(cut));
        }
    }
}
