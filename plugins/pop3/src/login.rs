//! What PASS and AUTH have in common: the directory's word, then the snapshot of INBOX.

use dovetail_sdk::protocol::{Claim, Login};

use crate::conversation::{Conversation, Next};
use crate::inbox;
use crate::reply::{Code, Reply};
use crate::state::State;

/// Has a claim checked and, if it holds, opens the maildrop.
pub async fn log_in(claim: Claim, conversation: &mut Conversation<'_>) -> Next {
    let login = conversation.session.log_in(&conversation.services.directory, "pop3", claim).await;
    conclude(login, conversation).await
}

/// Answers a login and, if it was accepted, opens the maildrop.
pub async fn conclude(login: Login, conversation: &mut Conversation<'_>) -> Next {
    match login {
        Login::Accepted { account } => self::open(account, conversation).await,
        Login::Refused => {
            conversation.failed_logins += 1;
            let next = conversation.reply(&wrong());
            if conversation.failed_logins >= conversation.config.max_failed_logins {
                Next::Close
            } else {
                next
            }
        }
        Login::Unavailable => conversation.reply(&Reply::coded(Code::SysTemp, "Temporary failure, try again later")),
    }
}

/// Wrong name or wrong password: nobody is told which (RFC 3206 section 4).
pub fn wrong() -> Reply {
    Reply::coded(Code::Auth, "Wrong name or password")
}

async fn open(account: String, conversation: &mut Conversation<'_>) -> Next {
    let opened = match conversation.services.store.ready().await {
        Ok(store) => inbox::snapshot(&store, account, conversation.config.max_messages).await,
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
