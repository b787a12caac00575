//! What the unit tests share.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use dovetail_mail::mime::{Limits, Scanner, Summary};
use dovetail_sdk::line::LineStream;
use dovetail_sdk::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A client that has said all it has to say, in these packets.
pub struct Packets {
    left: VecDeque<Vec<u8>>,
    written: Arc<Mutex<Vec<u8>>>,
}

/// The server's side of a connection with such a client, and what it writes.
pub fn packets(packets: impl IntoIterator<Item = Vec<u8>>) -> (LineStream, Arc<Mutex<Vec<u8>>>) {
    let written = Arc::default();
    let left = packets.into_iter().filter(|packet| !packet.is_empty()).collect();
    let peer = Packets { left, written: Arc::clone(&written) };
    (LineStream::new(Stream::new(peer)), written)
}

/// A message's summary.
pub fn summary(message: &[u8]) -> Summary {
    let mut scanner = Scanner::new(&Limits::default());
    scanner.push(message);
    scanner.finish()
}

impl AsyncRead for Packets {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some(mut packet) = self.left.pop_front() {
            let rest = packet.split_off(packet.len().min(buf.remaining()));
            if !rest.is_empty() {
                self.left.push_front(rest);
            }
            buf.put_slice(&packet);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Packets {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.written.lock().unwrap().extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
