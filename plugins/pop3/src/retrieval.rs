//! What RETR and TOP have in common: a message from the store to the client.
//!
//! How it fails: before the first octet with `-ERR`; after that the connection ends, since nothing else would tell the client
//! that the message is not whole.
//!
//! Bounds: one piece of [`PIECE`] octets, and what the stream gathers for one write.

use std::io;

use dovetail_sdk::store::{BodyReader, StoreErrorCode, StoreFailure};
use dovetail_sdk::Bytes;

use crate::conversation::{Conversation, Next};
use crate::maildrop::Entry;
use crate::reply::{Code, Reply};
use crate::stuffing::Stuffing;
use crate::top::TopFilter;

/// Sends a message: all of it, or as much as `top` says.
pub async fn send(conversation: &mut Conversation<'_>, entry: Entry, mut top: Option<TopFilter>) -> io::Result<Next> {
    let (reader, mut piece) = match open(conversation, &entry).await {
        Ok(opened) => opened,
        Err(failure) if failure.code == StoreErrorCode::NotFound => {
            return Ok(conversation.reply(&Reply::err("The message has been removed by another session")));
        }
        Err(failure) => return Ok(unreadable(conversation, &entry, &failure)),
    };
    conversation.reply(&match top {
        None => Reply::ok(format!("{} octets", entry.size)),
        Some(_) => Reply::ok("Top of message follows"),
    });
    let stream = &mut conversation.session.stream;
    let mut stuffing = Stuffing::new();
    let mut left = entry.size;
    let mut sent = 0;
    loop {
        let wanted = match &mut top {
            None => piece.len(),
            Some(top) => top.take(&piece),
        };
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
        piece = match reader.next(PIECE).await {
            Ok(piece) if !piece.is_empty() => piece,
            Ok(_) => return Err(broken_off(&entry, "the body is shorter than its size")),
            Err(failure) => return Err(broken_off(&entry, &failure.message)),
        };
    }
}

/// Opens the body and reads its first piece: most failures show here, where they can still be told.
async fn open(conversation: &Conversation<'_>, entry: &Entry) -> Result<(BodyReader, Bytes), StoreFailure> {
    let Some(mailbox) = &conversation.mailbox else {
        return Err(StoreFailure { code: StoreErrorCode::NotFound, message: "nobody is logged in".to_owned() });
    };
    let reader = mailbox.read(entry.uid, 0, entry.size).await?;
    let piece = if entry.size == 0 { Bytes::default() } else { reader.next(PIECE).await? };
    Ok((reader, piece))
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
