//! Bounds that are part of the store's meaning. What is a matter of taste is in [`crate::Options`].

/// Bytes of an account's name.
pub const MAX_ACCOUNT_BYTES: usize = 320;
/// Mailboxes of an account.
pub const MAX_MAILBOXES: usize = 10_000;
/// Mailboxes above one another.
pub const MAX_DEPTH: usize = 32;
/// Bytes of a mailbox's whole name.
pub const MAX_NAME_BYTES: usize = 1_000;
/// Keywords of a mailbox: one bit each in a flag word.
pub const MAX_KEYWORDS: usize = 56;
/// Bytes of a keyword.
pub const MAX_KEYWORD_BYTES: usize = 100;
/// Messages that one operation changes; it says where to go on.
pub const MAX_ROWS_PER_OP: usize = 10_000;
/// Messages that one operation copies or moves: all of them or none.
pub const MAX_COPY: usize = 100_000;
/// Names that an account may be subscribed to.
pub const MAX_SUBSCRIPTIONS: usize = 10_000;
/// Bytes of a body's summary; a longer one is not kept.
pub const MAX_SUMMARY_BYTES: usize = 64 * 1024;
/// Bytes of summaries that are read at once.
pub const MAX_SUMMARIES_BYTES: usize = 4 * 1024 * 1024;
/// Operations in one commit.
pub const MAX_OPS_PER_COMMIT: usize = 1_000;
/// Commits that go to the disk together.
pub const MAX_BATCH: usize = 256;
/// Bytes of small bodies and rows that go to the disk together; one operation may be more alone.
pub const MAX_BATCH_BYTES: usize = 16 * 1024 * 1024;
/// Commits that may wait.
pub const MAX_WAITING: usize = 8_192;
/// Rows of a listing that come at once.
pub const MAX_LIST: usize = 10_000;
/// Bytes of a body that are read at once.
pub const MAX_READ: usize = 1024 * 1024;
/// Expunges that a mailbox remembers; a client that missed more synchronises from the start.
pub const MAX_TOMBSTONES: u32 = 10_000;
/// Deliveries that an account remembers, to store none twice.
pub const MAX_DELIVERIES: usize = 32_768;
/// Seconds that it remembers them.
pub const DELIVERY_WINDOW: u64 = 2 * 86_400;
/// Accounts whose state is kept in memory.
pub const MAX_CACHED_ACCOUNTS: usize = 10_000;
/// Estimated bytes of such state.
pub const MAX_CACHED_BYTES: usize = 48 * 1024 * 1024;
