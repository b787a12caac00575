//! What may be configured.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::observer::{Nobody, Observer};
use crate::summary::Summarise;
#[cfg(doc)]
use crate::types::MailboxRow;

/// Seconds since 1970.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Starts a thread with a name.
pub type Threads =
    Arc<dyn Fn(&str, Box<dyn FnOnce() + Send>) -> std::io::Result<std::thread::JoinHandle<()>> + Send + Sync>;

/// What may be configured.
#[derive(Clone)]
pub struct Options {
    /// Bytes of the largest message.
    pub max_message_size: u32,
    /// Bodies of this size or more are stored apart from the rows.
    pub large_body_threshold: usize,
    /// Bytes of all bodies that wait in memory for their commit.
    pub memory_for_bodies: usize,
    /// Messages of all mailboxes in memory ([`crate::View`]), at about 60 bytes each, beyond which mailboxes are given up
    /// that nobody has open.
    pub view_messages: usize,
    /// Seconds for which a body that no message names can still be read.
    pub grace: u64,
    /// Seconds between two collections of such bodies; 0 for none.
    pub collect_every: u64,
    /// The time.
    pub clock: Clock,
    /// How threads are started.
    pub threads: Threads,
    /// The mailboxes that a new account gets besides INBOX, subscribed: name and special use
    /// ([`MailboxRow::special_use`]).
    pub new_account_mailboxes: Vec<(String, u8)>,
    /// Makes the summaries of bodies; without it, none are kept.
    pub summarise: Option<Summarise>,
    /// Who counts what happens.
    pub observer: Arc<dyn Observer>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            max_message_size: 50 * 1024 * 1024,
            large_body_threshold: 256 * 1024,
            memory_for_bodies: 64 * 1024 * 1024,
            view_messages: 1_000_000,
            grace: 3600,
            collect_every: 600,
            clock: Arc::new(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())),
            threads: plain_threads(),
            new_account_mailboxes: NEW_ACCOUNT_MAILBOXES
                .map(|(name, special_use)| (name.to_owned(), special_use))
                .into(),
            summarise: None,
            observer: Arc::new(Nobody),
        }
    }
}

/// Names and special uses in the bits of `dovetail.store/1`.
const NEW_ACCOUNT_MAILBOXES: [(&str, u8); 5] =
    [("Drafts", 4), ("Sent", 32), ("Trash", 64), ("Junk", 16), ("Archive", 2)];

/// Threads without anything special.
pub fn plain_threads() -> Threads {
    Arc::new(|name, work| std::thread::Builder::new().name(name.to_owned()).spawn(work))
}
