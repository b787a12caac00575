//! Removing messages (RFC 9051 sections 6.4.3 and 6.4.9) and remembering that they are gone (RFC 7162 section 3.2).

use super::Plan;
use crate::codec;
use crate::error::StoreError;
use crate::limits::{MAX_ROWS_PER_OP, MAX_TOMBSTONES};
use crate::types::{Done, Flags, MailboxId, MailboxRef, ModSeq, OpResult};
use crate::uidset::UidSet;

impl Plan<'_> {
    pub(super) fn expunge(&mut self, mailbox: &MailboxRef, uids: &UidSet, only_deleted: bool) -> OpResult {
        let id = self.resolve(mailbox)?;
        let (rows, next) = self.messages(id, uids, MAX_ROWS_PER_OP)?;
        let mut gone = UidSet::new();
        for row in rows {
            if only_deleted && !row.flags.has(Flags::DELETED) {
                continue;
            }
            self.release(row.body)?;
            self.take_message(id, row.uid);
            self.count(id, &row, false)?;
            gone.insert(row.uid);
        }
        let modseq = self.bury(id, &gone)?;
        Ok(Done::Expunged { uids: gone, modseq, next })
    }

    /// Remembers that messages are gone; gives the modification sequence of that.
    pub(super) fn bury(&mut self, id: MailboxId, gone: &UidSet) -> Result<ModSeq, StoreError> {
        if gone.is_empty() {
            return Ok(self.mailbox(id)?.highest_modseq);
        }
        let mailbox = self.mailbox_mut(id)?;
        mailbox.highest_modseq += 1;
        mailbox.tombstones += 1;
        let (modseq, surplus) = (mailbox.highest_modseq, mailbox.tombstones > MAX_TOMBSTONES);
        self.write(codec::tombstone_key(id, modseq), Some(codec::write_uids(gone)));
        if surplus {
            self.forget_tombstones(id, MAX_TOMBSTONES as usize / 4)?;
        }
        Ok(modseq)
    }

    fn forget_tombstones(&mut self, id: MailboxId, count: usize) -> Result<(), StoreError> {
        let (from, to) = (codec::tombstone_key(id, 0), codec::tombstone_key(id, ModSeq::MAX));
        let mut floor = 0;
        let oldest = self.scan(&from, &to, count)?;
        let forgotten = u32::try_from(oldest.len()).unwrap_or(u32::MAX);
        for (key, _) in oldest {
            floor = codec::read_tombstone_key(&key)?.1;
            self.write(key, None);
        }
        let mailbox = self.mailbox_mut(id)?;
        mailbox.tombstones = mailbox.tombstones.saturating_sub(forgotten);
        mailbox.vanished_floor = mailbox.vanished_floor.max(floor);
        Ok(())
    }
}
