//! `faults`: when an instance is put into quarantine, and when it is started anew.
//!
//! A fault is a panic that was contained and reported; a call that fails with it is the same fault. Faults of the generation in
//! service count, not those of sessions that an earlier one still serves. With `count` of them within `window_seconds` the
//! generation takes nothing new, and after `backoff_seconds` another is started in its place. Each further attempt waits twice
//! as long, to `max_backoff_seconds`; a window without a fault ends that count.
//!
//! What is done about it is in [`crate::server::ward`].

use crate::plugin::account::MAX_FAULTS;
use serde::Deserialize;
use std::time::Duration;

/// When an instance with faults is started anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename = "faults")]
pub struct Faults {
    /// So many panics of an instance, up to 1000 (0 turns quarantine off) ...
    pub count: u32,
    /// ... within so many seconds, 1 to 31536000, put it into quarantine: it takes nothing new, ...
    pub window_seconds: u64,
    /// ... and is started anew after so many seconds, 1 to 31536000; after twice as many if that does not help, and so on ...
    pub backoff_seconds: u64,
    /// ... up to so many seconds, up to 31536000. Without a fault for `window_seconds` all is forgotten.
    pub max_backoff_seconds: u64,
}

impl Default for Faults {
    fn default() -> Self {
        Faults { count: 5, window_seconds: 60, backoff_seconds: 1, max_backoff_seconds: 300 }
    }
}

impl Faults {
    /// The window.
    pub fn window(&self) -> Duration {
        Duration::from_secs(self.window_seconds)
    }

    /// Whether so many faults within the window are too many.
    pub fn is_too_much(&self, faults: usize) -> bool {
        self.count > 0 && faults >= (self.count as usize).min(MAX_FAULTS)
    }

    /// How long the next attempt waits, after so many since the instance was well.
    pub fn backoff(&self, attempts: u32) -> Duration {
        let factor = 1_u64.checked_shl(attempts).unwrap_or(u64::MAX);
        Duration::from_secs(self.backoff_seconds.saturating_mul(factor).min(self.max_backoff_seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_faults_are_too_much_and_none_where_it_is_off() {
        let faults = Faults { count: 3, ..Faults::default() };
        assert_eq!([0, 2, 3, 4].map(|count| faults.is_too_much(count)), [false, false, true, true]);
        assert!(!Faults { count: 0, ..faults }.is_too_much(MAX_FAULTS));
    }

    #[test]
    fn each_attempt_waits_twice_as_long_up_to_the_limit() {
        let faults = Faults { backoff_seconds: 3, max_backoff_seconds: 20, ..Faults::default() };
        assert_eq!([0, 1, 2, 3, 63, 64, u32::MAX].map(|n| faults.backoff(n).as_secs()), [3, 6, 12, 20, 20, 20, 20]);
        let forever = Faults { backoff_seconds: u64::MAX, max_backoff_seconds: u64::MAX, ..faults };
        assert_eq!(forever.backoff(1).as_secs(), u64::MAX);
    }
}
