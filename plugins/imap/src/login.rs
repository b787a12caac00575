//! What LOGIN and AUTHENTICATE have in common: the directory's word.

use dovetail_mail::Secret;
use dovetail_sdk::directory::{AuthStatus, PasswordAttempt};

use crate::answer::Next;
use crate::capability;
use crate::completion::Completion;
use crate::conversation::Conversation;
use crate::state::State;

/// Who claims to be whom.
pub struct Claim {
    /// Whose password it is.
    pub identity: String,
    /// Who they want to act as, if not themselves.
    pub act_as: Option<String>,
    /// The password.
    pub password: Secret,
    /// `LOGIN` or the SASL mechanism.
    pub mechanism: &'static str,
}

impl Claim {
    /// Has the claim checked; if it holds, the session is this account's from now on.
    pub async fn log_in(self, conversation: &mut Conversation<'_>) -> (Completion, Next) {
        let Claim { identity, act_as, password, mechanism } = self;
        let attempt = PasswordAttempt {
            authentication_id: identity.clone(),
            authorization_id: act_as.unwrap_or_default(),
            password: dovetail_sdk::Secret::new(password.expose().to_vec()),
            peer: conversation.session.info.peer.ip(),
            service: "imap".to_owned(),
        };
        let answer = match conversation.services.directory.get() {
            Ok(directory) => directory.authenticate(attempt).await,
            Err(failure) => Err(failure.into()),
        };
        let account = match answer {
            Ok(outcome) if outcome.status == AuthStatus::Accepted => outcome.account.unwrap_or(identity),
            Ok(outcome) => {
                tracing::info!(user = identity, mechanism, status = ?outcome.status, "login refused");
                conversation.session.authenticated(&identity, mechanism, false).await;
                conversation.failed_logins += 1;
                let last = conversation.failed_logins >= conversation.config.max_failed_logins;
                if last {
                    conversation.bye("AUTHENTICATIONFAILED", "Too many failed logins");
                }
                return (wrong(), if last { Next::Close } else { Next::Go });
            }
            Err(failure) => {
                tracing::error!(user = identity, mechanism, %failure, "login not checked");
                return (Completion::no("UNAVAILABLE", "Temporary failure, try again later"), Next::Go);
            }
        };
        tracing::info!(account, mechanism, tls = conversation.tls_text(), "login");
        conversation.session.authenticated(&account, mechanism, true).await;
        conversation.state = State::Authenticated { account };
        let code = format!("CAPABILITY {}", capability::list(capability::Stage::After));
        (Completion::ok("Logged in").code(code), Next::Go)
    }
}

/// Wrong name or wrong password: nobody is told which (RFC 5530 section 3).
pub fn wrong() -> Completion {
    Completion::no("AUTHENTICATIONFAILED", "Wrong name or password")
}
