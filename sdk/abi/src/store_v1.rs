//! `dovetail.store/1`: mailboxes. What POP3, IMAP and delivery need; a Maildir or a database can implement it.

use crate::{wire_enum, wire_struct, Bytes, CallFailure};

wire_enum! {
    /// What kind of failure it is, so that the caller can answer its peer.
    pub enum StoreErrorCode: unknown Temporary {
        /// An I/O error or an overload: try again later. Nothing was acknowledged.
        Temporary = 1,
        /// The disk is (almost) full.
        Full = 2,
        /// The account's quota would be exceeded.
        OverQuota = 3,
        /// The body is larger than the store takes.
        TooLarge = 4,
        /// No such account, mailbox or message.
        NotFound = 5,
        /// It exists already.
        Exists = 6,
        /// The request makes no sense, such as an empty mailbox name.
        Invalid = 7,
        /// There are mailboxes below it.
        HasChildren = 8,
        /// There are as many mailboxes or keywords as there may be.
        Limit = 9,
        /// The instance that this handle came from has been stopped, and nothing was done: take the store of this moment and
        /// open the mailbox, or begin the body, anew. What was told of the mailbox before holds for the new handle if it has
        /// the same UIDVALIDITY.
        Stopped = 10,
    }
}

wire_struct! {
    /// A store failure.
    #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
    #[error("{message}")]
    pub struct StoreFailure => StoreFailureAbi {
        /// What kind it is.
        pub code: StoreErrorCode,
        /// The text for the log.
        pub message: String,
    }
}

impl From<CallFailure> for StoreFailure {
    fn from(failure: CallFailure) -> Self {
        StoreFailure { code: StoreErrorCode::Temporary, message: failure.to_string() }
    }
}

crate::interface! {
    /// A body that is complete. It is kept while this handle lives, and for good once an append names it.
    pub interface Body, provider BodyProvider, table BodyVt = "dovetail.store.body/1" {
        /// The number that [`Append::body`] takes.
        now fn id() -> Result<u64, StoreFailure>;
        /// Its size in octets.
        now fn size() -> Result<u64, StoreFailure>;
    }
}

crate::interface! {
    /// A body that is being written, bound to no account. Dropping it throws it away. One writer at a time.
    pub interface BodySink, provider BodySinkProvider, table BodySinkVt = "dovetail.store.sink/1" {
        /// Appends bytes. Memory is bounded: the answer waits until they are taken care of.
        later fn write(bytes: Bytes) -> Result<(), StoreFailure>;
        /// Ends the body. It becomes durable at the latest with the append that names it.
        later fn seal() -> Result<Body, StoreFailure>;
    }
}

wire_struct! {
    /// Flags by name: system flags and keywords.
    #[derive(Debug, Clone, PartialEq, Eq, Default)]
    pub struct Flags => FlagsAbi {
        /// The system flags, as bits of [`flag`].
        pub system: u32,
        /// The keywords.
        pub keywords: Vec<String>,
    }
}

/// The bits of [`Flags::system`], and of the flag words in [`MessageColumns::flags`] (RFC 9051 section 2.3.2).
pub mod flag {
    /// `\Seen`
    pub const SEEN: u32 = 1;
    /// `\Answered`
    pub const ANSWERED: u32 = 2;
    /// `\Flagged`
    pub const FLAGGED: u32 = 4;
    /// `\Deleted`
    pub const DELETED: u32 = 8;
    /// `\Draft`
    pub const DRAFT: u32 = 16;
    /// In a flag word, the bit of the mailbox's first keyword; the nth of [`super::MailboxState::keywords`] has bit
    /// `FIRST_KEYWORD + n`.
    pub const FIRST_KEYWORD: u32 = 8;
}

/// The bits of a mailbox's special use (RFC 6154 section 2).
pub mod special_use {
    /// `\All`
    pub const ALL: u32 = 1;
    /// `\Archive`
    pub const ARCHIVE: u32 = 2;
    /// `\Drafts`
    pub const DRAFTS: u32 = 4;
    /// `\Flagged`
    pub const FLAGGED: u32 = 8;
    /// `\Junk`
    pub const JUNK: u32 = 16;
    /// `\Sent`
    pub const SENT: u32 = 32;
    /// `\Trash`
    pub const TRASH: u32 = 64;
}

wire_struct! {
    /// A message to put into a mailbox.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Append => AppendAbi {
        /// The mailbox; `INBOX` always exists.
        pub mailbox: String,
        /// The body, by [`Body::id`].
        pub body: u64,
        /// Its flags.
        pub flags: Flags,
        /// The internal date, milliseconds since 1970-01-01 UTC.
        pub internal_date: i64,
        /// The internal date's offset from UTC, in minutes.
        pub zone: i32,
        /// Makes a delivery idempotent: a second append of the same id to the same account is a success that changes
        /// nothing. Empty: none.
        pub delivery_id: String,
    }
}

wire_struct! {
    /// Where an appended message is.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Appended => AppendedAbi {
        /// The mailbox's UIDVALIDITY.
        pub uid_validity: u32,
        /// The message's UID.
        pub uid: u32,
    }
}

wire_enum! {
    /// How flags change.
    pub enum FlagAction: unknown Add {
        /// These are added.
        Add = 1,
        /// These are removed.
        Remove = 2,
        /// These replace all others.
        Replace = 3,
    }
}

wire_struct! {
    /// UIDs from the first to the last, both included.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct UidRange => UidRangeAbi {
        /// The first; not 0.
        pub first: u32,
        /// The last; not less than the first.
        pub last: u32,
    }
}

wire_struct! {
    /// A change of flags.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct FlagChange => FlagChangeAbi {
        /// The messages, ascending; UIDs that are not there are passed over.
        pub uids: Vec<UidRange>,
        /// How.
        pub action: FlagAction,
        /// Which.
        pub flags: Flags,
        /// Only messages whose MODSEQ is not greater (RFC 7162 section 3.1.3); 0: no condition.
        pub unchanged_since: u64,
    }
}

wire_struct! {
    /// What a change of flags came to.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct FlagsChanged => FlagsChangedAbi {
        /// The MODSEQ that the changed messages got (the last one, if the store changed them in several steps); 0 if none
        /// was changed.
        pub modseq: u64,
        /// Messages that [`FlagChange::unchanged_since`] forbade to change.
        pub refused: Vec<UidRange>,
    }
}

wire_struct! {
    /// What was removed for good.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Expunged => ExpungedAbi {
        /// The messages, ascending.
        pub uids: Vec<UidRange>,
        /// The mailbox's highest MODSEQ, at least after the change.
        pub modseq: u64,
    }
}

wire_struct! {
    /// What was put into another mailbox; the nth of `from` has become the nth of `to`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Copied => CopiedAbi {
        /// The other mailbox's UIDVALIDITY.
        pub uid_validity: u32,
        /// The UIDs here, ascending.
        pub from: Vec<UidRange>,
        /// The UIDs there, ascending.
        pub to: Vec<UidRange>,
    }
}

wire_struct! {
    /// A mailbox, or a name that is subscribed to without one.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct MailboxEntry => MailboxEntryAbi {
        /// Its name, levels divided by `/`. `INBOX` in capitals.
        pub name: String,
        /// Its number in the account: never reused, kept over a rename. 0: there is no such mailbox, only a subscription.
        pub id: u32,
        /// Whether the account subscribed to the name.
        pub subscribed: bool,
        /// Its special use, as bits of [`special_use`].
        pub special_use: u32,
        /// Its UIDVALIDITY.
        pub uid_validity: u32,
        /// The UID that the next message gets at least.
        pub uid_next: u32,
        /// The highest MODSEQ in it.
        pub highest_modseq: u64,
        /// How many messages it holds.
        pub messages: u32,
        /// How many of them have no `\Seen`.
        pub unseen: u32,
        /// How many of them have `\Deleted`.
        pub deleted: u32,
        /// How many octets they have in all.
        pub octets: u64,
        /// How many are recent (RFC 3501 section 2.3.2), if a session opened it for writing now.
        pub recent: u32,
    }
}

wire_struct! {
    /// What a mailbox is at one instant.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct MailboxState => MailboxStateAbi {
        /// Its number in the account.
        pub id: u32,
        /// Its UIDVALIDITY.
        pub uid_validity: u32,
        /// The UID that the next message gets at least.
        pub uid_next: u32,
        /// The highest MODSEQ in it; grows with every change.
        pub highest_modseq: u64,
        /// The MODSEQ of the last expunge; 0 if none is known.
        pub last_expunge: u64,
        /// How many messages it holds.
        pub messages: u32,
        /// How many of them have no `\Seen`.
        pub unseen: u32,
        /// The keywords used in it, in the order of their bits. It only ever grows at its end.
        pub keywords: Vec<String>,
        /// The mailbox was deleted: it holds nothing any more and never will.
        pub gone: bool,
    }
}

wire_struct! {
    /// Messages column by column. Columns that were asked for have as many entries as `uids`; the others are empty.
    #[derive(Debug, Clone, PartialEq, Eq, Default)]
    pub struct MessageColumns => MessageColumnsAbi {
        /// UIDs, ascending.
        pub uids: Vec<u32>,
        /// Flag words: system flags as the bits of [`flag`], and a bit for each keyword.
        pub flags: Vec<u64>,
        /// MODSEQs.
        pub modseqs: Vec<u64>,
        /// Sizes in octets.
        pub sizes: Vec<u64>,
        /// Internal dates, milliseconds since 1970-01-01 UTC.
        pub dates: Vec<i64>,
        /// The internal dates' offsets from UTC, in minutes.
        pub zones: Vec<i32>,
        /// When the messages came into this mailbox, seconds since 1970-01-01 UTC (RFC 8514).
        pub save_dates: Vec<i64>,
    }
}

/// The bits of [`Mailbox::rows`]' `columns`.
pub mod column {
    /// [`super::MessageColumns::flags`].
    pub const FLAGS: u32 = 1;
    /// [`super::MessageColumns::modseqs`].
    pub const MODSEQS: u32 = 2;
    /// [`super::MessageColumns::sizes`].
    pub const SIZES: u32 = 4;
    /// [`super::MessageColumns::dates`] and [`super::MessageColumns::zones`].
    pub const DATES: u32 = 8;
    /// [`super::MessageColumns::save_dates`].
    pub const SAVE_DATES: u32 = 16;
}

wire_struct! {
    /// A part of a message's body.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Slice => SliceAbi {
        /// The message.
        pub uid: u32,
        /// Where it begins.
        pub offset: u64,
        /// How many octets at most; it ends where the body does.
        pub length: u64,
    }
}

wire_struct! {
    /// Several answers in one buffer, one after the other.
    #[derive(Debug, Clone, PartialEq, Eq, Default)]
    pub struct Pieces => PiecesAbi {
        /// The octets of all.
        pub octets: Bytes,
        /// The length of each, in the order of the question. [`Pieces::GONE`]: there is no such message any more, and no
        /// octets.
        pub lengths: Vec<u64>,
    }
}

impl Pieces {
    /// The length of what is no more.
    pub const GONE: u64 = u64::MAX;

    /// The answers, in the order of the question; `None` for a message that is no more.
    pub fn iter(&self) -> impl Iterator<Item = Option<&[u8]>> + '_ {
        let mut rest = &*self.octets;
        self.lengths.iter().map(move |length| {
            if *length == Pieces::GONE {
                return None;
            }
            // A provider whose lengths do not fit its octets gives less, never another's.
            let length = usize::try_from(*length).unwrap_or(usize::MAX).min(rest.len());
            let (piece, after) = rest.split_at(length);
            rest = after;
            Some(piece)
        })
    }
}

wire_struct! {
    /// What an account uses.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Usage => UsageAbi {
        /// Octets of all its messages.
        pub octets: u64,
        /// Its messages.
        pub messages: u64,
    }
}

crate::interface! {
    /// The bytes of a message, piece by piece. One that says `Stopped` is continued by another one, opened at the offset that it
    /// got to.
    pub interface BodyReader, provider BodyReaderProvider, table BodyReaderVt = "dovetail.store.reader/1" {
        /// The next bytes, at most `max`; empty at the end.
        later fn next(max: u32) -> Result<Bytes, StoreFailure>;
    }
}

crate::interface! {
    /// An open mailbox. All handles to one mailbox share one view of it in memory, in columns, which is brought up to date
    /// before a change is acknowledged: what answers at once (`now`) never waits for the disk. A handle stays with its
    /// mailbox over a rename; when the mailbox is deleted, [`MailboxState::gone`] says so and changes fail with `NotFound`. A
    /// handle does not keep its store from being stopped: from then on all of it says `Stopped`, and who waits in `changed` is
    /// woken with that.
    pub interface Mailbox, provider MailboxProvider, table MailboxVt = "dovetail.store.mailbox/1" {
        /// What it is now.
        now fn state() -> Result<MailboxState, StoreFailure>;
        /// The UIDs of all its messages, ascending.
        now fn uids() -> Result<Vec<u32>, StoreFailure>;
        /// Messages among `uids` (ascending ranges; none: all) that were changed or added after MODSEQ `since` (0: all), with
        /// the columns of [`mod@column`] that are asked for.
        now fn rows(uids: Vec<UidRange>, since: u64, columns: u32) -> Result<MessageColumns, StoreFailure>;
        /// Resolves with the highest MODSEQ as soon as it is greater than `since`, or the mailbox is gone. A hint: several
        /// changes may come as one.
        later fn changed(since: u64) -> Result<u64, StoreFailure>;
        /// The first UID that is recent for the caller, who tells a client of it: from now on nothing that is here is
        /// recent for another (RFC 3501 section 2.3.2). Without `claim`, only looks.
        now fn recent(claim: bool) -> Result<u32, StoreFailure>;
        /// Opens a message's body at `offset`, for at most `length` octets.
        later fn read(uid: u32, offset: u64, length: u64) -> Result<BodyReader, StoreFailure>;
        /// Reads slices of several bodies at once. Ask for what fits into memory: their lengths' sum is limited to
        /// 4 MiB, their number to 10,000; fewer answers than questions mean that the rest is to be asked for again.
        later fn read_slices(slices: Vec<Slice>) -> Result<Pieces, StoreFailure>;
        /// The summaries that are kept of these messages, in the form of the SDK's `mime::Summary::encode`; an empty one
        /// means that none is kept and the caller has to make one from the body. At most 10,000 UIDs; fewer answers than
        /// questions mean that the rest is to be asked for again.
        later fn summaries(uids: Vec<u32>) -> Result<Pieces, StoreFailure>;
        /// Changes flags.
        later fn change_flags(change: FlagChange) -> Result<FlagsChanged, StoreFailure>;
        /// Removes messages for good, or only those of them that have `\Deleted`. UIDs that are not there are passed over.
        later fn expunge(uids: Vec<UidRange>, only_deleted: bool) -> Result<Expunged, StoreFailure>;
        /// Puts messages with their flags and dates into another mailbox of the account: all or none. With `remove` they
        /// are there instead of here.
        later fn copy(uids: Vec<UidRange>, to: String, remove: bool) -> Result<Copied, StoreFailure>;
    }
}

crate::interface! {
    /// The mailboxes of all accounts. An account is named by its canonical address; its INBOX, and the other mailboxes that
    /// a new account shall have, appear by themselves. `Ok` means durable.
    pub interface Store, provider StoreProvider, table StoreVt = "dovetail.store/1" {
        /// Begins a body of about `size` octets (0: unknown). Refuses at once what could never fit.
        later fn begin_body(size: u64) -> Result<BodySink, StoreFailure>;
        /// Puts messages into mailboxes of one account, all or none.
        later fn append(account: String, messages: Vec<Append>) -> Result<Vec<Appended>, StoreFailure>;
        /// Opens a mailbox.
        later fn open(account: String, mailbox: String) -> Result<Mailbox, StoreFailure>;
        /// All mailboxes of an account, and subscriptions to names without one, by name.
        later fn mailboxes(account: String) -> Result<Vec<MailboxEntry>, StoreFailure>;
        /// One mailbox.
        later fn status(account: String, mailbox: String) -> Result<MailboxEntry, StoreFailure>;
        /// Makes a mailbox, and those above it that are missing.
        later fn create_mailbox(account: String, mailbox: String, special_use: u32) -> Result<(), StoreFailure>;
        /// Deletes a mailbox with all its messages. Not INBOX, and not one that has others below it (`HasChildren`).
        /// A subscription to its name stays.
        later fn delete_mailbox(account: String, mailbox: String) -> Result<(), StoreFailure>;
        /// Renames a mailbox with all that is below it, and makes those above the new name that are missing. INBOX keeps
        /// its name: its messages move to the new mailbox (RFC 9051 section 6.3.6).
        later fn rename_mailbox(account: String, mailbox: String, to: String) -> Result<(), StoreFailure>;
        /// Subscribes to a name, or ends that. There need not be such a mailbox.
        later fn subscribe(account: String, mailbox: String, subscribed: bool) -> Result<(), StoreFailure>;
        /// What an account uses.
        later fn usage(account: String) -> Result<Usage, StoreFailure>;
    }
}
