//! ENABLE (RFC 5161, RFC 9051 section 6.3.1): IMAP4rev2 is the one extension that changes what is said unasked.

use crate::answer::Answer;
use crate::completion::Completion;
use crate::conversation::Conversation;

/// Turns on what is known; the rest is passed over, as the RFC wants it.
pub fn run(conversation: &mut Conversation<'_>, words: &[String]) -> Answer {
    let rev2 = words.iter().any(|word| word.eq_ignore_ascii_case("IMAP4rev2"));
    conversation.rev2 |= rev2;
    let enabled: &[u8] = if rev2 { b"* ENABLED IMAP4rev2\r\n" } else { b"* ENABLED\r\n" };
    conversation.session.stream.queue(enabled);
    Completion::ok("Done").into()
}
