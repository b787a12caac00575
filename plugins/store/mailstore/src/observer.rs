//! What the store tells whoever counts: for the figures of a plugin, never for its work.

use std::time::Duration;

/// Is told what the store does. Called from the store's own threads, so it must not wait.
pub trait Observer: Send + Sync {
    /// Some commits became durable together, within this time.
    fn committed(&self, commits: usize, took: Duration) {
        let _ = (commits, took);
    }

    /// So many commits were not acknowledged, since the back end failed.
    fn failed(&self, commits: usize) {
        let _ = commits;
    }

    /// So many bodies that no message names were removed.
    fn collected(&self, bodies: usize) {
        let _ = bodies;
    }
}

/// Nobody counts.
pub struct Nobody;

impl Observer for Nobody {}

/// What all accounts have together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Accounts that the store has ever had mail of.
    pub accounts: u64,
    /// Their messages.
    pub messages: u64,
    /// Bytes of these.
    pub bytes: u64,
}
