//! FETCH and UID FETCH (RFC 9051 section 6.4.5). What is sent is made in [`crate::fetch`].

use std::io;

use dovetail_imap_grammar::command::Fetch;
use dovetail_sdk::store::{column, flag, FlagAction, FlagChange, Flags, StoreFailure, UidRange};

use crate::answer::Answer;
use crate::completion::Completion;
use crate::conversation::Conversation;
use crate::fetch::batch::{Batches, FetchError, Sent};
use crate::fetch::metadata;
use crate::fetch::plan::Plan;
use crate::selected::{resolve, Selected};
use crate::state::State;

/// Sends what is asked for.
pub async fn run(conversation: &mut Conversation<'_>, fetch: &Fetch) -> io::Result<Answer> {
    let (rev2, services) = (conversation.rev2, conversation.services);
    let State::Selected(selected) = &mut conversation.state else {
        return Ok(Answer::quiet(Completion::bad("Select a mailbox first")));
    };
    let places = match selected.places(&fetch.set, fetch.uid) {
        Ok(places) => places,
        Err(error) => return Ok(Answer::without_expunge(Completion::bad(error.to_string()))),
    };
    let plan = Plan::new(fetch);
    let uids = selected.uid_ranges(&places);
    if uids.is_empty() {
        return Ok(Answer::about_messages(Completion::ok("No such message"), fetch.uid));
    }
    let mut news = Vec::new();
    let prepared = async {
        if plan.marks_seen && !selected.read_only {
            mark_seen(selected, &uids).await?;
        }
        let rows = selected.mailbox.rows(uids.clone(), 0, plan.columns)?;
        let keywords = selected.mailbox.state()?.keywords;
        // Last, since it is told once.
        selected.learn_keywords(&keywords, &mut news);
        Ok(rows)
    };
    let rows = match prepared.await {
        Ok(rows) => rows,
        Err(failure) => return Ok(Answer::about_messages(Completion::store_failed(&failure), fetch.uid)),
    };
    let stream = &mut conversation.session.stream;
    stream.queue(&news);
    let sent = if plan.bodies || plan.summaries {
        Batches { stream, selected, store: &services.store, plan: &plan, rev2 }.send(&rows).await
    } else {
        let messages = metadata::send(stream, selected, &plan, &rows, rev2).await?;
        Ok(Sent { messages, ..Sent::default() })
    };
    if let (Ok(sent), true) = (&sent, plan.bodies) {
        conversation.services.figures.sent(sent.messages as u64, sent.octets);
    }
    let completion = match sent {
        Err(FetchError::Io(error)) => return Err(error),
        Err(FetchError::Refused(refusal)) => refusal,
        Ok(Sent { unreadable: true, .. }) => Completion::no("UNAVAILABLE", "Some of it cannot be read now"),
        // UIDs that are not there are passed over (RFC 9051 section 6.4.9).
        Ok(Sent { messages, .. }) if !fetch.uid && messages < resolve::count(&places) => {
            Completion::no("EXPUNGEISSUED", "Some of the messages are gone")
        }
        Ok(_) => Completion::ok("Fetched"),
    };
    Ok(Answer::about_messages(completion, fetch.uid))
}

/// What is fetched counts as seen. The change is told with the other news, after what was asked for.
async fn mark_seen(selected: &Selected, uids: &[UidRange]) -> Result<(), StoreFailure> {
    let rows = selected.mailbox.rows(uids.to_vec(), 0, column::FLAGS)?;
    let seen = u64::from(flag::SEEN);
    let unseen = rows.uids.iter().zip(&rows.flags).filter(|(_, flags)| *flags & seen == 0);
    let uids: Vec<UidRange> = unseen.map(|(uid, _)| UidRange { first: *uid, last: *uid }).collect();
    if uids.is_empty() {
        return Ok(());
    }
    let flags = Flags { system: flag::SEEN, keywords: Vec::new() };
    let change = FlagChange { uids, action: FlagAction::Add, flags, unchanged_since: 0 };
    selected.mailbox.change_flags(change).await.map(|_| ())
}
