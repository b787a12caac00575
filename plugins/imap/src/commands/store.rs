//! STORE and UID STORE (RFC 9051 section 6.4.6).

use dovetail_imap_grammar::command::{Store, StoreAction};
use dovetail_sdk::store::{column, FlagAction, FlagChange, StoreFailure, UidRange};

use crate::answer::Answer;
use crate::completion::Completion;
use crate::conversation::Conversation;
use crate::fetch::flags;
use crate::selected::{resolve, Own, Selected};

/// Changes flags, and tells how they are now unless the client can tell by itself.
pub async fn run(conversation: &mut Conversation<'_>, store: &Store) -> Answer {
    let rev2 = conversation.rev2;
    let Some(selected) = conversation.selected() else {
        return Answer::quiet(Completion::bad("Select a mailbox first"));
    };
    if selected.read_only {
        return Answer::without_expunge(Completion::no("READ-ONLY", "The mailbox was opened with EXAMINE"));
    }
    let flags = match flags::from_client(&store.flags) {
        Ok(flags) => flags,
        Err(refusal) => return Answer::without_expunge(refusal),
    };
    let places = match selected.places(&store.set, store.uid) {
        Ok(places) => places,
        Err(error) => return Answer::without_expunge(Completion::bad(error.to_string())),
    };
    let uids = selected.uid_ranges(&places);
    if uids.is_empty() {
        return Answer::about_messages(Completion::ok("No such message, nothing done"), store.uid);
    }
    let action = match store.action {
        StoreAction::Replace => FlagAction::Replace,
        StoreAction::Add => FlagAction::Add,
        StoreAction::Remove => FlagAction::Remove,
    };
    let change = FlagChange { uids: uids.clone(), action, flags, unchanged_since: 0 };
    let (newest, unknown) = match changed_by_others(selected, &uids, store.silent) {
        Ok(others) => others,
        Err(failure) => return Answer::about_messages(Completion::store_failed(&failure), store.uid),
    };
    let changed = match selected.mailbox.change_flags(change).await {
        Ok(changed) => changed,
        Err(failure) => return Answer::about_messages(Completion::store_failed(&failure), store.uid),
    };
    let mut out = Vec::new();
    let here = match tell(selected, uids, store.silent, rev2, &mut out) {
        Ok(here) => here,
        Err(failure) => return Answer::about_messages(Completion::store_failed(&failure), store.uid),
    };
    conversation.session.stream.queue(&out);
    // Between the look at what others did and our change nobody else may have come.
    let known = !store.silent || changed.modseq == newest + 1;
    let own = (known && changed.modseq > 0).then_some(Own { modseq: changed.modseq, unknown });
    let completion = match here == resolve::count(&places) {
        true => Completion::ok("Stored"),
        false => Completion::ok("Stored, but some of the messages are gone").code("EXPUNGEISSUED"),
    };
    Answer { own, ..Answer::about_messages(completion, store.uid) }
}

/// With SILENT the client counts on knowing the flags, and it does but for those messages that others changed since it was
/// told: gives their UIDs, and the MODSEQ of the newest change of all.
fn changed_by_others(selected: &Selected, uids: &[UidRange], silent: bool) -> Result<(u64, Vec<u32>), StoreFailure> {
    if !silent {
        return Ok((0, Vec::new()));
    }
    let newest = selected.mailbox.state()?.highest_modseq;
    if newest == selected.told() {
        return Ok((newest, Vec::new()));
    }
    let rows = selected.mailbox.rows(uids.to_vec(), selected.told(), 0)?;
    Ok((newest, rows.uids))
}

/// Tells the flags as they are now, unless asked to be silent. Gives how many of the messages are still there.
fn tell(
    selected: &mut Selected,
    uids: Vec<UidRange>,
    silent: bool,
    rev2: bool,
    out: &mut Vec<u8>,
) -> Result<usize, StoreFailure> {
    let columns = if silent { 0 } else { column::FLAGS };
    let rows = selected.mailbox.rows(uids, 0, columns)?;
    let keywords = selected.mailbox.state()?.keywords;
    // Last, since it is told once.
    selected.learn_keywords(&keywords, out);
    let mut at = 0;
    for (uid, flags) in rows.uids.iter().zip(&rows.flags) {
        at += selected.uids.get(at..).map_or(0, |rest| rest.partition_point(|known| known < uid));
        if selected.uids.get(at) == Some(uid) {
            selected.tell_flags(at, *uid, *flags, rev2, out);
        }
    }
    Ok(rows.uids.len())
}
