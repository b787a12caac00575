//! Turns operations on one account into rows to write, without writing them.
//!
//! A plan reads through its own writes, so that operations see what the ones before them did. It changes the
//! account's state in memory as it goes; if the batch fails, the committer throws that state away.

mod append;
mod changes;
mod claim;
pub(crate) mod collect;
mod copy;
mod delete;
mod expunge;
mod flags;
mod mailbox;
mod prepare;
mod references;
mod rename;
mod subscribe;
mod weight;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use crate::account::Account;
use crate::backend::Backend;
use crate::body::{Bodies, Body};
use crate::codec;
use crate::error::{BackendError, StoreError};
use crate::types::{BodyId, Flags, MailOp, MailboxId, MailboxRow, MessageRow, OpResult};
use crate::uidset::{Uid, UidSet};

pub(crate) use changes::MailboxChange;
use changes::Touched;

/// Rows by key; `None` deletes.
pub(crate) type Writes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Keys and rows as a scan finds them.
type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// What stays the same for all plans of a batch.
pub(crate) struct Context<'a> {
    pub backend: &'a dyn Backend,
    pub bodies: &'a Bodies,
    pub now: u64,
    /// Writes to the store's own partition by the accounts planned before.
    pub system: &'a Writes,
    /// The mailboxes of a new account besides INBOX, and their special use.
    pub new_mailboxes: &'a [(String, u8)],
}

/// Changes to one account that are still to be made durable.
pub(crate) struct Plan<'a> {
    context: &'a Context<'a>,
    name: &'a str,
    account: &'a mut Account,
    touched: BTreeMap<MailboxId, Touched>,
    dirty_header: bool,
    pub(crate) output: Output,
}

/// What a plan comes to.
#[derive(Default)]
pub(crate) struct Output {
    pub writes: Writes,
    /// Rows in the store's own partition.
    pub system: Writes,
    pub put: Vec<(BodyId, Arc<Vec<u8>>)>,
    pub drop: Vec<BodyId>,
    /// Bodies that gained a reference.
    pub bodies: Vec<Body>,
    /// Of those, the ones that this account didn't refer to before.
    pub owned: Vec<Body>,
    /// What becomes of each mailbox that is touched, for those who look at it.
    pub changes: Vec<MailboxChange>,
}

impl<'a> Plan<'a> {
    pub(crate) fn new(context: &'a Context<'a>, name: &'a str, account: &'a mut Account) -> Self {
        let output = Output::default();
        Plan { context, name, account, touched: BTreeMap::new(), dirty_header: false, output }
    }

    /// Plans one commit. An `Err` is a failed read: the whole plan must be given up. An operation that can't be done
    /// says so in its result and changes nothing.
    pub(crate) fn run(&mut self, ops: &[MailOp]) -> Result<Vec<OpResult>, BackendError> {
        self.prepare();
        let mut results = Vec::with_capacity(ops.len());
        for op in ops {
            let result = match op {
                MailOp::Append(appends) => self.append(appends),
                MailOp::StoreFlags { mailbox, uids, change, flags, unchanged_since } => {
                    self.store_flags(mailbox, uids, *change, flags, *unchanged_since)
                }
                MailOp::Expunge { mailbox, uids, only_deleted } => self.expunge(mailbox, uids, *only_deleted),
                MailOp::Copy { mailbox, uids, to, remove } => self.copy(mailbox, uids, to, *remove),
                MailOp::CreateMailbox { name, special_use } => self.create_mailbox(name, *special_use),
                MailOp::DeleteMailbox { name } => self.delete_mailbox(name),
                MailOp::RenameMailbox { name, to } => self.rename_mailbox(name, to),
                MailOp::Subscribe { name, subscribed } => self.subscribe(name, *subscribed),
                MailOp::Claim { mailbox, recent_from } => self.claim(mailbox, *recent_from),
            };
            match result {
                Err(StoreError::Backend(error)) if !matches!(error, BackendError::Full { .. }) => return Err(error),
                result => results.push(result),
            }
        }
        Ok(results)
    }

    /// Adds the rows that changed in memory and ends the plan.
    pub(crate) fn finish(mut self) -> Output {
        if self.dirty_header {
            let row = codec::write_header(&self.account.header);
            self.write(codec::HEADER.to_vec(), Some(row));
        }
        for (id, touched) in std::mem::take(&mut self.touched) {
            let row = self.account.mailboxes.get(&id).cloned();
            if let Some(row) = &row {
                self.write(codec::mailbox_key(id), Some(codec::write_mailbox(row)));
            }
            self.output.changes.push(touched.into_change(id, row));
        }
        self.output
    }

    fn write(&mut self, key: Vec<u8>, row: Option<Vec<u8>>) {
        self.output.writes.insert(key, row);
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        match self.output.writes.get(key) {
            Some(row) => Ok(row.clone()),
            None => self.context.backend.get(self.name, key),
        }
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Rows, BackendError> {
        scan_through(self.context.backend, self.name, &self.output.writes, from, to, limit)
    }

    /// Up to `limit` messages with these UIDs, and where to go on if there may be more.
    fn messages(
        &self,
        mailbox: MailboxId,
        uids: &UidSet,
        limit: usize,
    ) -> Result<(Vec<MessageRow>, Option<Uid>), BackendError> {
        let mut found = Vec::new();
        for &(first, last) in uids.ranges() {
            let room = limit - found.len();
            let (from, to) = (codec::message_key(mailbox, first), codec::message_end(mailbox, last));
            let rows = self.scan(&from, &to, room)?;
            let full = rows.len() == room;
            for (key, row) in rows {
                found.push(codec::read_message(codec::read_message_key(&key)?.1, &row)?);
            }
            if full {
                let next = found.last().and_then(|row: &MessageRow| row.uid.checked_add(1));
                return Ok((found, next));
            }
        }
        Ok((found, None))
    }

    /// The mailbox `id`, to be read.
    fn mailbox(&self, id: MailboxId) -> Result<&MailboxRow, StoreError> {
        self.account.mailboxes.get(&id).ok_or_else(|| StoreError::NoSuchMailbox { name: format!("number {id}") })
    }

    /// The mailbox `id`, to be changed. `id` comes from [`Plan::resolve`].
    fn mailbox_mut(&mut self, id: MailboxId) -> Result<&mut MailboxRow, StoreError> {
        self.touched.entry(id).or_default();
        self.account.mailboxes.get_mut(&id).ok_or_else(|| StoreError::NoSuchMailbox { name: format!("number {id}") })
    }

    /// Adds a message to the counts, or takes it away.
    fn count(&mut self, mailbox: MailboxId, row: &MessageRow, add: bool) -> Result<(), StoreError> {
        let size = u64::from(row.size);
        let step = |n: u32| {
            if add {
                n.saturating_add(1)
            } else {
                n.saturating_sub(1)
            }
        };
        let counts = self.mailbox_mut(mailbox)?;
        counts.messages = step(counts.messages);
        counts.bytes = if add { counts.bytes.saturating_add(size) } else { counts.bytes.saturating_sub(size) };
        if !row.flags.has(Flags::SEEN) {
            counts.unseen = step(counts.unseen);
        }
        if row.flags.has(Flags::DELETED) {
            counts.deleted = step(counts.deleted);
        }
        let header = &mut self.account.header;
        header.messages = if add { header.messages.saturating_add(1) } else { header.messages.saturating_sub(1) };
        header.bytes = if add { header.bytes.saturating_add(size) } else { header.bytes.saturating_sub(size) };
        self.dirty_header = true;
        Ok(())
    }
}

/// Reads rows as they will be once `writes` are done.
fn scan_through(
    backend: &dyn Backend,
    part: &str,
    writes: &Writes,
    from: &[u8],
    to: &[u8],
    limit: usize,
) -> Result<Rows, BackendError> {
    if from >= to {
        return Ok(Rows::new());
    }
    let pending = || writes.range::<[u8], _>((Bound::Included(from), Bound::Excluded(to)));
    let deleted = pending().filter(|(_, row)| row.is_none()).count();
    let mut stored = Vec::new();
    // As many more as `writes` deletes: then what is left reaches as far as `limit`, unless there is nothing beyond.
    backend.scan(part, from, to, limit.saturating_add(deleted), &mut |key, row| {
        stored.push((key.to_vec(), row.to_vec()));
        Ok(())
    })?;
    if writes.is_empty() || pending().next().is_none() {
        return Ok(stored);
    }
    let mut merged: BTreeMap<Vec<u8>, Vec<u8>> = stored.into_iter().collect();
    for (key, row) in pending() {
        match row {
            Some(row) => merged.insert(key.clone(), row.clone()),
            None => merged.remove(key),
        };
    }
    Ok(merged.into_iter().take(limit).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::{Batch, PartCommit, PartKv};
    use crate::memory::MemoryBackend;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_scan_sees_writes_and_keeps_its_limit(
            stored in prop::collection::btree_map(0u8..40, any::<u8>(), 0..30),
            written in prop::collection::btree_map(0u8..40, any::<Option<u8>>(), 0..30),
            from in 0u8..40, to in 0u8..45, limit in 1usize..12,
        ) {
            let row = |(key, value): (&u8, &Option<u8>)| (vec![*key], value.map(|v| vec![v]));
            let before: BTreeMap<u8, Option<u8>> = stored.iter().map(|(key, value)| (*key, Some(*value))).collect();
            let backend = MemoryBackend::default();
            let part = PartCommit { part: "a".into(), expect: 0, writes: before.iter().map(row).collect() };
            backend.commit(&Batch { parts: vec![part], ..Batch::default() }).unwrap();
            let mut after = before.clone();
            after.extend(written.clone());
            let expected: Rows = after
                .iter()
                .filter(|(key, _)| (from..to).contains(key))
                .filter_map(|(key, value)| value.map(|v| (vec![*key], vec![v])))
                .take(limit)
                .collect();
            let writes: Writes = written.iter().map(row).collect();
            prop_assert_eq!(scan_through(&backend, "a", &writes, &[from], &[to], limit).unwrap(), expected);
        }
    }
}
