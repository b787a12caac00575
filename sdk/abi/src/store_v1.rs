//! `dovetail.store/1`: mailboxes. What POP3, IMAP and delivery need; a Maildir or a database can implement it.

use crate::{wire_enum, wire_struct, CallFailure};

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
        later fn write(bytes: Vec<u8>) -> Result<(), StoreFailure>;
        /// Ends the body. It becomes durable at the latest with the append that names it.
        later fn seal() -> Result<Body, StoreFailure>;
    }
}

wire_struct! {
    /// System flags and keywords of a message. The bits are those in [`flag`]; keywords are per mailbox.
    #[derive(Debug, Clone, PartialEq, Eq, Default)]
    pub struct Flags => FlagsAbi {
        /// The system flags.
        pub system: u32,
        /// The keywords.
        pub keywords: Vec<String>,
    }
}

/// The bits of [`Flags::system`] (RFC 9051 section 2.3.2).
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
    /// A change of flags.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct FlagChange => FlagChangeAbi {
        /// The mailbox.
        pub mailbox: String,
        /// The messages; UIDs that are not there are passed over.
        pub uids: Vec<u32>,
        /// How.
        pub action: FlagAction,
        /// Which.
        pub flags: Flags,
        /// Only messages whose MODSEQ is not greater (RFC 7162); 0: no condition.
        pub unchanged_since: u64,
    }
}

wire_struct! {
    /// What a mailbox holds.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct MailboxStatus => MailboxStatusAbi {
        /// Its name, levels divided by `/`.
        pub name: String,
        /// Its UIDVALIDITY.
        pub uid_validity: u32,
        /// The UID that the next message gets at least.
        pub uid_next: u32,
        /// The highest MODSEQ in it.
        pub highest_modseq: u64,
        /// How many messages it holds.
        pub messages: u32,
        /// How many octets they have in all.
        pub octets: u64,
    }
}

wire_struct! {
    /// A batch of messages, column by column; all columns have the same length.
    #[derive(Debug, Clone, PartialEq, Eq, Default)]
    pub struct MessageColumns => MessageColumnsAbi {
        /// UIDs, ascending.
        pub uids: Vec<u32>,
        /// Sizes in octets.
        pub sizes: Vec<u64>,
        /// System flags.
        pub flags: Vec<u32>,
        /// MODSEQs.
        pub modseqs: Vec<u64>,
        /// Internal dates, milliseconds since 1970-01-01 UTC.
        pub dates: Vec<i64>,
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
    /// The bytes of a message, piece by piece.
    pub interface BodyReader, provider BodyReaderProvider, table BodyReaderVt = "dovetail.store.reader/1" {
        /// The next bytes, at most `max`; empty at the end.
        later fn next(max: u32) -> Result<Vec<u8>, StoreFailure>;
    }
}

crate::interface! {
    /// The mailboxes of all accounts. An account is named by its canonical address; its INBOX appears by itself.
    /// `Ok` means durable.
    pub interface Store, provider StoreProvider, table StoreVt = "dovetail.store/1" {
        /// Begins a body of about `size` octets (0: unknown). Refuses at once what could never fit.
        later fn begin_body(size: u64) -> Result<BodySink, StoreFailure>;
        /// Puts messages into mailboxes of one account, all or none.
        later fn append(account: String, messages: Vec<Append>) -> Result<Vec<Appended>, StoreFailure>;
        /// Changes flags; gives the UIDs whose MODSEQ forbade it (see [`FlagChange::unchanged_since`]).
        later fn change_flags(account: String, change: FlagChange) -> Result<Vec<u32>, StoreFailure>;
        /// Removes messages for good; UIDs that are not there are passed over. Gives how many were removed.
        later fn expunge(account: String, mailbox: String, uids: Vec<u32>) -> Result<u32, StoreFailure>;
        /// Makes a mailbox.
        later fn create_mailbox(account: String, mailbox: String) -> Result<MailboxStatus, StoreFailure>;
        /// All mailboxes of an account.
        later fn mailboxes(account: String) -> Result<Vec<MailboxStatus>, StoreFailure>;
        /// One mailbox.
        later fn status(account: String, mailbox: String) -> Result<MailboxStatus, StoreFailure>;
        /// The next messages from `first_uid` on, at most `max`; empty at the end.
        later fn list(account: String, mailbox: String, first_uid: u32, max: u32) -> Result<MessageColumns, StoreFailure>;
        /// Opens a message's body at `offset`, for at most `length` octets.
        later fn read(account: String, mailbox: String, uid: u32, offset: u64, length: u64) -> Result<BodyReader, StoreFailure>;
        /// What an account uses.
        later fn usage(account: String) -> Result<Usage, StoreFailure>;
    }
}
