//! AUTHENTICATE (RFC 9051 section 6.2.2, initial response of RFC 4959): a login by a mechanism of `dovetail_mail::sasl`;
//! PLAIN is the one that is offered.

use std::io;

use dovetail_imap_grammar::command::Authenticate;
use dovetail_mail::sasl::{Credentials, Exchange, Mechanism, SaslError, Step, MAX_RESPONSE};
use dovetail_sdk::line::Line;
use dovetail_sdk::protocol::Claim;
use dovetail_sdk::Secret;

use crate::answer::{Answer, Next};
use crate::completion::Completion;
use crate::conversation::Conversation;
use crate::login::{log_in, wrong};

/// Logs in: challenges and responses, then the directory's word.
pub async fn run(conversation: &mut Conversation<'_>, authenticate: Authenticate) -> io::Result<Answer> {
    if !conversation.may_log_in() {
        let refusal = Completion::no("PRIVACYREQUIRED", "Begin TLS first: no passwords in the clear");
        return Ok(Answer::quiet(refusal));
    }
    let Some(mechanism @ Mechanism::Plain) = Mechanism::from_name(&authenticate.mechanism) else {
        return Ok(Answer::quiet(Completion::no("CANNOT", "Mechanism not known here")));
    };
    let mut exchange = Exchange::new(mechanism);
    let mut step = exchange.start(authenticate.initial.as_ref().map(|initial| initial.expose()));
    loop {
        match step {
            Ok(Step::Challenge(challenge)) => {
                conversation.session.stream.queue(format!("+ {challenge}\r\n").as_bytes());
                match conversation.session.stream.read_line(MAX_RESPONSE).await? {
                    Line::Good(line) => step = exchange.respond(&line),
                    Line::Bad(_) => return Ok(Answer::quiet(sasl_answer(SaslError::TooLong))),
                    Line::End => return Err(io::ErrorKind::UnexpectedEof.into()),
                }
            }
            Ok(Step::Check(Credentials::Password { act_as, identity, password })) => {
                let password = Secret::new(password.expose().to_vec());
                let claim = Claim { identity, act_as, password, mechanism: mechanism.name() };
                let (completion, next) = log_in(claim, conversation).await;
                return Ok(Answer { next, ..Answer::quiet(completion) });
            }
            Ok(_) => return Ok(Answer::quiet(sasl_answer(SaslError::Malformed))),
            Err(error) => return Ok(Answer { next: Next::Go, ..Answer::quiet(sasl_answer(error)) }),
        }
    }
}

/// What the client hears when its responses make no sense.
fn sasl_answer(error: SaslError) -> Completion {
    match error {
        SaslError::Cancelled => Completion::bad("Authentication cancelled"),
        SaslError::Malformed => wrong(),
        _ => Completion::bad("The response is not understood"),
    }
}
