//! LOGOUT (RFC 9051 section 6.1.3).

use crate::answer::{Answer, Next};
use crate::completion::Completion;
use crate::conversation::Conversation;

/// Says goodbye.
pub fn run(conversation: &mut Conversation<'_>) -> Answer {
    conversation.session.stream.queue(b"* BYE Logging out\r\n");
    Answer { next: Next::Close, ..Answer::quiet(Completion::ok("Bye")) }
}
