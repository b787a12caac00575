//! ID (RFC 2971): who the client is, for the log, and who we are. Which build we are is for those who have logged in: nobody
//! else needs to know which one to attack. Where a listener demands TLS, nobody tells anything before it.

use dovetail_imap_grammar::command::IdPairs;

use crate::answer::Answer;
use crate::completion::Completion;
use crate::conversation::Conversation;
use crate::state::State;

/// Exchanges names.
pub fn run(conversation: &mut Conversation<'_>, pairs: IdPairs) -> Answer {
    if conversation.session.info.require_tls && conversation.session.tls().is_none() {
        return Answer::quiet(Completion::no("PRIVACYREQUIRED", "Begin TLS first"));
    }
    // Debug form: what a client says cannot forge a line of the log.
    tracing::debug!(client = ?pairs, "client's ID");
    let build = match conversation.state {
        State::NotAuthenticated => String::new(),
        _ => format!(" \"build\" \"{}\"", conversation.services.build),
    };
    conversation.session.stream.queue(format!("* ID (\"name\" \"Dovetail\"{build})\r\n").as_bytes());
    Completion::ok("Pleased to meet you").into()
}
