//! STATUS (RFC 9051 section 6.3.11, SIZE of RFC 8438).

use dovetail_imap_grammar::{command::Status, encode, StatusItem, TextMode};
use dovetail_sdk::store::{MailboxEntry, StoreErrorCode};

use crate::answer::Answer;
use crate::completion::Completion;
use crate::conversation::Conversation;

/// Counts what is in a mailbox, without opening it.
pub async fn run(conversation: &mut Conversation<'_>, status: &Status) -> Answer {
    let name = match super::name(conversation, &status.mailbox) {
        Ok(name) => name,
        Err(refusal) => return refusal.into(),
    };
    let entry = match conversation.store().await {
        Ok(store) => store.status(conversation.account(), name).await,
        Err(failure) => Err(failure),
    };
    match entry {
        Ok(entry) => {
            let mut out = Vec::with_capacity(128);
            write(&entry, &status.items, conversation.mode(), &mut out);
            conversation.session.stream.queue(&out);
            Completion::ok("Done").into()
        }
        Err(failure) if failure.code == StoreErrorCode::Invalid => {
            Completion::no("NONEXISTENT", "There is no such mailbox").into()
        }
        Err(failure) => Completion::store_failed(&failure).into(),
    }
}

/// Writes the STATUS response.
pub fn write(entry: &MailboxEntry, items: &[StatusItem], mode: TextMode, out: &mut Vec<u8>) {
    out.extend_from_slice(b"* STATUS ");
    encode::mailbox(out, &entry.name, mode);
    out.extend_from_slice(b" (");
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(item.name().as_bytes());
        out.push(b' ');
        encode::number(out, value(entry, *item));
    }
    out.extend_from_slice(b")\r\n");
}

fn value(entry: &MailboxEntry, item: StatusItem) -> u64 {
    match item {
        StatusItem::Messages => entry.messages.into(),
        StatusItem::Recent => entry.recent.into(),
        StatusItem::UidNext => entry.uid_next.into(),
        StatusItem::UidValidity => entry.uid_validity.into(),
        StatusItem::Unseen => entry.unseen.into(),
        StatusItem::Deleted => entry.deleted.into(),
        StatusItem::Size => entry.octets,
        // What the grammar knows and this server does not is not asked for by anybody who reads its capabilities.
        _ => 0,
    }
}
