//! APPEND (RFC 9051 section 6.3.12, APPENDUID of RFC 4315, literal8 of RFC 3516): a message straight into the store.
//!
//! Mailbox, flags and size are judged before the message is asked for. It is never in memory as a whole: its octets go from
//! the stream to the store's sink.
//!
//! How it fails: TRYCREATE if there is no such mailbox, TOOBIG, and whatever the store says; a message that the client sends
//! unasked is thrown away, and if that is too much the connection ends.

use std::io;

use dovetail_imap_grammar::command::AppendHead;
use dovetail_imap_grammar::{encode, literal, Tag};
use dovetail_sdk::line::Line;
use dovetail_sdk::store::{Append, BodySink, Store, StoreErrorCode, StoreFailure};
use dovetail_sdk::time;

use crate::answer::Next;
use crate::completion::Completion;
use crate::conversation::Conversation;
use crate::fetch::flags;
use crate::framing::{self, Input};
use crate::state::State;

/// Takes a message.
///
/// # Errors
/// Each of them ends the connection.
pub async fn run(conversation: &mut Conversation<'_>, head: AppendHead) -> io::Result<Next> {
    let tag = head.tag.clone();
    let (store, sink, mut append) = match prepare(conversation, &head).await {
        Ok(prepared) => prepared,
        Err(refusal) => {
            return match framing::refuse(&mut conversation.session.stream, Vec::new(), head.message).await? {
                Input::TooLarge(_) => conversation.answer(&tag, refusal.into()).await,
                Input::End => Err(io::ErrorKind::UnexpectedEof.into()),
                _ => {
                    conversation.bye("TOOBIG", "The message is too large");
                    Ok(Next::Close)
                }
            };
        }
    };
    if head.message.synchronizing {
        conversation.session.stream.queue(b"+ Go on\r\n");
    }
    let taken = receive(conversation, &head, &sink).await?;
    match conversation.session.stream.read_line(MAX_REST).await? {
        Line::Good(rest) if rest.is_empty() => {}
        Line::End => return Err(io::ErrorKind::UnexpectedEof.into()),
        rest => return not_the_end(conversation, &tag, rest).await,
    }
    if let Err(refusal) = taken {
        return conversation.answer(&tag, refusal.into()).await;
    }
    let appended = async {
        let body = sink.seal().await?;
        append.body = body.id()?;
        store.append(conversation.account(), vec![append]).await
    };
    let completion = match appended.await.as_deref() {
        Ok([appended, ..]) => {
            conversation.services.figures.appended(head.message.size);
            tracing::info!(
                account = conversation.account(),
                uid = appended.uid,
                octets = head.message.size,
                "message stored by a client"
            );
            let mut code = Vec::new();
            encode::append_uid(&mut code, appended.uid_validity, appended.uid);
            Completion::ok("Appended").code(String::from_utf8_lossy(&code).into_owned())
        }
        Ok([]) => Completion::no("UNAVAILABLE", "The store gave no answer"),
        Err(failure) => refused(failure),
    };
    conversation.answer(&tag, completion.into()).await
}

/// Refuses a command that goes on behind its message: MULTIAPPEND is not offered. If it goes on with another message, that is
/// thrown away, so that nothing of it is taken for commands.
async fn not_the_end(conversation: &mut Conversation<'_>, tag: &Tag, rest: Line) -> io::Result<Next> {
    let mark = match rest {
        Line::Good(rest) => literal::at_end(&rest).ok(),
        _ => None,
    };
    let rest = match mark {
        Some(Some(mark)) => framing::refuse(&mut conversation.session.stream, Vec::new(), mark).await?,
        Some(None) => Input::TooLarge(Vec::new()),
        None => Input::Flood,
    };
    match rest {
        Input::TooLarge(_) => conversation.answer(tag, Completion::bad("Expected the end of the command").into()).await,
        Input::End => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => {
            conversation.bye("CLIENTBUG", "Expected the end of the command");
            Ok(Next::Close)
        }
    }
}

/// All that can be judged before the message comes.
async fn prepare(
    conversation: &mut Conversation<'_>,
    head: &AppendHead,
) -> Result<(Store, BodySink, Append), Completion> {
    if matches!(conversation.state, State::NotAuthenticated) {
        return Err(Completion::bad("Log in first"));
    }
    let mailbox = super::name(conversation, &head.mailbox)?;
    let flags = flags::from_client(&head.flags)?;
    if head.message.size > conversation.config.max_message_size {
        return Err(Completion::no("TOOBIG", "The message is too large"));
    }
    let begin = async {
        let store = conversation.store().await?;
        // Who waits for `+` is told beforehand; who sends the message in any case hears it from the append.
        if head.message.synchronizing {
            store.status(conversation.account(), mailbox.clone()).await?;
        }
        let sink = store.begin_body(head.message.size).await?;
        Ok((store, sink))
    };
    let (store, sink) = begin.await.map_err(|failure: StoreFailure| refused(&failure))?;
    let now = time::unix_milliseconds();
    let (internal_date, zone) = match head.date {
        Some(date) => (date.unix_timestamp() * 1000, i32::from(date.offset().whole_minutes())),
        None => (now, 0),
    };
    Ok((store, sink, Append { mailbox, body: 0, flags, internal_date, zone, delivery_id: String::new() }))
}

/// Takes the octets to the sink, to the last one even if the store or the grammar refuses them on the way.
async fn receive(
    conversation: &mut Conversation<'_>,
    head: &AppendHead,
    sink: &BodySink,
) -> io::Result<Result<(), Completion>> {
    let stream = &mut conversation.session.stream;
    let mut left = head.message.size;
    let mut taken = Ok(());
    while left > 0 {
        if stream.buffered().is_empty() && !stream.fill().await? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let count = stream.buffered().len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let piece = stream.buffered().get(..count).unwrap_or_default();
        if taken.is_ok() {
            taken = if !head.message.binary && piece.contains(&0) {
                Err(Completion::no("CANNOT", "NUL in a message needs a literal8 (RFC 3516)"))
            } else {
                sink.write(piece.into()).await.map_err(|failure| refused(&failure))
            };
        }
        stream.consume(count);
        left -= count as u64;
    }
    Ok(taken)
}

fn refused(failure: &StoreFailure) -> Completion {
    match failure.code {
        StoreErrorCode::NotFound => Completion::no("TRYCREATE", "There is no such mailbox; create it first"),
        _ => Completion::store_failed(failure),
    }
}

/// Behind a message there is nothing but the line's end.
const MAX_REST: usize = 1024;
