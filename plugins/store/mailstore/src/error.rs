//! What can go wrong, in the two classes that callers act on: try again later, or don't.

use thiserror::Error;

/// A back end could not do what it was asked. Nothing of the batch in question was acknowledged.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum BackendError {
    /// The disk, the database or the network below failed; the same request may succeed later.
    #[error("{what}: {cause}")]
    Io {
        /// What was being done, and where.
        what: String,
        /// What the layer below said.
        cause: String,
    },
    /// No room is left, or less than the configured reserve.
    #[error(
        "the disk below {place} has {free} bytes left and {reserve} are kept in reserve; make room or lower `reserve`"
    )]
    Full {
        /// The directory or service that is full.
        place: String,
        /// What is left.
        free: u64,
        /// What is to stay free.
        reserve: u64,
    },
    /// What is stored can't be what this program wrote.
    #[error("{what} is damaged: {detail}; stop the server and restore the store from a backup")]
    Corrupt {
        /// The row or file.
        what: String,
        /// How it shows.
        detail: String,
    },
    /// The store was written by a newer program, or is not a store.
    #[error("{0}")]
    Schema(String),
}

impl BackendError {
    /// An I/O failure while doing `what`.
    pub fn io(what: impl Into<String>, cause: impl std::fmt::Display) -> Self {
        BackendError::Io { what: what.into(), cause: cause.to_string() }
    }

    /// A row or file that doesn't decode.
    pub fn corrupt(what: impl Into<String>, detail: impl Into<String>) -> Self {
        BackendError::Corrupt { what: what.into(), detail: detail.into() }
    }
}

/// Why an operation on the store failed.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The back end failed; nothing was stored. Temporary.
    #[error("the store failed and nothing was stored: {0}")]
    Backend(#[from] BackendError),
    /// More work is waiting than the store takes on. Temporary.
    #[error("the store has {limit} commits waiting; try again later")]
    Busy {
        /// How many may wait.
        limit: usize,
    },
    /// The store is shutting down. Temporary.
    #[error("the store is shutting down; try again later")]
    Closed,
    /// The message is larger than this store takes.
    #[error("the message is larger than {max} bytes (`max_message_size`)")]
    TooLarge {
        /// The limit.
        max: u64,
    },
    /// There is no such mailbox in the account.
    #[error("there is no mailbox {name}")]
    NoSuchMailbox {
        /// The name or number that was given.
        name: String,
    },
    /// A mailbox of this name is already there.
    #[error("there is a mailbox {name} already")]
    MailboxExists {
        /// The name.
        name: String,
    },
    /// The name can't be one of a mailbox.
    #[error("{name:?} can't be the name of a mailbox: {reason}")]
    BadMailboxName {
        /// The name that was given.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// There are mailboxes below it.
    #[error("there are mailboxes below {name}; delete those first")]
    HasChildren {
        /// The mailbox.
        name: String,
    },
    /// INBOX is always there.
    #[error("INBOX can't be deleted: every account has one")]
    IsInbox,
    /// The account's name can't be one.
    #[error("{account:?} can't be the name of an account: it must have 1 to {max} bytes")]
    BadAccount {
        /// The name that was given.
        account: String,
        /// The longest allowed.
        max: usize,
    },
    /// The flag keyword can't be one.
    #[error("{keyword:?} can't be a keyword: use 1 to {max} printable ASCII characters without spaces, parentheses, braces, quotes, wildcards or backslashes")]
    BadKeyword {
        /// The keyword that was given.
        keyword: String,
        /// The longest allowed.
        max: usize,
    },
    /// A bound of the store is reached.
    #[error("the limit of {limit} {what} is reached")]
    Limit {
        /// What there are too many of.
        what: &'static str,
        /// How many there may be.
        limit: u64,
    },
    /// There is no such body, or no longer.
    #[error("there is no message body {0:016x}")]
    NoSuchBody(u64),
}

impl StoreError {
    /// Whether the same request may succeed later (SMTP 4xx rather than 5xx).
    pub fn is_temporary(&self) -> bool {
        matches!(self, StoreError::Backend(_) | StoreError::Busy { .. } | StoreError::Closed)
    }
}
