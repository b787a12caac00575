//! The store's answers in the words of `dovetail.store/1`.

use std::collections::BTreeSet;

use dovetail_mailstore::view::{gather, gather_into, Columns, ViewState};
use dovetail_mailstore::{BackendError, FlagNames, Flags, Mailbox, ModSeq, Store, StoreError, Uid, UidSet};
use dovetail_sdk::store::{
    self as sdk, column, MailboxEntry, MailboxState, MessageColumns, StoreErrorCode, StoreFailure, UidRange,
};

pub(super) fn failure(error: &StoreError) -> StoreFailure {
    let code = match error {
        StoreError::Backend(BackendError::Full { .. }) => StoreErrorCode::Full,
        StoreError::TooLarge { .. } => StoreErrorCode::TooLarge,
        StoreError::NoSuchMailbox { .. } | StoreError::NoSuchBody(_) => StoreErrorCode::NotFound,
        StoreError::MailboxExists { .. } => StoreErrorCode::Exists,
        StoreError::HasChildren { .. } => StoreErrorCode::HasChildren,
        StoreError::Limit { .. } => StoreErrorCode::Limit,
        error if error.is_temporary() => StoreErrorCode::Temporary,
        _ => StoreErrorCode::Invalid,
    };
    StoreFailure { code, message: error.to_string() }
}

pub(super) fn flag_names(flags: sdk::Flags) -> FlagNames {
    FlagNames { system: Flags(u64::from(flags.system) & Flags::SYSTEM.0), keywords: flags.keywords }
}

/// All mailboxes, and subscriptions to names without one, by name.
pub(super) fn entries(store: &Store, account: &str) -> Result<Vec<MailboxEntry>, StoreError> {
    let mailboxes = store.mailboxes(account)?;
    let known: BTreeSet<&str> = mailboxes.iter().map(|mailbox| mailbox.name.as_str()).collect();
    let names = store.subscriptions(account)?;
    let mut entries: Vec<_> = names.into_iter().filter(|name| !known.contains(name.as_str())).map(nothing_at).collect();
    for mailbox in mailboxes {
        entries.push(to_entry(store, account, mailbox)?);
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// One mailbox by name.
pub(super) fn entry(store: &Store, account: &str, name: &str) -> Result<MailboxEntry, StoreError> {
    to_entry(store, account, store.status(account, name)?)
}

fn to_entry(store: &Store, account: &str, mailbox: Mailbox) -> Result<MailboxEntry, StoreError> {
    let Mailbox { name, row, subscribed } = mailbox;
    Ok(MailboxEntry {
        recent: store.recent(account, &row)?,
        name,
        id: row.id,
        subscribed,
        special_use: u32::from(row.special_use),
        uid_validity: row.uid_validity,
        uid_next: row.uid_next,
        highest_modseq: row.highest_modseq,
        messages: row.messages,
        unseen: row.unseen,
        deleted: row.deleted,
        octets: row.bytes,
    })
}

/// A subscription to a name that no mailbox has.
fn nothing_at(name: String) -> MailboxEntry {
    MailboxEntry {
        name,
        id: 0,
        subscribed: true,
        special_use: 0,
        uid_validity: 0,
        uid_next: 0,
        highest_modseq: 0,
        messages: 0,
        unseen: 0,
        deleted: 0,
        octets: 0,
        recent: 0,
    }
}

pub(super) fn state(id: u32, state: &ViewState, columns: &Columns) -> MailboxState {
    MailboxState {
        id,
        uid_validity: state.uid_validity,
        uid_next: state.uid_next,
        highest_modseq: state.highest_modseq,
        last_expunge: state.last_expunge,
        messages: u32::try_from(columns.uids.len()).unwrap_or(u32::MAX),
        unseen: state.unseen,
        keywords: state.keywords.clone(),
        gone: state.gone,
    }
}

/// The columns that are asked for, of the messages that are asked for.
pub(super) fn rows(columns: &Columns, uids: &[UidRange], since: ModSeq, wanted: u32) -> MessageColumns {
    let uids: Vec<(Uid, Uid)> = uids.iter().map(|range| (range.first, range.last)).collect();
    let runs = columns.select(&uids, since);
    let mut rows = MessageColumns { uids: gather(&columns.uids, &runs), ..MessageColumns::default() };
    if wanted & column::FLAGS != 0 {
        rows.flags = gather(&columns.flags, &runs);
    }
    if wanted & column::MODSEQS != 0 {
        rows.modseqs = gather(&columns.modseqs, &runs);
    }
    if wanted & column::SIZES != 0 {
        rows.sizes = gather_into(&columns.sizes, &runs);
    }
    if wanted & column::DATES != 0 {
        rows.dates = gather(&columns.dates, &runs);
        rows.zones = gather_into(&columns.zones, &runs);
    }
    if wanted & column::SAVE_DATES != 0 {
        rows.save_dates = gather(&columns.save_dates, &runs);
    }
    rows
}

pub(super) fn uid_set(ranges: &[UidRange]) -> UidSet {
    let mut set = UidSet::new();
    ranges.iter().for_each(|range| set.insert_range(range.first, range.last));
    set
}

pub(super) fn uid_ranges(set: &UidSet) -> Vec<UidRange> {
    set.ranges().iter().map(|&(first, last)| UidRange { first, last }).collect()
}
