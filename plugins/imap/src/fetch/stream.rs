//! Octets that are too many to be held: from the store to the client in pieces.

use std::io;
use std::ops::Range;

use dovetail_imap_grammar::encode;
use dovetail_sdk::line::LineStream;
use dovetail_sdk::store::{Mailbox, StoreFailure};

/// Sends a literal with these octets of a body.
///
/// # Errors
/// `Ok(Err)` if the body could not be opened and nothing was written; an I/O error afterwards, since nothing else would tell
/// the client that the literal is not whole.
pub async fn literal(
    stream: &mut LineStream,
    mailbox: &Mailbox,
    uid: u32,
    octets: &Range<u64>,
) -> io::Result<Result<(), StoreFailure>> {
    let mut left = octets.end.saturating_sub(octets.start);
    let reader = match mailbox.read(uid, octets.start, left).await {
        Ok(reader) => reader,
        Err(failure) => return Ok(Err(failure)),
    };
    let mut head = Vec::with_capacity(24);
    encode::literal_head(&mut head, left);
    stream.write(&head).await?;
    while left > 0 {
        match reader.next(PIECE).await {
            Ok(piece) if !piece.is_empty() && piece.len() as u64 <= left => {
                left -= piece.len() as u64;
                stream.write(&piece).await?;
            }
            Ok(_) => return Err(broken_off(uid, "the body is not as long as it should be")),
            Err(failure) => return Err(broken_off(uid, &failure.message)),
        }
    }
    Ok(Ok(()))
}

/// Hands a body's octets to `take`, piece by piece.
///
/// # Errors
/// As the store gives them.
pub async fn pieces(
    mailbox: &Mailbox,
    uid: u32,
    octets: &Range<u64>,
    mut take: impl FnMut(&[u8]),
) -> Result<(), StoreFailure> {
    let reader = mailbox.read(uid, octets.start, octets.end.saturating_sub(octets.start)).await?;
    loop {
        let piece = reader.next(PIECE).await?;
        if piece.is_empty() {
            return Ok(());
        }
        take(&piece);
    }
}

/// What ends a connection in the middle of a literal.
pub fn broken_off(uid: u32, reason: &str) -> io::Error {
    tracing::error!(uid, reason, "message broken off, connection ended");
    io::Error::new(io::ErrorKind::ConnectionAborted, "message broken off")
}

/// What is asked of the store at a time.
pub const PIECE: u32 = 64 * 1024;
