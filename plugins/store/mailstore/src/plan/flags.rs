//! Changing flags (RFC 9051 section 6.4.6, RFC 7162 section 3.1.3).

use super::Plan;
use crate::limits::MAX_ROWS_PER_OP;
use crate::types::{Changed, Done, FlagChange, FlagNames, Flags, MailboxRef, ModSeq, OpResult};
use crate::uidset::UidSet;

impl Plan<'_> {
    pub(super) fn store_flags(
        &mut self,
        mailbox: &MailboxRef,
        uids: &UidSet,
        change: FlagChange,
        names: &FlagNames,
        unchanged_since: Option<ModSeq>,
    ) -> OpResult {
        let id = self.resolve(mailbox)?;
        let named = self.flag_word(id, names, change != FlagChange::Remove)?;
        let (rows, next) = self.messages(id, uids, MAX_ROWS_PER_OP)?;
        let modseq = self.mailbox(id)?.highest_modseq + 1;
        let (mut changed, mut refused) = (Vec::new(), UidSet::new());
        for mut row in rows {
            if unchanged_since.is_some_and(|since| row.modseq > since) {
                refused.insert(row.uid);
                continue;
            }
            let flags = Flags(match change {
                FlagChange::Add => row.flags.0 | named.0,
                FlagChange::Remove => row.flags.0 & !named.0,
                FlagChange::Replace => named.0,
            });
            if flags == row.flags {
                continue;
            }
            self.recount(id, row.flags, flags)?;
            (row.flags, row.modseq) = (flags, modseq);
            changed.push(Changed { uid: row.uid, flags, modseq });
            self.put_message(id, row);
        }
        if !changed.is_empty() {
            self.mailbox_mut(id)?.highest_modseq = modseq;
        }
        Ok(Done::Flagged { changed, refused, next })
    }

    fn recount(&mut self, id: u32, old: Flags, new: Flags) -> Result<(), crate::error::StoreError> {
        let mailbox = self.mailbox_mut(id)?;
        let step = |count: u32, was: bool, is: bool| match (was, is) {
            (false, true) => count.saturating_add(1),
            (true, false) => count.saturating_sub(1),
            _ => count,
        };
        mailbox.unseen = step(mailbox.unseen, !old.has(Flags::SEEN), !new.has(Flags::SEEN));
        mailbox.deleted = step(mailbox.deleted, old.has(Flags::DELETED), new.has(Flags::DELETED));
        Ok(())
    }
}
