//! What every protocol does with a name and a password: asks the directory, tells core before the client is told, and leaves
//! the same line in the log.

use crate::{
    directory::{AuthStatus, Directory, PasswordAttempt},
    protocol::Session,
    Secret, Service,
};

/// Who claims to be whom.
#[derive(Debug)]
pub struct Claim {
    /// Whose password it is.
    pub identity: String,
    /// Who they want to act as, if not themselves.
    pub act_as: Option<String>,
    /// The password.
    pub password: Secret,
    /// The command or SASL mechanism, for the log and the figures.
    pub mechanism: &'static str,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// They are who they say.
    Accepted {
        /// The account, by its canonical address.
        account: String,
    },
    /// They are not, or may not log in; nobody is told which. This took a while, so that guessing is slow.
    Refused,
    /// The directory could not say. The client should try later.
    Unavailable,
}

impl Session {
    /// Has a claim checked; `service` is the protocol's name.
    pub async fn log_in(&self, directory: &Service<Directory>, service: &str, claim: Claim) -> Login {
        let Claim { identity, act_as, password, mechanism } = claim;
        let attempt = PasswordAttempt {
            authentication_id: identity.clone(),
            authorization_id: act_as.unwrap_or_default(),
            password,
            peer: self.info.peer.ip(),
            service: service.to_owned(),
        };
        let answer = match directory.ready().await {
            Ok(directory) => directory.authenticate(attempt).await,
            Err(failure) => Err(failure.into()),
        };
        match answer {
            Ok(outcome) if outcome.status == AuthStatus::Accepted => {
                let account = outcome.account.unwrap_or(identity);
                tracing::info!(account, mechanism, tls = self.tls_text(), "login");
                self.authenticated(&account, mechanism, true).await;
                Login::Accepted { account }
            }
            Ok(outcome) => {
                tracing::info!(user = identity, mechanism, status = ?outcome.status, "login refused");
                self.authenticated(&identity, mechanism, false).await;
                Login::Refused
            }
            Err(failure) => {
                tracing::error!(user = identity, mechanism, %failure, "login not checked: the client was told to try later; look for the cause in the directory's lines");
                Login::Unavailable
            }
        }
    }

    /// What is known of the session's TLS, in words for the log: `TLS 1.3 CIPHER GROUP`, or `none`.
    pub fn tls_text(&self) -> String {
        self.tls().map_or_else(
            || "none".to_owned(),
            |facts| {
                let group = facts.group.as_deref().map(|group| format!(" {group}"));
                format!("{} {}{}", facts.version, facts.cipher, group.unwrap_or_default())
            },
        )
    }
}
