//! COPY and MOVE with their UID forms (RFC 9051 sections 6.4.7 and 6.4.8, COPYUID of RFC 4315).
//!
//! All messages are copied or none. A MOVE is one step of the store: at no instant is a message in both places or in none.

use dovetail_imap_grammar::{command::Transfer, encode};
use dovetail_sdk::store::{Copied, StoreErrorCode};

use crate::answer::Answer;
use crate::completion::Completion;
use crate::conversation::Conversation;
use crate::selected::resolve;

/// Puts messages into another mailbox, too or instead.
pub async fn run(conversation: &mut Conversation<'_>, transfer: &Transfer, remove: bool) -> Answer {
    let to = match super::name(conversation, &transfer.mailbox) {
        Ok(name) => name,
        Err(refusal) => return refusal.into(),
    };
    let Some(selected) = conversation.selected() else {
        return Answer::quiet(Completion::bad("Select a mailbox first"));
    };
    if remove && selected.read_only {
        return Completion::no("READ-ONLY", "The mailbox was opened with EXAMINE").into();
    }
    let uids = match selected.places(&transfer.set, transfer.uid) {
        Ok(places) => selected.uid_ranges(&places),
        Err(error) => return Answer::without_expunge(Completion::bad(error.to_string())),
    };
    if uids.is_empty() {
        return Completion::ok("No such message, nothing done").into();
    }
    match selected.mailbox.copy(uids, to, remove).await {
        Ok(copied) if copied.from.is_empty() => {
            Completion::ok("These messages are gone, nothing done").code("EXPUNGEISSUED").into()
        }
        Ok(copied) if remove => {
            // Before the EXPUNGEs, so that the client knows where to look (RFC 6851 section 4.3).
            let code = code(&copied);
            conversation.session.stream.queue(format!("* OK [{code}] Moved\r\n").as_bytes());
            Completion::ok("Moved").into()
        }
        Ok(copied) => Completion::ok("Copied").code(code(&copied)).into(),
        Err(failure) if failure.code == StoreErrorCode::NotFound => {
            Completion::no("TRYCREATE", "There is no such mailbox; create it first").into()
        }
        Err(failure) => Completion::store_failed(&failure).into(),
    }
}

fn code(copied: &Copied) -> String {
    let mut code = Vec::new();
    let (from, to) = (resolve::from_store(&copied.from), resolve::from_store(&copied.to));
    encode::copy_uid(&mut code, copied.uid_validity, from.iter(), &to);
    String::from_utf8_lossy(&code).into_owned()
}
