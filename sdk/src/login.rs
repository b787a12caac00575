//! What every protocol does with a login: asks the directory, tells core before the client is told, and leaves the same line in
//! the log.

use crate::{
    directory::{AuthOutcome, AuthStatus, CertificateAttempt, Directory, DirectoryFailure, PasswordAttempt},
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
        self.conclude(answer, identity, mechanism).await
    }

    /// Has the directory find the account that the client's certificate stands for, which TLS has verified.
    pub async fn log_in_by_certificate(
        &self,
        directory: &Service<Directory>,
        service: &str,
        act_as: Option<String>,
        mechanism: &'static str,
    ) -> Login {
        let act_as = act_as.unwrap_or_default();
        let chain = self.tls().map(|facts| facts.peer_chain.clone()).unwrap_or_default();
        if chain.is_empty() {
            return self.refuse(&act_as, mechanism, "TLS has verified no certificate of this client").await;
        }
        let attempt = CertificateAttempt {
            chain,
            authorization_id: act_as.clone(),
            peer: self.info.peer.ip(),
            service: service.to_owned(),
        };
        let answer = match directory.ready().await {
            Ok(directory) => directory.authenticate_certificate(attempt).await,
            Err(failure) => Err(failure.into()),
        };
        let found = match answer {
            Ok(found) => found,
            Err(failure) => return self.conclude(Err(failure), act_as, mechanism).await,
        };
        let account = found.outcome.account.filter(|_| found.outcome.status == AuthStatus::Accepted);
        let status = format!("{:?}", found.outcome.status);
        let ending = Ending { name: &act_as, status: &status, certificate: Some((&found.certificate, &found.reason)) };
        self.end(account, mechanism, ending).await
    }

    /// Makes of the directory's answer what is logged, reported to core, and to be told to the client. `name` is who the client
    /// says it is, `mechanism` by which command or SASL mechanism.
    pub async fn conclude(
        &self,
        answer: Result<AuthOutcome, DirectoryFailure>,
        name: String,
        mechanism: &'static str,
    ) -> Login {
        match answer {
            Ok(outcome) if outcome.status == AuthStatus::Accepted => {
                let account = outcome.account.unwrap_or(name);
                self.end(Some(account), mechanism, Ending::default()).await
            }
            Ok(outcome) => self.refuse(&name, mechanism, &format!("{:?}", outcome.status)).await,
            Err(failure) => {
                tracing::error!(user = name, mechanism, %failure, "login not checked: the client was told to try later; look for the cause in the directory's lines");
                Login::Unavailable
            }
        }
    }

    /// Logs and reports a login that is refused: by the directory, or before it was asked. `reason` is for the log alone.
    pub async fn refuse(&self, name: &str, mechanism: &'static str, reason: &str) -> Login {
        self.end(None, mechanism, Ending { name, status: reason, certificate: None }).await
    }

    /// Every login that was checked ends here: logged, then reported to core, which takes its time over one into no account.
    async fn end(&self, account: Option<String>, mechanism: &'static str, ending: Ending<'_>) -> Login {
        let (certificate, reason) = ending.certificate.unzip();
        match account {
            Some(account) => {
                tracing::info!(account, mechanism, tls = self.tls_text(), certificate, reason, "login");
                self.authenticated(&account, mechanism, true).await;
                Login::Accepted { account }
            }
            None => {
                let Ending { name, status, .. } = ending;
                tracing::info!(user = name, mechanism, status, certificate, reason, "login refused");
                self.authenticated(name, mechanism, false).await;
                Login::Refused
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

/// What the log says of a login's end.
#[derive(Default)]
struct Ending<'a> {
    /// Who the client says it is, if it is refused.
    name: &'a str,
    /// Why it is refused.
    status: &'a str,
    /// The certificate that was shown, and why it leads to the account or to none.
    certificate: Option<(&'a str, &'a str)>,
}
