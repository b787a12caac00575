//! What PASS and AUTH have in common: the directory's word, then the snapshot of INBOX.

use dovetail_mail::Secret;
use dovetail_sdk::directory::{AuthStatus, PasswordAttempt};
use dovetail_sdk::store::{column, Mailbox, Store, StoreFailure};

use crate::conversation::{Conversation, Next};
use crate::maildrop::Maildrop;
use crate::reply::{Code, Reply};
use crate::state::State;

/// Who claims to be whom.
pub struct Claim {
    /// Whose password it is.
    pub identity: String,
    /// Who they want to act as, if not themselves.
    pub act_as: Option<String>,
    /// The password.
    pub password: Secret,
    /// `USER` or the SASL mechanism.
    pub mechanism: &'static str,
}

impl Claim {
    /// Has the claim checked and, if it holds, opens the maildrop.
    pub async fn log_in(self, conversation: &mut Conversation<'_>) -> Next {
        let Claim { identity, act_as, password, mechanism } = self;
        let attempt = PasswordAttempt {
            authentication_id: identity.clone(),
            authorization_id: act_as.unwrap_or_default(),
            password: dovetail_sdk::Secret::new(password.expose().to_vec()),
            peer: conversation.session.info.peer.ip(),
            service: "pop3".to_owned(),
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
                let next = conversation.reply(&wrong());
                return if conversation.failed_logins >= conversation.config.max_failed_logins {
                    Next::Close
                } else {
                    next
                };
            }
            Err(failure) => {
                tracing::error!(user = identity, mechanism, %failure, "login not checked: the client was told to try later; look for the cause in the directory's lines");
                return conversation.reply(&Reply::coded(Code::SysTemp, "Temporary failure, try again later"));
            }
        };
        tracing::info!(account, mechanism, tls = conversation.tls_text(), "login");
        conversation.session.authenticated(&account, mechanism, true).await;
        self::open(account, conversation).await
    }
}

/// Wrong name or wrong password: nobody is told which (RFC 3206 section 4).
pub fn wrong() -> Reply {
    Reply::coded(Code::Auth, "Wrong name or password")
}

async fn open(account: String, conversation: &mut Conversation<'_>) -> Next {
    let opened = match conversation.services.store.get() {
        Ok(store) => snapshot(&store, account, conversation.config.max_messages).await,
        Err(failure) => Err(failure.into()),
    };
    match opened {
        Ok((mailbox, maildrop)) => {
            let (messages, octets) = maildrop.totals();
            conversation.state = State::Transaction(maildrop);
            conversation.mailbox = Some(mailbox);
            conversation.reply(&Reply::ok(format!("{messages} messages ({octets} octets)")))
        }
        Err(failure) => {
            tracing::error!(%failure, "maildrop not opened: the client was told to try later; look for the cause in the store's lines");
            conversation.reply(&Reply::coded(Code::SysTemp, "The maildrop cannot be opened now, try again later"))
        }
    }
}

/// Opens INBOX and notes what is in it.
async fn snapshot(store: &Store, account: String, max_messages: usize) -> Result<(Mailbox, Maildrop), StoreFailure> {
    let mailbox = store.open(account.clone(), INBOX.to_owned()).await?;
    let mut maildrop = Maildrop::new(account, mailbox.state()?.uid_validity);
    let rows = mailbox.rows(Vec::new(), 0, column::SIZES)?;
    for (&uid, &size) in rows.uids.iter().zip(&rows.sizes).take(max_messages) {
        maildrop.push(uid, size);
    }
    Ok((mailbox, maildrop))
}

/// The one mailbox that POP3 knows.
const INBOX: &str = "INBOX";
