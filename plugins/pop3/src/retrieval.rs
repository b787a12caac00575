//! What RETR and TOP have in common: a message from the store to the client.
//!
//! How it fails: before the first octet with `-ERR`; after that the connection ends, since nothing else would tell the client
//! that the message is not whole. A store that is restarted meanwhile is no failure: the rest comes from the new one.
//!
//! Bounds: one piece of [`PIECE`] octets, and what the stream gathers for one write.

use std::io;

use dovetail_sdk::store::{BodyReader, StoreErrorCode, StoreFailure};
use dovetail_sdk::Bytes;

use crate::conversation::{Conversation, Next};
use crate::inbox::{self, REOPENINGS};
use crate::maildrop::Entry;
use crate::reply::{Code, Reply};
use crate::stuffing::Stuffing;
use crate::top::TopFilter;

/// Sends a message: all of it, or as much as `top` says.
pub async fn send(conversation: &mut Conversation<'_>, entry: Entry, mut top: Option<TopFilter>) -> io::Result<Next> {
    let mut reader = None;
    // Most failures show here, where they can still be told.
    let mut piece = match next(conversation, &entry, &mut reader, 0).await {
        Ok(piece) => piece,
        Err(failure) if failure.code == StoreErrorCode::NotFound => {
            return Ok(conversation.reply(&Reply::err("The message has been removed by another session")));
        }
        Err(failure) => return Ok(unreadable(conversation, &entry, &failure)),
    };
    conversation.reply(&match top {
        None => Reply::ok(format!("{} octets", entry.size)),
        Some(_) => Reply::ok("Top of message follows"),
    });
    let mut stuffing = Stuffing::new();
    let mut left = entry.size;
    let mut sent = 0;
    loop {
        let wanted = match &mut top {
            None => piece.len(),
            Some(top) => top.take(&piece),
        };
        let stream = &mut conversation.session.stream;
        stuffing.feed(&piece[..wanted], |bytes| stream.queue(bytes));
        sent += wanted as u64;
        left = left.saturating_sub(piece.len() as u64);
        if left == 0 || top.as_ref().is_some_and(TopFilter::done) {
            stream.write(stuffing.finish()).await?;
            let top = top.is_some();
            conversation.services.figures.sent(top, sent);
            return Ok(Next::Go);
        }
        // Writes, if a good deal has gathered.
        stream.write(b"").await?;
        piece = match next(conversation, &entry, &mut reader, entry.size - left).await {
            Ok(piece) if !piece.is_empty() => piece,
            Ok(_) => return Err(broken_off(&entry, "the body is shorter than its size")),
            Err(failure) => return Err(broken_off(&entry, &failure.message)),
        };
    }
}

/// The next piece, `at` octets from the beginning. Without a reader, or if the store has been restarted, the body is opened
/// there.
async fn next(
    conversation: &mut Conversation<'_>,
    entry: &Entry,
    reader: &mut Option<BodyReader>,
    at: u64,
) -> Result<Bytes, StoreFailure> {
    let mut tries = 0;
    loop {
        let piece = match reader {
            Some(reader) => reader.next(PIECE).await,
            None => match &conversation.mailbox {
                None => Err(StoreFailure { code: StoreErrorCode::NotFound, message: "nobody is logged in".to_owned() }),
                Some(mailbox) => match mailbox.read(entry.uid, at, entry.size.saturating_sub(at)).await {
                    Ok(opened) => reader.insert(opened).next(PIECE).await,
                    Err(failure) => Err(failure),
                },
            },
        };
        match piece {
            Err(failure) if failure.code == StoreErrorCode::Stopped && tries < REOPENINGS => {
                tries += 1;
                *reader = None;
                inbox::reopen(conversation).await?;
            }
            piece => return piece,
        }
    }
}

fn unreadable(conversation: &mut Conversation<'_>, entry: &Entry, failure: &StoreFailure) -> Next {
    tracing::error!(
        uid = entry.uid,
        %failure,
        "message not read: the client was told to try later; look for the cause in the store's lines"
    );
    conversation.reply(&Reply::coded(Code::SysTemp, "The message cannot be read now, try again later"))
}

fn broken_off(entry: &Entry, reason: &str) -> io::Error {
    tracing::error!(
        uid = entry.uid,
        reason,
        "message broken off, connection ended: the client fetches it again; look for the cause in the store's lines"
    );
    io::Error::new(io::ErrorKind::ConnectionAborted, "message broken off")
}

/// What is asked of the store at a time.
const PIECE: u32 = 64 * 1024;
