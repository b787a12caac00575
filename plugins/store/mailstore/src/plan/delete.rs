//! Deleting mailboxes (RFC 9051 section 6.3.5). The mailbox is gone at once, durably, however large it is; its rows are
//! marked and removed in steps of [`DELETE_AT_ONCE`], the first one at once and the others by the collector, so that
//! deliveries come in between. A crash leaves the mark, and the next collection goes on.

use super::Plan;
use crate::codec;
use crate::error::{BackendError, StoreError};
use crate::names::{self, INBOX};
use crate::types::{Done, MailboxId, ModSeq, OpResult};
use crate::uidset::Uid;

/// Rows of deleted mailboxes that are removed in one commit.
pub(super) const DELETE_AT_ONCE: usize = 1_000;

impl Plan<'_> {
    pub(super) fn delete_mailbox(&mut self, name: &str) -> OpResult {
        let parts = names::parts(name)?;
        if parts == [INBOX] {
            return Err(StoreError::IsInbox);
        }
        let id = self.account.find(&parts).ok_or_else(|| StoreError::NoSuchMailbox { name: name.to_owned() })?;
        if self.account.mailboxes.values().any(|mailbox| mailbox.parent == id) {
            return Err(StoreError::HasChildren { name: names::join(&parts) });
        }
        let Some(row) = self.account.mailboxes.remove(&id) else {
            return Err(StoreError::NoSuchMailbox { name: name.to_owned() });
        };
        self.touched.entry(id).or_default().clear();
        self.write(codec::mailbox_key(id), None);
        self.write(codec::name_key(row.parent, &row.name), None);
        let header = &mut self.account.header;
        header.messages = header.messages.saturating_sub(u64::from(row.messages));
        header.bytes = header.bytes.saturating_sub(row.bytes);
        self.dirty_header = true;
        self.write(codec::doomed_key(id), Some(Vec::new()));
        self.remove_rows(id)?;
        Ok(Done::Deleted { mailbox: id })
    }

    /// Goes on with a deletion, if one is under way.
    pub(super) fn go_on_deleting(&mut self) -> Result<bool, BackendError> {
        let (from, to) = codec::all(b'X');
        let Some((key, _)) = self.scan(&from, &to, 1)?.into_iter().next() else {
            return Ok(false);
        };
        self.remove_rows(codec::read_doomed_key(&key)?)?;
        Ok(true)
    }

    /// Removes some rows of a deleted mailbox, and its mark with the last.
    fn remove_rows(&mut self, id: MailboxId) -> Result<(), BackendError> {
        let (from, to) = (codec::message_key(id, 0), codec::message_end(id, Uid::MAX));
        let messages = self.scan(&from, &to, DELETE_AT_ONCE)?;
        for (key, row) in &messages {
            let row = codec::read_message(codec::read_message_key(key)?.1, row)?;
            self.release(row.body)?;
            self.write(key.clone(), None);
        }
        let room = DELETE_AT_ONCE - messages.len();
        let (from, to) = (codec::tombstone_key(id, 0), codec::tombstone_key(id, ModSeq::MAX));
        let tombstones = self.scan(&from, &to, room)?;
        let removed = messages.len() + tombstones.len();
        for (key, _) in tombstones {
            self.write(key, None);
        }
        if removed < DELETE_AT_ONCE {
            self.write(codec::doomed_key(id), None);
        }
        Ok(())
    }
}
