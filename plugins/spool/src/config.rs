//! The plugin's section of the configuration.

use std::path::PathBuf;

use dovetail_sdk::{About, Problems};
use serde::Deserialize;

/// A spool.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the files of large messages are; relative to the data directory. They have no names there.
    pub dir: PathBuf,
    /// So many KiB of a message are kept in memory; a larger one goes into a file: up to 1048576.
    pub memory_kib: usize,
    /// Largest message in octets: at least 65536, and no smaller than the largest `max_message_size` of SMTP.
    pub max_message_size: u64,
    /// Most messages at a time: at least 1. One more is told to come later.
    pub max_messages: usize,
    /// Octets of all messages together, in memory and in files: at least `max_message_size`.
    pub max_octets: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            dir: "spool".into(),
            memory_kib: 64,
            max_message_size: 50 * MIB,
            max_messages: 1000,
            max_octets: 1024 * MIB,
        }
    }
}

impl Config {
    /// Octets of a message that are kept in memory.
    pub fn memory(&self) -> usize {
        self.memory_kib.saturating_mul(1024)
    }

    /// Finds what cannot work.
    pub fn check(&self, about: &About, problems: &mut Problems) {
        if self.dir.as_os_str().is_empty() {
            problems
                .error("dir is empty", format!("name a directory below {}, or leave it out", about.data_dir.display()));
        }
        if self.memory_kib > MAX_MEMORY_KIB {
            problems.error(
                format!(
                    "memory_kib is {}, and more than {MAX_MEMORY_KIB} of one message in memory is no help",
                    self.memory_kib
                ),
                "set a smaller number, or leave it out",
            );
        }
        if self.max_message_size < MIN_MESSAGE {
            problems.error(
                format!(
                    "max_message_size is {}, and RFC 5321 section 4.5.3.1.7 promises clients {MIN_MESSAGE}",
                    self.max_message_size
                ),
                format!("set it to {MIN_MESSAGE} or more, or leave it out"),
            );
        }
        if self.max_messages == 0 {
            problems.error("max_messages is 0, so no message could come in", "set 1 or more, or leave it out");
        }
        if self.max_octets < self.max_message_size {
            problems.error(
                format!(
                    "max_octets is {}, so that a message of max_message_size ({}) would never fit",
                    self.max_octets, self.max_message_size
                ),
                "raise max_octets, or lower max_message_size",
            );
        }
    }
}

const MIB: u64 = 1024 * 1024;
const MAX_MEMORY_KIB: usize = 1024 * 1024;
const MIN_MESSAGE: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use crate::MessageSpool;
    use dovetail_testkit::TestHost;

    #[test]
    fn sections() {
        let host = TestHost::new();
        assert_eq!(host.check::<MessageSpool>("(memory_kib: 0, max_messages: 1)"), Ok(vec![]));
        for (section, words) in [
            ("(dir: \"\")", "dir is empty"),
            ("(memory_kib: 1048577)", "memory_kib is 1048577"),
            ("(max_message_size: 65535)", "max_message_size is 65535"),
            ("(max_messages: 0)", "max_messages is 0"),
            ("(max_octets: 52428799)", "would never fit"),
            ("(max_octet: 1)", "max_octet"),
        ] {
            let found = host.check::<MessageSpool>(section).unwrap_err();
            assert!(found[0].message.contains(words), "{section}: {found:?}");
        }
    }
}
