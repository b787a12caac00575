//! STARTTLS (RFC 9051 section 6.2.1): TLS from here on, and everything forgotten that was said before.
//!
//! Bytes that a client sends behind this command without waiting for the reply end the connection: the line reader
//! gives its stream back only when its buffer is empty.

use std::io;

use dovetail_imap_grammar::Tag;
use dovetail_sdk::protocol::StartTlsError;

use crate::answer::Answer;
use crate::completion::Completion;
use crate::conversation::Conversation;

/// Begins TLS. If that fails the connection ends, without a word in the clear.
pub async fn run(conversation: &mut Conversation<'_>, tag: &Tag) -> io::Result<Answer> {
    if conversation.session.tls().is_some() {
        return Ok(Answer::quiet(Completion::bad("TLS is on already")));
    }
    if !conversation.session.may_start_tls() {
        return Ok(Answer::quiet(Completion::bad("TLS is not offered here")));
    }
    match conversation.session.start_tls(format!("{tag} OK Begin TLS\r\n").as_bytes()).await {
        Ok(()) => {
            conversation.start_over();
            Ok(Answer::silent())
        }
        Err(StartTlsError::Io(error)) => Err(error),
        Err(error) => {
            tracing::info!(%error, "STARTTLS failed");
            Err(io::ErrorKind::ConnectionAborted.into())
        }
    }
}
