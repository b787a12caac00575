//! What LOGIN and AUTHENTICATE have in common: the directory's word.

use dovetail_sdk::protocol::{Claim, Login};

use crate::answer::Next;
use crate::capability;
use crate::completion::Completion;
use crate::conversation::Conversation;
use crate::state::State;

/// Has a claim checked; if it holds, the session is this account's from now on.
pub async fn log_in(claim: Claim, conversation: &mut Conversation<'_>) -> (Completion, Next) {
    let login = conversation.session.log_in(&conversation.services.directory, "imap", claim).await;
    conclude(login, conversation)
}

/// Answers a login; if it was accepted, the session is this account's from now on.
pub fn conclude(login: Login, conversation: &mut Conversation<'_>) -> (Completion, Next) {
    match login {
        Login::Accepted { account } => {
            conversation.state = State::Authenticated { account };
            let code = format!("CAPABILITY {}", capability::list(&capability::Stage::After));
            (Completion::ok("Logged in").code(code), Next::Go)
        }
        Login::Refused => {
            conversation.failed_logins += 1;
            let last = conversation.failed_logins >= conversation.config.max_failed_logins;
            if last {
                conversation.bye("AUTHENTICATIONFAILED", "Too many failed logins");
            }
            (wrong(), if last { Next::Close } else { Next::Go })
        }
        Login::Unavailable => (Completion::no("UNAVAILABLE", "Temporary failure, try again later"), Next::Go),
    }
}

/// Wrong name or wrong password: nobody is told which (RFC 5530 section 3).
pub fn wrong() -> Completion {
    Completion::no("AUTHENTICATIONFAILED", "Wrong name or password")
}
