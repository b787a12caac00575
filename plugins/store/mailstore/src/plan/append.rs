//! Storing messages (RFC 9051 section 6.3.12, and every delivery).

use std::collections::BTreeMap;

use super::Plan;
use crate::codec;
use crate::error::StoreError;
use crate::limits::MAX_OPS_PER_COMMIT;
use crate::types::{Append, Appended, Done, Flags, MailboxId, MessageRow, ModSeq, OpResult};
use crate::uidset::Uid;

impl Plan<'_> {
    /// All or none: whatever can be refused is refused before the first message is stored.
    pub(super) fn append(&mut self, appends: &[Append]) -> OpResult {
        if appends.len() > MAX_OPS_PER_COMMIT {
            let limit = MAX_OPS_PER_COMMIT as u64;
            return Err(StoreError::Limit { what: "messages in one operation", limit });
        }
        let octets = appends.iter().map(|append| u64::from(append.body.size())).sum();
        let mut places = Vec::with_capacity(appends.len());
        for append in appends {
            let mailbox = self.resolve(&append.mailbox)?;
            self.check_uids(mailbox, appends.len())?;
            places.push(mailbox);
        }
        let words = self.words(appends, &places, octets)?;
        let mut done = Vec::with_capacity(appends.len());
        for ((append, mailbox), flags) in appends.iter().zip(places).zip(words) {
            let before = self.delivered_before(append, mailbox)?;
            done.push(match before {
                Some((uid_validity, uid)) => Appended { mailbox, uid_validity, uid, duplicate: true },
                None => self.append_one(append, mailbox, flags)?,
            });
        }
        Ok(Done::Appended(done))
    }

    /// The flag words of messages to be appended. Mailboxes learn the keywords that they lack, or none does.
    fn words(&mut self, appends: &[Append], places: &[MailboxId], octets: u64) -> Result<Vec<Flags>, StoreError> {
        let mut before = BTreeMap::new();
        for id in places {
            before.insert(*id, self.mailbox(*id)?.clone());
        }
        let mut room_checked = false;
        let mut word = |append: &Append, mailbox: MailboxId| -> Result<Flags, StoreError> {
            // A repeated delivery needs no room.
            if !room_checked && self.delivered_before(append, mailbox)?.is_none() {
                self.context.backend.check_room(octets)?;
                room_checked = true;
            }
            self.flag_word(mailbox, &append.flags, true)
        };
        let words: Result<_, StoreError> =
            appends.iter().zip(places).map(|(append, mailbox)| word(append, *mailbox)).collect();
        if words.is_err() {
            self.account.mailboxes.append(&mut before);
        }
        words
    }

    fn append_one(&mut self, append: &Append, mailbox: MailboxId, flags: Flags) -> Result<Appended, StoreError> {
        let (uid, modseq, uid_validity) = self.next_uid(mailbox)?;
        let row = MessageRow {
            uid,
            modseq,
            flags,
            size: append.body.size(),
            internal_date: append.internal_date,
            save_date: i64::try_from(self.context.now).unwrap_or(i64::MAX),
            body: append.body.id(),
            digest: append.body.digest(),
            thread: 0,
        };
        self.count(mailbox, &row, true)?;
        self.put_message(mailbox, row);
        self.adopt(&append.body)?;
        if let Some(delivery) = append.delivery {
            let now = self.context.now;
            let row = codec::write_pair(uid_validity, uid);
            self.write(codec::delivery_key(now, delivery, mailbox), Some(row));
            self.account.deliveries.add(now, delivery, mailbox);
            // Two for one, so that the number falls if it is too high.
            for _ in 0..2 {
                if let Some(key) = self.account.deliveries.forget(now) {
                    self.write(key, None);
                }
            }
        }
        Ok(Appended { mailbox, uid_validity, uid, duplicate: false })
    }

    fn delivered_before(&self, append: &Append, mailbox: MailboxId) -> Result<Option<(u32, Uid)>, StoreError> {
        let Some(delivery) = append.delivery else {
            return Ok(None);
        };
        let Some(time) = self.account.deliveries.time_of(delivery, mailbox) else {
            return Ok(None);
        };
        let row = self.get(&codec::delivery_key(time, delivery, mailbox))?;
        Ok(row.map(|row| codec::read_pair("a delivery", &row)).transpose()?)
    }

    /// Whether a mailbox has that many UIDs left.
    pub(super) fn check_uids(&self, mailbox: MailboxId, count: usize) -> Result<(), StoreError> {
        match count as u64 > u64::from(Uid::MAX - self.mailbox(mailbox)?.uid_next) {
            true => Err(StoreError::Limit { what: "UIDs in a mailbox", limit: u64::from(Uid::MAX) - 1 }),
            false => Ok(()),
        }
    }

    /// Takes the next UID and modification sequence of a mailbox, after [`Plan::check_uids`]; also gives its
    /// UIDVALIDITY.
    pub(super) fn next_uid(&mut self, id: MailboxId) -> Result<(Uid, ModSeq, u32), StoreError> {
        let mailbox = self.mailbox_mut(id)?;
        let uid = mailbox.uid_next;
        mailbox.uid_next = uid.saturating_add(1);
        mailbox.highest_modseq += 1;
        Ok((uid, mailbox.highest_modseq, mailbox.uid_validity))
    }
}
