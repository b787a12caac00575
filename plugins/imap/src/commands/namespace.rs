//! NAMESPACE (RFC 2342, RFC 9051 section 6.3.10): one namespace, the account's own.

use crate::answer::Answer;
use crate::completion::Completion;
use crate::conversation::Conversation;

/// Tells it.
pub fn run(conversation: &mut Conversation<'_>) -> Answer {
    conversation.session.stream.queue(b"* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
    Completion::ok("That is all").into()
}
