//! The words of the store: mailboxes, messages, operations and what comes back from them.

use crate::body::Body;
use crate::error::StoreError;
use crate::uidset::{Uid, UidSet};

/// A mailbox's number in its account; never reused, kept over a rename.
pub type MailboxId = u32;
/// A modification sequence; grows strictly in each mailbox (RFC 7162).
pub type ModSeq = u64;

/// The number of a stored body. Ascends with time; 63 bits, never 0, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BodyId(pub u64);

impl BodyId {
    /// The number's low bits count; the rest is the time in milliseconds.
    pub(crate) const COUNTER_BITS: u32 = 22;

    /// When the body was begun, in seconds since 1970.
    pub(crate) fn seconds(self) -> u64 {
        (self.0 >> Self::COUNTER_BITS) / 1000
    }
}

/// Names one delivery, so that repeating it stores nothing twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeliveryId(pub [u8; 16]);

/// A message's flags as one word: system flags in the low byte, the mailbox's keywords above.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flags(pub u64);

impl Flags {
    /// `\Seen`
    pub const SEEN: Flags = Flags(1);
    /// `\Answered`
    pub const ANSWERED: Flags = Flags(2);
    /// `\Flagged`
    pub const FLAGGED: Flags = Flags(4);
    /// `\Deleted`
    pub const DELETED: Flags = Flags(8);
    /// `\Draft`
    pub const DRAFT: Flags = Flags(16);
    /// All system flags.
    pub const SYSTEM: Flags = Flags(31);
    /// The bit of the mailbox's first keyword.
    pub const FIRST_KEYWORD: u32 = 8;

    /// Whether all of `other` are set.
    pub fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Flags as a client names them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlagNames {
    /// System flags; other bits are ignored.
    pub system: Flags,
    /// Keywords, compared without regard to ASCII case.
    pub keywords: Vec<String>,
}

impl From<Flags> for FlagNames {
    fn from(system: Flags) -> Self {
        FlagNames { system, keywords: Vec::new() }
    }
}

/// A point in time with the offset from UTC that its writer used (RFC 9051 section 2.3.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DateTime {
    /// Milliseconds since 1970 in UTC.
    pub milliseconds: i64,
    /// Offset from UTC in minutes.
    pub offset: i16,
}

/// What a listing tells about a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRow {
    /// Number in its mailbox.
    pub uid: Uid,
    /// When it was changed last.
    pub modseq: ModSeq,
    /// Its flags; keywords by their place in [`MailboxRow::keywords`].
    pub flags: Flags,
    /// Bytes of the body.
    pub size: u32,
    /// When it arrived, or what the client that appended it said.
    pub internal_date: DateTime,
    /// When it came into this mailbox, in seconds since 1970 (RFC 8514).
    pub save_date: i64,
    /// Its body.
    pub body: BodyId,
    /// XXH3-64 of the body, to notice damage.
    pub digest: u64,
    /// The conversation it belongs to (RFC 8474 THREADID); 0 if not known.
    pub thread: u64,
}

/// What is known about a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxRow {
    /// Its number.
    pub id: MailboxId,
    /// The mailbox above, 0 if none.
    pub parent: MailboxId,
    /// The last part of its name.
    pub name: String,
    /// Grows when UIDs start over.
    pub uid_validity: u32,
    /// The UID that the next message gets.
    pub uid_next: Uid,
    /// The highest modification sequence given so far.
    pub highest_modseq: ModSeq,
    /// Expunges up to here may have been forgotten (RFC 7162 section 3.2.5).
    pub vanished_floor: ModSeq,
    /// Messages.
    pub messages: u32,
    /// Messages without `\Seen`.
    pub unseen: u32,
    /// Messages with `\Deleted`.
    pub deleted: u32,
    /// Bytes of all bodies.
    pub bytes: u64,
    /// Expunges remembered.
    pub tombstones: u32,
    /// Special use (RFC 6154) as bits that mean nothing here; 0 for none.
    pub special_use: u8,
    /// The keywords used in it; the nth has bit `Flags::FIRST_KEYWORD + n`. It only ever grows at its end.
    pub keywords: Vec<String>,
    /// The first UID of which no session was told that it is recent (RFC 3501 section 2.3.2).
    pub recent_from: Uid,
}

/// A mailbox with its whole name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The whole name, parts separated by [`crate::SEPARATOR`].
    pub name: String,
    /// The rest.
    pub row: MailboxRow,
    /// Whether the account subscribed to its name.
    pub subscribed: bool,
}

/// What an account uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Messages in all mailboxes.
    pub messages: u64,
    /// Bytes of them; one that is in two mailboxes counts twice.
    pub bytes: u64,
}

/// Says which mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailboxRef {
    /// By number.
    Id(MailboxId),
    /// By whole name.
    Name(String),
}

impl From<&str> for MailboxRef {
    fn from(name: &str) -> Self {
        MailboxRef::Name(name.to_owned())
    }
}

/// What to do with the flags that are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlagChange {
    /// Set them.
    Add,
    /// Clear them.
    Remove,
    /// Set them and clear all others.
    Replace,
}

/// A message to store.
#[derive(Debug, Clone)]
pub struct Append {
    /// Where.
    pub mailbox: MailboxRef,
    /// The body, sealed.
    pub body: Body,
    /// Flags to begin with.
    pub flags: FlagNames,
    /// When it arrived.
    pub internal_date: DateTime,
    /// If this delivery reached this mailbox before, nothing is stored and the same UID comes back.
    pub delivery: Option<DeliveryId>,
}

/// A change to an account.
#[derive(Debug, Clone)]
pub enum MailOp {
    /// Store messages, all or none.
    Append(Vec<Append>),
    /// Change flags.
    StoreFlags {
        /// Where.
        mailbox: MailboxRef,
        /// Of which messages.
        uids: UidSet,
        /// How.
        change: FlagChange,
        /// Which flags.
        flags: FlagNames,
        /// Leave messages alone that were changed after this (RFC 7162 UNCHANGEDSINCE).
        unchanged_since: Option<ModSeq>,
    },
    /// Remove messages.
    Expunge {
        /// Where.
        mailbox: MailboxRef,
        /// Which.
        uids: UidSet,
        /// Only those with `\Deleted`.
        only_deleted: bool,
    },
    /// Put messages into another mailbox too, or there instead: all of them or none, at most
    /// [`crate::limits::MAX_COPY`].
    Copy {
        /// From where.
        mailbox: MailboxRef,
        /// Which.
        uids: UidSet,
        /// To where.
        to: MailboxRef,
        /// Remove them here.
        remove: bool,
    },
    /// Make a mailbox, and those above it that are missing.
    CreateMailbox {
        /// Whole name.
        name: String,
        /// What it is for ([`MailboxRow::special_use`]); those above it are for nothing special.
        special_use: u8,
    },
    /// Delete a mailbox with all its messages. Not INBOX, and not one with others below it.
    DeleteMailbox {
        /// Whole name.
        name: String,
    },
    /// Rename a mailbox with those below it, and make those above the new name that are missing. INBOX stays: its
    /// messages move to the new mailbox.
    RenameMailbox {
        /// Whole name.
        name: String,
        /// New whole name.
        to: String,
    },
    /// Subscribe to a name or end that, whether there is such a mailbox or not.
    Subscribe {
        /// Whole name.
        name: String,
        /// Which of the two.
        subscribed: bool,
    },
    /// Remember that a session was told of recent messages.
    Claim {
        /// Where.
        mailbox: MailboxRef,
        /// The first UID that is left for others; what is less than before changes nothing.
        recent_from: Uid,
    },
}

/// Flags of a message after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    /// Which message.
    pub uid: Uid,
    /// Its flags now.
    pub flags: Flags,
    /// Its modification sequence now.
    pub modseq: ModSeq,
}

/// Where an appended message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Its mailbox.
    pub mailbox: MailboxId,
    /// That mailbox's UIDVALIDITY.
    pub uid_validity: u32,
    /// Its number.
    pub uid: Uid,
    /// Whether an earlier commit of the same delivery had stored it.
    pub duplicate: bool,
}

/// What a successful operation did. It is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// Of [`MailOp::Append`].
    Appended(Vec<Appended>),
    /// Of [`MailOp::StoreFlags`].
    Flagged {
        /// Messages whose flags are different now.
        changed: Vec<Changed>,
        /// Messages left alone because of `unchanged_since`.
        refused: UidSet,
        /// Not all was done ([`crate::limits::MAX_ROWS_PER_OP`]): go on from this UID.
        next: Option<Uid>,
    },
    /// Of [`MailOp::Expunge`].
    Expunged {
        /// Messages removed.
        uids: UidSet,
        /// The mailbox's modification sequence now.
        modseq: ModSeq,
        /// Not all was done: go on from this UID.
        next: Option<Uid>,
    },
    /// Of [`MailOp::Copy`].
    Copied {
        /// UIDVALIDITY of the target.
        uid_validity: u32,
        /// Old and new UIDs, in ascending order.
        uids: Vec<(Uid, Uid)>,
    },
    /// Of [`MailOp::CreateMailbox`].
    Created {
        /// The new mailbox.
        mailbox: MailboxId,
    },
    /// Of [`MailOp::DeleteMailbox`].
    Deleted {
        /// The mailbox that is no more.
        mailbox: MailboxId,
    },
    /// Of [`MailOp::RenameMailbox`].
    Renamed {
        /// The mailbox that has the new name now: the same one, or the new one that took INBOX's messages.
        mailbox: MailboxId,
    },
    /// Of [`MailOp::Subscribe`].
    Subscribed,
    /// Of [`MailOp::Claim`].
    Claimed,
}

/// What became of one operation.
pub type OpResult = Result<Done, StoreError>;
