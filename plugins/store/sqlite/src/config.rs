//! The plugin's section of the configuration.

use std::collections::BTreeSet;
use std::path::PathBuf;

use dovetail_mailstore::{check_mailbox_name, INBOX};
use dovetail_sdk::store::special_use;
use dovetail_sdk::{About, Problems};
use serde::Deserialize;

/// The embedded store.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Where the mail is; relative to the data directory.
    pub dir: PathBuf,
    /// Largest message in octets: up to 4294967295, and no smaller than the largest `max_message_size` of SMTP.
    pub max_message_size: u64,
    /// Messages of so many octets or more are kept in files of their own beside the database: up to 16777216.
    pub large_body_threshold: usize,
    /// Octets of all messages that wait in memory for the disk; beyond it they are written to files at once.
    pub memory_for_bodies: usize,
    /// Octets of the database's log. More is faster, and takes longer to read after a crash.
    pub log_size: u64,
    /// Octets of the disk that stay free: mail is refused for the time being before the disk is full.
    pub reserve: u64,
    /// Mailboxes that a new account gets besides INBOX, subscribed, and what they are for (RFC 6154), or `None`; at most
    /// 100. Default: `[("Drafts", Drafts), ("Sent", Sent), ("Trash", Trash), ("Junk", Junk), ("Archive", Archive)]`.
    pub mailboxes_of_new_accounts: Vec<(String, Option<Use>)>,
}

/// What a mailbox is for (RFC 6154).
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub(crate) enum Use {
    Archive,
    Drafts,
    Junk,
    Sent,
    Trash,
}

impl Use {
    /// As the store keeps it: a bit of [`special_use`].
    pub(crate) fn bit(self) -> u32 {
        match self {
            Use::Archive => special_use::ARCHIVE,
            Use::Drafts => special_use::DRAFTS,
            Use::Junk => special_use::JUNK,
            Use::Sent => special_use::SENT,
            Use::Trash => special_use::TRASH,
        }
    }
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
            mailboxes_of_new_accounts: [
                ("Drafts", Use::Drafts),
                ("Sent", Use::Sent),
                ("Trash", Use::Trash),
                ("Junk", Use::Junk),
                ("Archive", Use::Archive),
            ]
            .map(|(name, used_for)| (name.to_owned(), Some(used_for)))
            .into(),
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
        self.check_mailboxes(problems);
    }

    fn check_mailboxes(&self, problems: &mut Problems) {
        let count = self.mailboxes_of_new_accounts.len();
        if count > MAX_NEW_MAILBOXES {
            problems.error(
                format!("mailboxes_of_new_accounts has {count} mailboxes, and there may be {MAX_NEW_MAILBOXES}"),
                "leave some out",
            );
        }
        let mut names = BTreeSet::new();
        for (name, _) in &self.mailboxes_of_new_accounts {
            if let Err(error) = check_mailbox_name(name) {
                problems.error(format!("mailboxes_of_new_accounts: {error}"), "give it another name");
            } else if name.eq_ignore_ascii_case(INBOX) || !names.insert(name) {
                problems.error(
                    format!("mailboxes_of_new_accounts: there is a mailbox {name} already"),
                    "leave it out: INBOX is made in any case, and every other mailbox once",
                );
            }
        }
    }

    /// The mailboxes of a new account as the store takes them.
    pub(crate) fn new_mailboxes(&self) -> Vec<(String, u8)> {
        let bits = |used_for: &Option<Use>| used_for.map_or(0, Use::bit);
        // The bits that there are fit into an octet.
        self.mailboxes_of_new_accounts.iter().map(|(name, used)| (name.clone(), bits(used) as u8)).collect()
    }
}

const MIB: u64 = 1024 * 1024;
/// Larger ones would hold up the commits that they share a transaction with.
const MAX_THRESHOLD: usize = 16 * 1024 * 1024;
/// More would make the first delivery to an account slow.
const MAX_NEW_MAILBOXES: usize = 100;

#[cfg(test)]
mod tests {
    use dovetail_testkit::TestHost;

    use super::*;
    use crate::service::Service;

    #[test]
    fn mailboxes_of_new_accounts_must_be_possible_and_each_only_once() {
        let host = TestHost::new();
        let good = "(mailboxes_of_new_accounts: [(\"Notes/Old\", None), (\"Gesendet\", Sent), (\"Mehr\", Sent)])";
        assert!(host.check::<Service>(good).unwrap().is_empty());
        assert!(host.check::<Service>("(mailboxes_of_new_accounts: [])").unwrap().is_empty());
        let many: String = (0..101).map(|n| format!("(\"{n}\", None),")).collect();
        for (list, word) in [
            ("(\"a//b\", None)", "a//b"),
            ("(\"inbox\", None)", "inbox"),
            ("(\"a\", None), (\"a\", Sent)", "already"),
            ("(\"a\", Important)", "Important"),
            (many.as_str(), "101"),
        ] {
            let problems = host.check::<Service>(&format!("(mailboxes_of_new_accounts: [{list}])")).unwrap_err();
            assert!(problems.iter().any(|p| p.message.contains(word)), "{list}: {problems:?}");
        }
    }

    #[test]
    fn special_uses_are_the_bits_of_the_interface() {
        let config = Config::default();
        let expected = dovetail_mailstore::Options::default().new_account_mailboxes;
        assert_eq!(config.new_mailboxes(), expected, "the library's defaults are the same");
    }
}
