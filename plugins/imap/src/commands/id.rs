//! ID (RFC 2971): who the client is, for the log, and who we are. The version stays out of it: nobody who has not logged in
//! needs to know which one to attack.

use dovetail_imap_grammar::command::IdPairs;

use crate::answer::Answer;
use crate::completion::Completion;
use crate::conversation::Conversation;

/// Exchanges names.
pub fn run(conversation: &mut Conversation<'_>, pairs: IdPairs) -> Answer {
    // Debug form: what a client says cannot forge a line of the log.
    tracing::debug!(client = ?pairs, "client's ID");
    conversation.session.stream.queue(b"* ID (\"name\" \"Dovetail\")\r\n");
    Completion::ok("Pleased to meet you").into()
}
