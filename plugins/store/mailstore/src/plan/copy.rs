//! Copying and moving messages (RFC 9051 sections 6.4.7 and 6.4.8): rows only, bodies are shared.

use super::Plan;
use crate::codec;
use crate::types::{Done, MailboxRef, OpResult};
use crate::uidset::UidSet;

impl Plan<'_> {
    pub(super) fn copy(&mut self, mailbox: &MailboxRef, uids: &UidSet, to: &MailboxRef, remove: bool) -> OpResult {
        let from = self.resolve(mailbox)?;
        let to = self.resolve(to)?;
        let (rows, next) = self.messages(from, uids)?;
        self.check_uids(to, rows.len())?;
        // All keywords first: if there is no room for one, nothing has been copied.
        let mut flags = Vec::with_capacity(rows.len());
        for row in &rows {
            let names = self.flag_names(from, row.flags);
            flags.push(self.flag_word(to, &names, true)?);
        }
        let mut pairs = Vec::with_capacity(rows.len());
        let mut gone = UidSet::new();
        for (mut row, flags) in rows.into_iter().zip(flags) {
            let old = row.uid;
            let (uid, modseq, _) = self.next_uid(to)?;
            if remove {
                self.write(codec::message_key(from, old), None);
                self.count(from, &row, false)?;
                gone.insert(old);
            } else {
                self.refer(row.body)?;
            }
            (row.uid, row.modseq, row.flags) = (uid, modseq, flags);
            row.save_date = i64::try_from(self.context.now).unwrap_or(i64::MAX);
            self.write(codec::message_key(to, uid), Some(codec::write_message(&row)));
            self.count(to, &row, true)?;
            pairs.push((old, uid));
        }
        self.bury(from, &gone)?;
        let uid_validity = self.mailbox(to)?.uid_validity;
        Ok(Done::Copied { uid_validity, uids: pairs, next })
    }
}
