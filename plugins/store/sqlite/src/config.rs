//! The plugin's section of the configuration.

use std::path::PathBuf;

use dovetail_sdk::{About, Problems};
use serde::Deserialize;

/// The embedded store.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Where the mail is; relative to the data directory.
    pub dir: PathBuf,
    /// Largest message in octets.
    pub max_message_size: u64,
    /// Messages of this many octets or more are kept in files of their own beside the database.
    pub large_body_threshold: usize,
    /// Octets of all messages that wait in memory for the disk; beyond it they are written to files at once.
    pub memory_for_bodies: usize,
    /// Octets of the database's log. More is faster, and takes longer to read after a crash.
    pub log_size: u64,
    /// Octets of the disk that stay free: mail is refused for the time being before the disk is full.
    pub reserve: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            dir: "store".into(),
            max_message_size: 50 * MIB,
            large_body_threshold: 256 * 1024,
            memory_for_bodies: 64 * 1024 * 1024,
            log_size: 64 * MIB,
            reserve: 100 * MIB,
        }
    }
}

impl Config {
    pub(crate) fn check(&self, about: &About, problems: &mut Problems) {
        if self.dir.as_os_str().is_empty() {
            problems
                .error("dir is empty", format!("name a directory below {}, or leave it out", about.data_dir.display()));
        }
        if self.max_message_size > u64::from(u32::MAX) {
            problems.error(
                format!(
                    "max_message_size is {}, and the store takes messages up to {} octets",
                    self.max_message_size,
                    u32::MAX
                ),
                "set a smaller limit",
            );
        }
        if self.large_body_threshold > MAX_THRESHOLD {
            problems.error(
                format!(
                    "large_body_threshold is {}, and the database takes bodies up to {MAX_THRESHOLD} octets",
                    self.large_body_threshold
                ),
                "set a smaller threshold, or leave it out",
            );
        }
        if self.memory_for_bodies < self.large_body_threshold {
            problems.warning(
                format!(
                    "memory_for_bodies ({}) is below large_body_threshold ({}): most messages will be written to files of their own, which is slow",
                    self.memory_for_bodies, self.large_body_threshold
                ),
                "raise memory_for_bodies",
            );
        }
    }
}

const MIB: u64 = 1024 * 1024;
/// Larger ones would hold up the commits that they share a transaction with.
const MAX_THRESHOLD: usize = 16 * 1024 * 1024;
