//! Where junk goes: into the account's mailbox whose use is `\Junk` (RFC 6154), the first by name.
//!
//! An account that has none gets one, named `Junk` and subscribed to; an ordinary mailbox of that name is taken as it is. Where
//! there can be none (an account with as many mailboxes as it may have), junk goes into INBOX, and the log says so: a policy's
//! opinion is no reason to refuse a message.

use dovetail_sdk::store::{special_use, Append, Appended, Store, StoreErrorCode, StoreFailure};

use crate::message::{append_to, INBOX};

/// Puts a message there; tells where it is.
pub(crate) async fn append(store: &Store, account: &str, append: Append) -> Result<(String, Appended), StoreFailure> {
    for _ in 0..TRIES {
        let mailbox = match find_or_make(store, account).await {
            Err(failure) if failure.code == StoreErrorCode::Limit => break,
            found => found?,
        };
        match append_to(store, account, Append { mailbox: mailbox.clone(), ..append.clone() }).await {
            // Its owner has just deleted it.
            Err(failure) if failure.code == StoreErrorCode::NotFound => {}
            appended => return Ok((mailbox, appended?)),
        }
    }
    tracing::warn!(
        delivery = append.delivery_id,
        account,
        "there is no mailbox for junk and none can be made: the message goes into INBOX; make one with the use \\Junk"
    );
    let mailbox = INBOX.to_owned();
    let appended = append_to(store, account, Append { mailbox: mailbox.clone(), ..append }).await?;
    Ok((mailbox, appended))
}

async fn find_or_make(store: &Store, account: &str) -> Result<String, StoreFailure> {
    let all = store.mailboxes(account.to_owned()).await?;
    // A subscription to a name has no number.
    if let Some(junk) = all.into_iter().find(|entry| entry.special_use & special_use::JUNK != 0 && entry.id != 0) {
        return Ok(junk.name);
    }
    match store.create_mailbox(account.to_owned(), JUNK.to_owned(), special_use::JUNK).await {
        Err(failure) if failure.code != StoreErrorCode::Exists => return Err(failure),
        Err(_) => {}
        Ok(()) => {
            // Without it many clients do not show the mailbox; the message is there all the same.
            if let Err(failure) = store.subscribe(account.to_owned(), JUNK.to_owned(), true).await {
                tracing::warn!(account, %failure, "the new mailbox for junk is not subscribed to");
            }
        }
    }
    Ok(JUNK.to_owned())
}

const JUNK: &str = "Junk";
/// So often the mailbox may vanish under the message.
const TRIES: usize = 2;
