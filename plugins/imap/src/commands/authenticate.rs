//! AUTHENTICATE (RFC 9051 section 6.2.2, initial response of RFC 4959): a login by a mechanism that is offered.

use std::io;

use dovetail_imap_grammar::command::Authenticate;
use dovetail_mail::login::{log_in, Outcome, Request};
use dovetail_mail::sasl::SaslError;

use crate::answer::Answer;
use crate::completion::Completion;
use crate::conversation::Conversation;
use crate::login::{conclude, wrong};

/// Logs in: challenges and responses, then the directory's word.
pub async fn run(conversation: &mut Conversation<'_>, authenticate: Authenticate) -> io::Result<Answer> {
    if !conversation.session.may_take_password() {
        let refusal = Completion::no("PRIVACYREQUIRED", "Begin TLS first: no passwords in the clear");
        return Ok(Answer::quiet(refusal));
    }
    let offer = conversation.offer();
    let Some(mechanism) = offer.find(&authenticate.mechanism) else {
        return Ok(Answer::quiet(Completion::no("CANNOT", "Mechanism not known here")));
    };
    let initial = authenticate.initial.as_ref().map(|initial| initial.expose());
    let request = Request { service: "imap", mark: "+ ", mechanism, initial };
    let directory = &conversation.services.directory;
    Ok(match log_in(&mut conversation.session, directory, &offer, request).await? {
        Outcome::Ended(login) => {
            let (completion, next) = conclude(login, conversation);
            Answer { next, ..Answer::quiet(completion) }
        }
        Outcome::NotUnderstood(error) => Answer::quiet(sasl_answer(error)),
        Outcome::BadLine(_) => Answer::quiet(sasl_answer(SaslError::TooLong)),
    })
}

/// What the client hears when its responses make no sense.
fn sasl_answer(error: SaslError) -> Completion {
    match error {
        SaslError::Cancelled => Completion::bad("Authentication cancelled"),
        SaslError::Malformed => wrong(),
        _ => Completion::bad("The response is not understood"),
    }
}
