//! What the store tells. Questions go to the back end directly, past the committer, each to one snapshot.

use std::collections::BTreeSet;

use crate::account::read_mailboxes;
use crate::backend::{Piece, PieceVisitor};
use crate::codec::{self, FORMAT};
use crate::error::{BackendError, StoreError};
use crate::limits::{MAX_DEPTH, MAX_LIST, MAX_READ, MAX_SUBSCRIPTIONS, MAX_SUMMARIES_BYTES, MAX_TOMBSTONES};
use crate::names::{self, check_account};
use crate::store::Store;
use crate::types::{BodyId, Mailbox, MailboxId, MailboxRow, MessageRow, ModSeq, Usage};
use crate::uidset::{Uid, UidSet};

/// A part of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Messages, by ascending UID.
    pub rows: Vec<MessageRow>,
    /// Where to go on; nothing if this was all.
    pub next: Option<Uid>,
}

/// Expunges since some point (RFC 7162 section 3.2.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Vanished {
    /// These messages are gone.
    Uids(UidSet),
    /// That is too long ago: the client must compare all UIDs.
    Unknown,
}

impl Store {
    /// All mailboxes of an account, by name. INBOX is always there; for a new account this waits for a commit.
    pub fn mailboxes(&self, account: &str) -> Result<Vec<Mailbox>, StoreError> {
        let subscriptions: BTreeSet<String> = self.subscriptions(account)?.into_iter().collect();
        let rows = read_mailboxes(&*self.inner.backend, account)?;
        let mut mailboxes = Vec::with_capacity(rows.len());
        for row in rows.values() {
            let mut parts = vec![row.name.as_str()];
            let mut parent = row.parent;
            while parent != 0 && parts.len() <= MAX_DEPTH {
                let above = rows.get(&parent).ok_or_else(|| {
                    BackendError::corrupt(
                        format!("mailbox {} of {account}", row.id),
                        format!("there is no {parent} above it"),
                    )
                })?;
                parts.push(&above.name);
                parent = above.parent;
            }
            parts.reverse();
            let name = names::join(&parts);
            let subscribed = subscriptions.contains(&name);
            mailboxes.push(Mailbox { name, row: row.clone(), subscribed });
        }
        mailboxes.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(mailboxes)
    }

    /// All names that an account subscribed to, by name; there need not be such mailboxes. For a new account this waits
    /// for a commit.
    pub fn subscriptions(&self, account: &str) -> Result<Vec<String>, StoreError> {
        self.prepare(account)?;
        let (from, to) = codec::all(b'S');
        let mut subscribed = Vec::new();
        // Rows of more would have been written by another program: they are left alone.
        self.inner.backend.scan(account, &from, &to, 2 * MAX_SUBSCRIPTIONS, &mut |key, _| {
            subscribed.push(codec::read_subscription_key(key)?);
            Ok(())
        })?;
        Ok(subscribed)
    }

    /// Makes sure that an account is there, in the present format.
    fn prepare(&self, account: &str) -> Result<(), StoreError> {
        check_account(account)?;
        let header = self.inner.backend.get(account, codec::HEADER)?;
        let format = header.map(|row| codec::read_header(&row)).transpose()?.map(|header| header.format);
        if format != Some(FORMAT) {
            self.commit(account, Vec::new())?;
        }
        Ok(())
    }

    /// The number of a mailbox. INBOX is always there; for a new account this waits for a commit.
    pub fn find(&self, account: &str, name: &str) -> Result<MailboxId, StoreError> {
        check_account(account)?;
        let parts = names::parts(name)?;
        let mut found = self.look_up(account, &parts)?;
        if found.is_none() {
            // It may be one that a new account shall have.
            self.prepare(account)?;
            found = self.look_up(account, &parts)?;
        }
        found.ok_or_else(|| StoreError::NoSuchMailbox { name: name.to_owned() })
    }

    /// The mailbox of a name, as [`Store::mailboxes`] has it.
    pub fn status(&self, account: &str, name: &str) -> Result<Mailbox, StoreError> {
        self.prepare(account)?;
        let row = self.mailbox(account, self.find(account, name)?)?;
        let name = names::canonical(name)?;
        let subscribed = self.inner.backend.get(account, &codec::subscription_key(&name))?.is_some();
        Ok(Mailbox { name, row, subscribed })
    }

    fn look_up(&self, account: &str, parts: &[&str]) -> Result<Option<MailboxId>, StoreError> {
        let mut mailbox = 0;
        for part in parts {
            match self.inner.backend.get(account, &codec::name_key(mailbox, part))? {
                Some(row) => mailbox = codec::read_u32("a mailbox's name", &row)?,
                None => return Ok(None),
            }
        }
        Ok(Some(mailbox))
    }

    /// One mailbox by number.
    pub fn mailbox(&self, account: &str, mailbox: MailboxId) -> Result<MailboxRow, StoreError> {
        check_account(account)?;
        match self.inner.backend.get(account, &codec::mailbox_key(mailbox))? {
            Some(row) => Ok(codec::read_mailbox(mailbox, &row)?),
            None => Err(StoreError::NoSuchMailbox { name: format!("number {mailbox}") }),
        }
    }

    /// How many messages of a mailbox are recent: what no session was told of ([`MailboxRow::recent_from`]).
    /// Claims that are only in memory count.
    pub fn recent(&self, account: &str, mailbox: &MailboxRow) -> Result<u32, StoreError> {
        check_account(account)?;
        let claimed = self.inner.views.recent_from(account, mailbox.id).unwrap_or(0);
        let recent_from = mailbox.recent_from.max(claimed);
        if recent_from <= 1 || recent_from >= mailbox.uid_next {
            return Ok(if recent_from <= 1 { mailbox.messages } else { 0 });
        }
        let mut recent = 0u32;
        let from = codec::message_key(mailbox.id, recent_from);
        let to = codec::message_end(mailbox.id, Uid::MAX);
        self.inner.backend.scan(account, &from, &to, mailbox.messages as usize, &mut |_, _| {
            recent = recent.saturating_add(1);
            Ok(())
        })?;
        Ok(recent)
    }

    /// Messages with UIDs from `first` to `last`, ascending, at most `limit` and [`MAX_LIST`] of them; [`Listing::next`]
    /// says where to go on. With `changed_since`, only those changed after it are returned, but all count.
    pub fn list(
        &self,
        account: &str,
        mailbox: MailboxId,
        first: Uid,
        last: Uid,
        changed_since: Option<ModSeq>,
        limit: usize,
    ) -> Result<Listing, StoreError> {
        check_account(account)?;
        let limit = limit.clamp(1, MAX_LIST);
        let (from, to) = (codec::message_key(mailbox, first), codec::message_end(mailbox, last));
        let (mut rows, mut seen, mut end) = (Vec::new(), 0, first);
        self.inner.backend.scan(account, &from, &to, limit, &mut |key, row| {
            let row = codec::read_message(codec::read_message_key(key)?.1, row)?;
            seen += 1;
            end = row.uid;
            if changed_since.is_none_or(|since| row.modseq > since) {
                rows.push(row);
            }
            Ok(())
        })?;
        // Afterwards: if it is there now it was there all the time, and nothing of it had been removed.
        self.mailbox(account, mailbox)?;
        let next = if seen == limit { end.checked_add(1).filter(|next| *next <= last) } else { None };
        Ok(Listing { rows, next })
    }

    /// Reads up to `len` bytes of a body, and no more than [`MAX_READ`]; nothing at its end.
    pub fn read(&self, body: BodyId, offset: u64, len: usize) -> Result<Vec<u8>, StoreError> {
        let bytes = self.inner.backend.read(body, offset, len.min(MAX_READ))?;
        bytes.ok_or(StoreError::NoSuchBody(body.0))
    }

    /// Reads pieces of several bodies in one go, and hands each to `take` in the order of the question: nothing for a body
    /// that is not there, less than was asked for where the body ends. All pieces are in memory one after the other, not
    /// together.
    pub fn read_many(&self, pieces: &[Piece], take: PieceVisitor<'_>) -> Result<(), StoreError> {
        Ok(self.inner.backend.read_many(pieces, take)?)
    }

    /// The summaries that are kept of an account's bodies, in the order of the question; an empty one means that none is.
    /// There are fewer answers, but one at least, if they would have more than [`MAX_SUMMARIES_BYTES`] or be more than
    /// [`MAX_LIST`].
    pub fn summaries(&self, account: &str, bodies: &[BodyId]) -> Result<Vec<Vec<u8>>, StoreError> {
        check_account(account)?;
        let mut summaries: Vec<Vec<u8>> = Vec::with_capacity(bodies.len().min(MAX_LIST));
        let mut bytes = 0;
        for some in bodies.get(..bodies.len().min(MAX_LIST)).unwrap_or_default().chunks(SUMMARIES_AT_ONCE) {
            let keys: Vec<Vec<u8>> = some.iter().map(|body| codec::summary_key(*body)).collect();
            self.inner.backend.get_many(account, &keys, &mut |summary| {
                let summary = summary.unwrap_or_default();
                bytes += summary.len();
                if bytes <= MAX_SUMMARIES_BYTES || summaries.is_empty() {
                    summaries.push(summary.to_vec());
                }
            })?;
            if bytes > MAX_SUMMARIES_BYTES {
                break;
            }
        }
        Ok(summaries)
    }

    /// Messages expunged after `since`.
    pub fn vanished(&self, account: &str, mailbox: MailboxId, since: ModSeq) -> Result<Vanished, StoreError> {
        check_account(account)?;
        let mut gone = UidSet::new();
        let from = codec::tombstone_key(mailbox, since.saturating_add(1));
        let to = codec::tombstone_key(mailbox, ModSeq::MAX);
        self.inner.backend.scan(account, &from, &to, MAX_TOMBSTONES as usize + 1, &mut |_, row| {
            codec::read_uids(row)?.ranges().iter().for_each(|r| gone.insert_range(r.0, r.1));
            Ok(())
        })?;
        // Afterwards: some may have been forgotten in between.
        match since < self.mailbox(account, mailbox)?.vanished_floor {
            true => Ok(Vanished::Unknown),
            false => Ok(Vanished::Uids(gone)),
        }
    }

    /// What an account uses.
    pub fn usage(&self, account: &str) -> Result<Usage, StoreError> {
        check_account(account)?;
        let Some(row) = self.inner.backend.get(account, codec::HEADER)? else {
            return Ok(Usage::default());
        };
        let header = codec::read_header(&row)?;
        Ok(Usage { messages: header.messages, bytes: header.bytes })
    }
}

/// Summaries that are read between two looks at how many bytes they have.
const SUMMARIES_AT_ONCE: usize = 256;
