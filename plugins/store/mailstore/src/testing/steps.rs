//! Random operations.

use proptest::prelude::*;

use crate::{FlagChange, Uid};

/// The accounts.
pub(super) const ACCOUNTS: [&str; 2] = ["anna", "bert"];
/// The names of mailboxes that operations use; a rename may make others.
pub(super) const NAMES: [&str; 7] = ["INBOX", "Lists/rust", "Lists", "Archive", "INBOX/old", "Lists/rust/deep", "Kept"];
/// Keywords, by the bits above the system flags'.
pub(super) const KEYWORDS: [&str; 3] = ["$Forwarded", "urgent", "work"];
/// Bodies of this size are large.
pub(super) const LARGE: usize = 600;

/// One step of the test. `at` is an account and a mailbox.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Deliver { accounts: usize, mailbox: usize, size: usize, flags: u8, delivery: Option<u8> },
    Flags { at: (usize, usize), uids: (Uid, Uid), change: FlagChange, flags: u8, stale: bool },
    Expunge { at: (usize, usize), uids: (Uid, Uid), only_deleted: bool },
    Copy { at: (usize, usize), uids: (Uid, Uid), to: usize, remove: bool },
    Create { at: (usize, usize), special_use: u8 },
    Delete { at: (usize, usize) },
    Rename { at: (usize, usize), to: usize },
    Subscribe { at: (usize, usize), subscribed: bool },
    Claim { at: (usize, usize), recent_from: Uid },
    Collect,
    Reopen,
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let at = || (0..ACCOUNTS.len(), 0..NAMES.len());
    let uids = || (1u32..8, 0u32..6).prop_map(|(first, more)| (first, first + more));
    let change = prop_oneof![Just(FlagChange::Add), Just(FlagChange::Remove), Just(FlagChange::Replace)];
    let size = prop_oneof![0usize..LARGE, Just(LARGE), LARGE..3 * LARGE];
    // Half of the mail goes to INBOX, which is always there.
    let mailbox = prop_oneof![Just(0), 0..NAMES.len()];
    let deliver = (1usize..4, mailbox, size, any::<u8>(), prop::option::of(0u8..6)).prop_map(
        |(accounts, mailbox, size, flags, delivery)| Step::Deliver { accounts, mailbox, size, flags, delivery },
    );
    let step = prop_oneof![
        8 => deliver,
        3 => (at(), uids(), change, any::<u8>(), any::<bool>())
            .prop_map(|(at, uids, change, flags, stale)| Step::Flags { at, uids, change, flags, stale }),
        3 => (at(), uids(), any::<bool>()).prop_map(|(at, uids, only_deleted)| Step::Expunge { at, uids, only_deleted }),
        4 => (at(), uids(), 0..NAMES.len(), any::<bool>())
            .prop_map(|(at, uids, to, remove)| Step::Copy { at, uids, to, remove }),
        4 => (at(), 0u8..3).prop_map(|(at, special_use)| Step::Create { at, special_use }),
        2 => at().prop_map(|at| Step::Delete { at }),
        3 => (at(), 0..NAMES.len()).prop_map(|(at, to)| Step::Rename { at, to }),
        1 => (at(), any::<bool>()).prop_map(|(at, subscribed)| Step::Subscribe { at, subscribed }),
        1 => (at(), 0u32..8).prop_map(|(at, recent_from)| Step::Claim { at, recent_from }),
        1 => Just(Step::Collect),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..50)
}
