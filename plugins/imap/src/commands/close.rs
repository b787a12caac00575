//! CLOSE and UNSELECT (RFC 9051 sections 6.4.1 and 6.4.2).

use dovetail_sdk::store::{StoreErrorCode, UidRange};

use crate::answer::Answer;
use crate::completion::Completion;
use crate::conversation::Conversation;

/// Leaves the mailbox. CLOSE removes what is marked as deleted, without a word about each; if that cannot be done the
/// mailbox stays open, so that the client learns of it.
pub async fn run(conversation: &mut Conversation<'_>, expunge: bool) -> Answer {
    let Some(selected) = conversation.selected() else {
        return Answer::quiet(Completion::bad("Select a mailbox first"));
    };
    if expunge && !selected.read_only {
        match selected.mailbox.expunge(vec![UidRange { first: 1, last: u32::MAX }], true).await {
            Ok(_) => {}
            // Somebody has deleted the mailbox: nothing is left to expunge.
            Err(failure) if failure.code == StoreErrorCode::NotFound => {}
            Err(failure) => return Completion::store_failed(&failure).into(),
        }
    }
    conversation.unselect();
    Answer::quiet(Completion::ok("Closed"))
}
