//! Keys and rows as bytes: the store's format, in this one file.
//!
//! Keys are big-endian, so that they sort by number. Inside an account's partition:
//!
//! | key | row |
//! |---|---|
//! | `H` | format, next mailbox number, last UIDVALIDITY, messages and bytes used |
//! | `B mailbox` | what [`MailboxRow`] has; without `recent_from` at its end in format 1 |
//! | `S name` | nothing: the account subscribed to that name; not in format 1, which knew INBOX's subscription only |
//! | `X mailbox` | nothing: the mailbox is deleted, and its rows `M` and `Q` are being removed; not in format 1 |
//! | `N parent name` | mailbox |
//! | `M mailbox uid` | modseq, flags, size, dates, body, digest, thread |
//! | `Q mailbox modseq` | UIDs expunged by that change |
//! | `E body` | a summary of the body, opaque here; none for bodies that format 1 stored |
//! | `R body` | references to a body in this account; one if there is no row, none if it waits for collection |
//! | `G time body` | the account's last reference went away at that time |
//! | `D time delivery mailbox` | UIDVALIDITY and UID that a delivery got |
//!
//! In the store's own partition, whose name is empty: `O body account`, an account that refers to a body; written for
//! bodies that more than one account has, or that are stored apart from the rows.
//!
//! An account in format 1 is read as it is, and becomes one of format 2 with the first commit to it.
//!
//! A row that doesn't decode is [`BackendError::Corrupt`]; every length is checked against the row's.

use crate::error::BackendError;
use crate::types::{BodyId, DateTime, DeliveryId, Flags, MailboxId, MailboxRow, MessageRow, ModSeq};
use crate::uidset::{Uid, UidSet};

/// Version of the rows in a partition.
pub const FORMAT: u8 = 2;
/// The oldest version that can be read.
const OLDEST_FORMAT: u8 = 1;

/// Row `H`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub format: u8,
    pub next_mailbox: MailboxId,
    pub last_uid_validity: u32,
    pub messages: u64,
    pub bytes: u64,
}

/// Key of the header.
pub(crate) const HEADER: &[u8] = b"H";

/// All keys with this first byte: from the first of the two to before the second.
pub(crate) fn all(tag: u8) -> ([u8; 1], [u8; 1]) {
    ([tag], [tag + 1])
}

pub(crate) fn mailbox_key(mailbox: MailboxId) -> Vec<u8> {
    Key::new(b'B').u32(mailbox).done()
}

pub(crate) fn name_key(parent: MailboxId, name: &str) -> Vec<u8> {
    Key::new(b'N').u32(parent).bytes(name.as_bytes()).done()
}

pub(crate) fn message_key(mailbox: MailboxId, uid: Uid) -> Vec<u8> {
    Key::new(b'M').u32(mailbox).u32(uid).done()
}

/// The key after the last that `message_key(mailbox, ..=last)` makes.
pub(crate) fn message_end(mailbox: MailboxId, last: Uid) -> Vec<u8> {
    Key::new(b'M').u32(mailbox).u32(last).bytes(&[0]).done()
}

pub(crate) fn tombstone_key(mailbox: MailboxId, modseq: ModSeq) -> Vec<u8> {
    Key::new(b'Q').u32(mailbox).u64(modseq).done()
}

pub(crate) fn subscription_key(name: &str) -> Vec<u8> {
    Key::new(b'S').bytes(name.as_bytes()).done()
}

pub(crate) fn doomed_key(mailbox: MailboxId) -> Vec<u8> {
    Key::new(b'X').u32(mailbox).done()
}

pub(crate) fn summary_key(body: BodyId) -> Vec<u8> {
    Key::new(b'E').u64(body.0).done()
}

pub(crate) fn references_key(body: BodyId) -> Vec<u8> {
    Key::new(b'R').u64(body.0).done()
}

pub(crate) fn garbage_key(time: u64, body: BodyId) -> Vec<u8> {
    Key::new(b'G').u64(time).u64(body.0).done()
}

/// The key before all that `garbage_key(time.., _)` makes.
pub(crate) fn garbage_from(time: u64) -> Vec<u8> {
    Key::new(b'G').u64(time).done()
}

pub(crate) fn delivery_key(time: u64, delivery: DeliveryId, mailbox: MailboxId) -> Vec<u8> {
    Key::new(b'D').u64(time).bytes(&delivery.0).u32(mailbox).done()
}

pub(crate) fn owner_key(body: BodyId, account: &str) -> Vec<u8> {
    Key::new(b'O').u64(body.0).bytes(account.as_bytes()).done()
}

/// All keys that `owner_key(body, _)` makes: from the first to before the second.
pub(crate) fn owners(body: BodyId) -> (Vec<u8>, Vec<u8>) {
    let after = match body.0.checked_add(1) {
        Some(next) => Key::new(b'O').u64(next),
        // Body numbers come from rows too: even the last one must not stop the reader.
        None => Key::new(b'O' + 1),
    };
    (Key::new(b'O').u64(body.0).done(), after.done())
}

pub(crate) fn read_message_key(key: &[u8]) -> Result<(MailboxId, Uid), BackendError> {
    let mut row = Row::new("a message's key", key);
    row.tag(b'M')?;
    let read = (row.u32()?, row.u32()?);
    row.end(read)
}

pub(crate) fn read_mailbox_key(key: &[u8]) -> Result<MailboxId, BackendError> {
    let mut row = Row::new("a mailbox's key", key);
    row.tag(b'B')?;
    let read = row.u32()?;
    row.end(read)
}

pub(crate) fn read_subscription_key(key: &[u8]) -> Result<String, BackendError> {
    let mut row = Row::new("a subscription's key", key);
    row.tag(b'S')?;
    let read = row.text(row.rest.len())?;
    row.end(read)
}

pub(crate) fn read_doomed_key(key: &[u8]) -> Result<MailboxId, BackendError> {
    let mut row = Row::new("a deleted mailbox's key", key);
    row.tag(b'X')?;
    let read = row.u32()?;
    row.end(read)
}

pub(crate) fn read_tombstone_key(key: &[u8]) -> Result<(MailboxId, ModSeq), BackendError> {
    let mut row = Row::new("an expunge's key", key);
    row.tag(b'Q')?;
    let read = (row.u32()?, row.u64()?);
    row.end(read)
}

pub(crate) fn read_garbage_key(key: &[u8]) -> Result<(u64, BodyId), BackendError> {
    let mut row = Row::new("a collection's key", key);
    row.tag(b'G')?;
    let read = (row.u64()?, BodyId(row.u64()?));
    row.end(read)
}

pub(crate) fn read_delivery_key(key: &[u8]) -> Result<(u64, DeliveryId, MailboxId), BackendError> {
    let mut row = Row::new("a delivery's key", key);
    row.tag(b'D')?;
    let read = (row.u64()?, DeliveryId(row.array()?), row.u32()?);
    row.end(read)
}

pub(crate) fn write_header(header: &Header) -> Vec<u8> {
    Key::new(header.format)
        .u32(header.next_mailbox)
        .u32(header.last_uid_validity)
        .u64(header.messages)
        .u64(header.bytes)
        .done()
}

pub(crate) fn read_header(bytes: &[u8]) -> Result<Header, BackendError> {
    let mut row = Row::new("an account's header", bytes);
    let format = row.u8()?;
    if !(OLDEST_FORMAT..=FORMAT).contains(&format) {
        return Err(BackendError::Schema(format!(
            "an account is stored in format {format}, this program knows {OLDEST_FORMAT} to {FORMAT}; use the version that wrote it, or a newer one"
        )));
    }
    let header = Header {
        format,
        next_mailbox: row.u32()?,
        last_uid_validity: row.u32()?,
        messages: row.u64()?,
        bytes: row.u64()?,
    };
    row.end(header)
}

pub(crate) fn write_mailbox(m: &MailboxRow) -> Vec<u8> {
    let mut key = Key(Vec::with_capacity(80 + m.name.len()))
        .u32(m.parent)
        .u32(m.uid_validity)
        .u32(m.uid_next)
        .u64(m.highest_modseq)
        .u64(m.vanished_floor)
        .u32(m.messages)
        .u32(m.unseen)
        .u32(m.deleted)
        .u64(m.bytes)
        .u32(m.tombstones)
        // The second octet said in format 1 whether INBOX is subscribed.
        .bytes(&[m.special_use, 0])
        .text(&m.name)
        .bytes(&[m.keywords.len() as u8]);
    for keyword in &m.keywords {
        key = key.text(keyword);
    }
    key.u32(m.recent_from).done()
}

pub(crate) fn read_mailbox(id: MailboxId, bytes: &[u8]) -> Result<MailboxRow, BackendError> {
    let mut row = Row::new("a mailbox", bytes);
    let mut mailbox = MailboxRow {
        id,
        parent: row.u32()?,
        uid_validity: row.u32()?,
        uid_next: row.u32()?,
        highest_modseq: row.u64()?,
        vanished_floor: row.u64()?,
        messages: row.u32()?,
        unseen: row.u32()?,
        deleted: row.u32()?,
        bytes: row.u64()?,
        tombstones: row.u32()?,
        special_use: row.u8()?,
        name: {
            row.u8()?;
            row.short_text()?
        },
        keywords: Vec::new(),
        // In format 1 nobody was told of anything.
        recent_from: 1,
    };
    for _ in 0..row.u8()? {
        mailbox.keywords.push(row.short_text()?);
    }
    if !row.rest.is_empty() {
        mailbox.recent_from = row.u32()?;
    }
    row.end(mailbox)
}

pub(crate) fn write_message(m: &MessageRow) -> Vec<u8> {
    Key(Vec::with_capacity(62))
        .u64(m.modseq)
        .u64(m.flags.0)
        .u32(m.size)
        .u64(m.internal_date.milliseconds as u64)
        .bytes(&m.internal_date.offset.to_be_bytes())
        .u64(m.save_date as u64)
        .u64(m.body.0)
        .u64(m.digest)
        .u64(m.thread)
        .done()
}

pub(crate) fn read_message(uid: Uid, bytes: &[u8]) -> Result<MessageRow, BackendError> {
    let mut row = Row::new("a message", bytes);
    let message = MessageRow {
        uid,
        modseq: row.u64()?,
        flags: Flags(row.u64()?),
        size: row.u32()?,
        internal_date: DateTime { milliseconds: row.u64()? as i64, offset: i16::from_be_bytes(row.array()?) },
        save_date: row.u64()? as i64,
        body: BodyId(row.u64()?),
        digest: row.u64()?,
        thread: row.u64()?,
    };
    row.end(message)
}

pub(crate) fn write_uids(uids: &UidSet) -> Vec<u8> {
    uids.ranges().iter().fold(Key(Vec::with_capacity(uids.ranges().len() * 8)), |key, r| key.u32(r.0).u32(r.1)).done()
}

pub(crate) fn read_uids(bytes: &[u8]) -> Result<UidSet, BackendError> {
    let mut row = Row::new("an expunge", bytes);
    if bytes.len() / 8 > UidSet::MAX_RANGES {
        return Err(row.bad("too many ranges"));
    }
    let mut uids = UidSet::new();
    while !row.rest.is_empty() {
        uids.insert_range(row.u32()?, row.u32()?);
    }
    Ok(uids)
}

/// For rows with one number (`N`, `R`).
pub(crate) fn read_u32(what: &'static str, bytes: &[u8]) -> Result<u32, BackendError> {
    let mut row = Row::new(what, bytes);
    let number = row.u32()?;
    row.end(number)
}

/// For rows with two numbers (`D`).
pub(crate) fn read_pair(what: &'static str, bytes: &[u8]) -> Result<(u32, u32), BackendError> {
    let mut row = Row::new(what, bytes);
    let pair = (row.u32()?, row.u32()?);
    row.end(pair)
}

pub(crate) fn write_pair(a: u32, b: u32) -> Vec<u8> {
    Key(Vec::with_capacity(8)).u32(a).u32(b).done()
}

/// Builds keys and rows.
struct Key(Vec<u8>);

impl Key {
    fn new(tag: u8) -> Self {
        Key(vec![tag])
    }
    fn u32(self, n: u32) -> Self {
        self.bytes(&n.to_be_bytes())
    }
    fn u64(self, n: u64) -> Self {
        self.bytes(&n.to_be_bytes())
    }
    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }
    /// A text with its length in front; `limits` keeps names and keywords far below what two bytes count.
    fn text(self, text: &str) -> Self {
        debug_assert!(text.len() <= usize::from(u16::MAX));
        self.bytes(&(text.len() as u16).to_be_bytes()).bytes(text.as_bytes())
    }
    fn done(self) -> Vec<u8> {
        self.0
    }
}

/// Takes keys and rows apart.
struct Row<'a> {
    what: &'static str,
    rest: &'a [u8],
}

impl<'a> Row<'a> {
    fn new(what: &'static str, rest: &'a [u8]) -> Self {
        Row { what, rest }
    }
    fn bad(&self, detail: &str) -> BackendError {
        BackendError::corrupt(self.what, detail)
    }
    fn take(&mut self, n: usize) -> Result<&'a [u8], BackendError> {
        let Some((taken, rest)) = self.rest.split_at_checked(n) else {
            return Err(self.bad("it is too short"));
        };
        self.rest = rest;
        Ok(taken)
    }
    fn array<const N: usize>(&mut self) -> Result<[u8; N], BackendError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }
    fn u8(&mut self) -> Result<u8, BackendError> {
        Ok(self.array::<1>()?[0])
    }
    fn u32(&mut self) -> Result<u32, BackendError> {
        Ok(u32::from_be_bytes(self.array()?))
    }
    fn u64(&mut self) -> Result<u64, BackendError> {
        Ok(u64::from_be_bytes(self.array()?))
    }
    fn text(&mut self, len: usize) -> Result<String, BackendError> {
        let bytes = self.take(len)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| self.bad("a name in it is not UTF-8"))
    }
    fn short_text(&mut self) -> Result<String, BackendError> {
        let len = u16::from_be_bytes(self.array()?);
        self.text(usize::from(len))
    }
    fn tag(&mut self, tag: u8) -> Result<(), BackendError> {
        match self.u8()? == tag {
            true => Ok(()),
            false => Err(self.bad("it is of another kind")),
        }
    }
    fn end<T>(self, value: T) -> Result<T, BackendError> {
        match self.rest.is_empty() {
            true => Ok(value),
            false => Err(self.bad("it is too long")),
        }
    }
}

#[cfg(test)]
#[path = "codec_tests.rs"]
mod tests;
