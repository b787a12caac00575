//! Copying and moving messages (RFC 9051 sections 6.4.7 and 6.4.8): rows only, bodies are shared. All or none: what can
//! be refused is refused before the first one is copied. Bound: [`MAX_COPY`].

use std::collections::HashMap;

use super::Plan;
use crate::error::StoreError;
use crate::limits::MAX_COPY;
use crate::types::{Done, Flags, MailboxId, MailboxRef, MessageRow, OpResult};
use crate::uidset::{Uid, UidSet};

/// About what a message's row and its body's references take on the disk.
const ROW_BYTES: u64 = 200;

impl Plan<'_> {
    pub(super) fn copy(&mut self, mailbox: &MailboxRef, uids: &UidSet, to: &MailboxRef, remove: bool) -> OpResult {
        let from = self.resolve(mailbox)?;
        let to = self.resolve(to)?;
        let uids = self.copy_messages(from, uids, to, remove)?;
        Ok(Done::Copied { uid_validity: self.mailbox(to)?.uid_validity, uids })
    }

    /// Copies or moves messages, also into the mailbox that they are in. Gives old and new UIDs.
    pub(super) fn copy_messages(
        &mut self,
        from: MailboxId,
        uids: &UidSet,
        to: MailboxId,
        remove: bool,
    ) -> Result<Vec<(Uid, Uid)>, StoreError> {
        let (rows, more) = self.messages(from, uids, MAX_COPY + 1)?;
        if more.is_some() || rows.len() > MAX_COPY {
            return Err(StoreError::Limit { what: "messages copied or moved at once", limit: MAX_COPY as u64 });
        }
        self.check_uids(to, rows.len())?;
        if !remove {
            // A move frees what it takes, and must be possible to make room.
            self.context.backend.check_room(rows.len() as u64 * ROW_BYTES)?;
        }
        let words = self.translate(from, &rows, to)?;
        let mut pairs = Vec::with_capacity(rows.len());
        let mut gone = UidSet::new();
        for mut row in rows {
            let old = row.uid;
            let (uid, modseq, _) = self.next_uid(to)?;
            if remove {
                self.take_message(from, old);
                self.count(from, &row, false)?;
                gone.insert(old);
            } else {
                self.refer(row.body)?;
            }
            row.flags = words.get(&row.flags.0).copied().unwrap_or(row.flags);
            (row.uid, row.modseq) = (uid, modseq);
            row.save_date = i64::try_from(self.context.now).unwrap_or(i64::MAX);
            self.count(to, &row, true)?;
            self.put_message(to, row);
            pairs.push((old, uid));
        }
        self.bury(from, &gone)?;
        Ok(pairs)
    }

    /// The other mailbox's flag word for each that is used. It learns the keywords that it lacks, or none if there is no
    /// room for all.
    fn translate(
        &mut self,
        from: MailboxId,
        rows: &[MessageRow],
        to: MailboxId,
    ) -> Result<HashMap<u64, Flags>, StoreError> {
        let before = self.mailbox(to)?.clone();
        let mut words = HashMap::new();
        for row in rows {
            if words.contains_key(&row.flags.0) {
                continue;
            }
            let names = self.flag_names(from, row.flags);
            match self.flag_word(to, &names, true) {
                Ok(word) => words.insert(row.flags.0, word),
                Err(error) => {
                    *self.mailbox_mut(to)? = before;
                    return Err(error);
                }
            };
        }
        Ok(words)
    }
}
