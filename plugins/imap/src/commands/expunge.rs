//! EXPUNGE and UID EXPUNGE (RFC 9051 sections 6.4.3 and 6.4.9, RFC 4315).

use dovetail_imap_grammar::SequenceSet;
use dovetail_sdk::store::UidRange;

use crate::answer::Answer;
use crate::completion::Completion;
use crate::conversation::Conversation;

/// Removes what is marked as deleted, or those of it that `set` names. The news tell which they were.
pub async fn run(conversation: &mut Conversation<'_>, set: Option<&SequenceSet>) -> Answer {
    let Some(selected) = conversation.selected() else {
        return Answer::quiet(Completion::bad("Select a mailbox first"));
    };
    if selected.read_only {
        return Completion::no("READ-ONLY", "The mailbox was opened with EXAMINE").into();
    }
    let uids = match set {
        None => vec![UidRange { first: 1, last: u32::MAX }],
        Some(set) => match selected.places(set, true) {
            Ok(places) => selected.uid_ranges(&places),
            Err(error) => return Answer::without_expunge(Completion::bad(error.to_string())),
        },
    };
    if uids.is_empty() {
        return Completion::ok("Nothing to expunge").into();
    }
    match selected.mailbox.expunge(uids, true).await {
        Ok(_) => Completion::ok("Expunged").into(),
        Err(failure) => Completion::store_failed(&failure).into(),
    }
}
