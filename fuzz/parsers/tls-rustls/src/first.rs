//! The first octets of a connection.

use crate::hello::{offers_extended_master_secret, offers_tls13, Noted};
use crate::pieces::cut;
use dovetail_sdk::tls::{guess, Guess};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll, Waker},
};
use tokio::io::{AsyncRead, ReadBuf};

/// First octet: how the rest is cut. Rest: what a peer sends first.
pub fn tls_hello(input: &[u8]) -> bool {
    let Some((&pattern, sent)) = input.split_first() else {
        return false;
    };
    let kept = through(sent, pattern);
    assert_eq!(kept, sent, "other octets are kept than have come");
    let offers = offers_extended_master_secret(&kept);
    for cut in [kept.len() / 2, kept.len().saturating_sub(1), kept.len().min(60)] {
        // An extension is there or not; more octets take nothing back.
        assert!(offers || !offers_extended_master_secret(&kept[..cut]), "only {cut} octets offer it");
        assert!(offers_tls13(&kept) || !offers_tls13(&kept[..cut]), "only {cut} octets offer TLS 1.3");
    }
    match guess(&kept) {
        Guess::Text(_) | Guess::Proxy => assert!(kept.first().is_some_and(u8::is_ascii), "{kept:?} is no text"),
        Guess::Ssl2 => assert!(kept.len() >= 3),
        Guess::Other => {}
    }
    offers
}

/// Reads all of it through [`Noted`], as a handshake would, and gives what that kept.
fn through(sent: &[u8], pattern: u8) -> Vec<u8> {
    let mut pieces = cut(sent, pattern);
    pieces.reverse();
    let mut noted = Noted::new(Pieces(pieces));
    let mut read = Vec::new();
    let mut context = Context::from_waker(Waker::noop());
    loop {
        let mut room = [0; 300];
        let mut buffer = ReadBuf::new(&mut room);
        let Poll::Ready(Ok(())) = Pin::new(&mut noted).poll_read(&mut context, &mut buffer) else {
            panic!("the pieces neither fail nor wait");
        };
        if buffer.filled().is_empty() {
            break;
        }
        read.extend_from_slice(buffer.filled());
    }
    assert_eq!(read, sent, "other octets go through than have come");
    noted.into_parts().1
}

/// Gives one piece a read; the last is the next.
struct Pieces<'a>(Vec<&'a [u8]>);

impl AsyncRead for Pieces<'_> {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some(piece) = self.0.pop() {
            let (now, later) = piece.split_at(piece.len().min(buffer.remaining()));
            buffer.put_slice(now);
            if !later.is_empty() {
                self.0.push(later);
            }
        }
        Poll::Ready(Ok(()))
    }
}
