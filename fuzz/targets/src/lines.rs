//! The SDK's line reader beside a plain one, whatever the pieces.

use crate::pieces::cut;
use dovetail_sdk::line::{BadLine, Line, LineStream};
use dovetail_sdk::Stream;
use std::{
    collections::VecDeque,
    future::Future,
    io,
    pin::{pin, Pin},
    task::{Context, Poll, Waker},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// First octet: the longest line. Second: how the rest is cut. Rest: what comes over the wire.
pub fn lines(input: &[u8]) -> bool {
    let [longest, pattern, wire @ ..] = input else {
        return false;
    };
    let longest = usize::from(*longest);
    let want = reference(wire, longest);
    let pieces = cut(wire, *pattern);
    // Every other time there is nothing to read yet.
    let mut source = VecDeque::new();
    for piece in &pieces {
        source.push_back(Vec::new());
        source.push_back(piece.to_vec());
    }
    let mut stream = LineStream::new(Stream::new(Peer(source)));
    let mut got = Vec::new();
    loop {
        let line = block_on(stream.read_line(longest)).expect("the peer does not fail");
        assert!(stream.buffered().len() <= longest + 2 + READ_SIZE, "{} octets kept", stream.buffered().len());
        match line {
            Line::End => break,
            line => got.push(line),
        }
    }
    assert_eq!(got, want, "cut into {pieces:?}");
    !got.is_empty() && got.iter().all(|line| matches!(line, Line::Good(_)))
}

/// The same over the whole wire.
fn reference(wire: &[u8], longest: usize) -> Vec<Line> {
    let ended = wire.split_inclusive(|&b| b == b'\n').filter_map(|line| line.strip_suffix(b"\n"));
    ended
        .map(|line| match line.strip_suffix(b"\r") {
            // What is longer than any good line with its CR is thrown away before its end is seen.
            _ if line.len() > longest + 1 => Line::Bad(BadLine::TooLong),
            None => Line::Bad(BadLine::BareNewline),
            Some(content) if content.contains(&b'\r') => Line::Bad(BadLine::BareNewline),
            Some(content) if content.contains(&0) => Line::Bad(BadLine::Nul),
            Some(content) => Line::Good(content.to_vec()),
        })
        .collect()
}

/// Gives one piece a read, and waits at an empty one.
struct Peer(VecDeque<Vec<u8>>);

impl AsyncRead for Peer {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Some(mut piece) = self.0.pop_front() else {
            return Poll::Ready(Ok(()));
        };
        if piece.is_empty() {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let later = piece.split_off(piece.len().min(buffer.remaining()));
        buffer.put_slice(&piece);
        if !later.is_empty() {
            self.0.push_front(later);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Peer {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Polls until it is ready; the peer never keeps anybody waiting for long.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// The SDK reads so much at a time.
const READ_SIZE: usize = 16 * 1024;
