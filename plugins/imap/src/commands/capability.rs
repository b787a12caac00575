//! CAPABILITY (RFC 9051 section 6.1.1).

use crate::answer::Answer;
use crate::capability;
use crate::completion::Completion;
use crate::conversation::Conversation;

/// Lists what the server can do at this stage.
pub fn run(conversation: &mut Conversation<'_>) -> Answer {
    let list = capability::list(&conversation.stage());
    conversation.session.stream.queue(format!("* CAPABILITY {list}\r\n").as_bytes());
    Completion::ok("That is all").into()
}
