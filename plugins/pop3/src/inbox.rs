//! INBOX in the store: opened at login, and again when the store has been restarted during the session.
//!
//! What the client knows is its snapshot ([`Maildrop`]); it holds for the INBOX of the restarted store too, since that has the
//! same UIDVALIDITY. With another one nothing more is read or deleted: it could be other mail.

use dovetail_sdk::store::{column, Mailbox, Store, StoreErrorCode, StoreFailure};

use crate::conversation::Conversation;
use crate::maildrop::Maildrop;
use crate::state::State;

/// How often in one command INBOX is opened again.
pub const REOPENINGS: u32 = 3;

/// Opens INBOX and notes what is in it.
///
/// # Errors
/// As the store gives them.
pub async fn snapshot(
    store: &Store,
    account: String,
    max_messages: usize,
) -> Result<(Mailbox, Maildrop), StoreFailure> {
    let mailbox = store.open(account.clone(), INBOX.to_owned()).await?;
    let mut maildrop = Maildrop::new(account, mailbox.state()?.uid_validity);
    let rows = mailbox.rows(Vec::new(), 0, column::SIZES)?;
    for (&uid, &size) in rows.uids.iter().zip(&rows.sizes).take(max_messages) {
        maildrop.push(uid, size);
    }
    Ok((mailbox, maildrop))
}

/// Opens INBOX again, after the store said that it has been stopped. Waits for the store that is started in its place.
///
/// # Errors
/// As the store gives them; `Temporary` if this is not the INBOX that the session began with.
pub async fn reopen(conversation: &mut Conversation<'_>) -> Result<(), StoreFailure> {
    let temporary = |message: &str| StoreFailure { code: StoreErrorCode::Temporary, message: message.to_owned() };
    let State::Transaction(maildrop) = &conversation.state else {
        return Err(temporary("nobody is logged in"));
    };
    let store = conversation.services.store.ready().await?;
    let mailbox = store.open(maildrop.account().to_owned(), INBOX.to_owned()).await?;
    let state = mailbox.state()?;
    // Another one, or an older state of it.
    if state.uid_validity != maildrop.uid_validity() || maildrop.last_uid().is_some_and(|last| state.uid_next <= last) {
        return Err(temporary("since the store was restarted INBOX is another one"));
    }
    conversation.mailbox = Some(mailbox);
    Ok(())
}

/// The one mailbox that POP3 knows.
const INBOX: &str = "INBOX";

#[cfg(test)]
mod tests {
    use crate::testing::{world, LOGIN};

    #[tokio::test]
    async fn a_session_goes_on_in_a_store_that_was_restarted() {
        let script = r"
            S: +OK 2 messages (7 octets)
            C: DELE 2
            S: +OK Marked for deletion
            R!
            C: RETR 1
            S: +OK 3 octets
            S: one
            S: .
            R!
            C: TOP 1 0
            S: +OK Top of message follows
            S: one
            S: .
            R!
            C: QUIT
            S: +OK Bye, marked messages deleted
            S.
        ";
        let world = world(&[b"one", b"gone"]);
        world.talk(&format!("{LOGIN}{script}")).await.unwrap();
        let left: Vec<u32> = world.seen.messages.lock().unwrap().iter().map(|(uid, _)| *uid).collect();
        assert_eq!(left, [10]);
    }

    #[tokio::test]
    async fn a_message_goes_on_where_it_was() {
        let message = b"abc!!.de!!fgh!!.i";
        let got = world(&[message]).answers(b"USER ann\r\nPASS secret\r\nRETR 1\r\nQUIT\r\n").await;
        let got = String::from_utf8_lossy(&got);
        assert!(got.ends_with("+OK 17 octets\r\nabc!!.de!!fgh!!.i\r\n.\r\n+OK Bye\r\n"), "{got}");
    }

    #[tokio::test]
    async fn of_another_inbox_nothing_is_read_or_deleted() {
        let world = world(&[b"one"]);
        let script = r"
            S: +OK 1 messages (3 octets)
            O!
            R!
            C: RETR 1
            S: -ERR [SYS/TEMP] The message cannot be read now, try again later
            C: DELE 1
            S: +OK Marked for deletion
            C: QUIT
            S: -ERR [SYS/TEMP] Marked messages not deleted, try again later
            S.
        ";
        world.talk(&format!("{LOGIN}{script}")).await.unwrap();
        assert_eq!(world.seen.messages.lock().unwrap().len(), 1);
    }
}
