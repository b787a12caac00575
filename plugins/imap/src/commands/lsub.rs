//! LSUB (RFC 3501 section 6.3.9): subscribed names, for clients that know nothing newer.

use std::collections::BTreeMap;

use dovetail_imap_grammar::{encode, Mailbox};

use super::list;
use crate::answer::Answer;
use crate::completion::Completion;
use crate::conversation::Conversation;
use crate::names;

/// Lists subscribed names. A name above one that `%` keeps out is told instead, as not to be selected.
pub async fn run(conversation: &mut Conversation<'_>, reference: &Mailbox, pattern: &Mailbox) -> Answer {
    let mode = conversation.mode();
    let patterns = match list::patterns(reference, std::slice::from_ref(pattern), mode) {
        Ok(patterns) => patterns,
        Err(refusal) => return refusal.into(),
    };
    let entries = match conversation.store().await {
        Ok(store) => store.mailboxes(conversation.account()).await,
        Err(failure) => Err(failure),
    };
    let entries = match entries {
        Ok(entries) => entries,
        Err(failure) => return Completion::store_failed(&failure).into(),
    };
    let matches = |name: &str| patterns.iter().any(|pattern| names::matches(pattern, name));
    // Name -> whether it is subscribed itself.
    let mut told: BTreeMap<&str, bool> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.subscribed) {
        if matches(&entry.name) {
            told.insert(&entry.name, true);
        } else if let Some(above) = names::above(&entry.name).find(|above| matches(above)) {
            told.entry(above).or_insert(false);
        }
    }
    let mut out = Vec::with_capacity(1024);
    for (name, subscribed) in told {
        out.extend_from_slice(if subscribed { b"* LSUB () \"/\" " } else { b"* LSUB (\\Noselect) \"/\" " });
        encode::mailbox(&mut out, name, mode);
        out.extend_from_slice(b"\r\n");
    }
    conversation.session.stream.queue(&out);
    Completion::ok("That is all").into()
}
