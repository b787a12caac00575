//! LOGIN (RFC 9051 section 6.2.3).

use dovetail_imap_grammar::command::Login;
use dovetail_sdk::protocol::Claim;
use dovetail_sdk::Secret;

use crate::answer::Answer;
use crate::completion::Completion;
use crate::conversation::Conversation;
use crate::login::{log_in, wrong};

/// Checks name and password.
pub async fn run(conversation: &mut Conversation<'_>, login: Login) -> Answer {
    if !conversation.session.may_take_password() {
        return Answer::quiet(Completion::no("PRIVACYREQUIRED", "Begin TLS first: no passwords in the clear"));
    }
    let Ok(identity) = String::from_utf8(login.user) else {
        return Answer::quiet(wrong());
    };
    let password = Secret::new(login.password.expose().to_vec());
    let claim = Claim { identity, act_as: None, password, mechanism: "LOGIN" };
    let (completion, next) = log_in(claim, conversation).await;
    Answer { next, ..Answer::quiet(completion) }
}
