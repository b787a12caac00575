//! What must be in the mailboxes, whatever the order in which the sessions' commands met. That can be said because each
//! message has an owner, who alone deletes and moves it, and each session a keyword that it alone sets.

use super::view::View;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

/// What one message should be.
#[derive(Clone, Debug, Default)]
pub struct Fate {
    /// Its owner was told that it is stored. Others may have seen and changed it before.
    pub stored: bool,
    /// Marked by its owner: an EXPUNGE of anybody removes it.
    pub deleted: bool,
    /// Moved away, or expunged by UID.
    pub gone: bool,
    /// The keywords that their sessions have set last.
    pub keywords: BTreeSet<String>,
}

/// All messages by UID.
#[derive(Default)]
pub struct Model {
    messages: Mutex<BTreeMap<u32, Fate>>,
    copies: Mutex<usize>,
}

impl Model {
    /// A message was stored.
    pub fn appended(&self, uid: u32) {
        let mut messages = self.messages.lock().unwrap();
        let fate = messages.entry(uid).or_default();
        assert!(!std::mem::replace(&mut fate.stored, true), "UID {uid} was given twice");
    }

    /// Changes what is said of a message.
    pub fn note(&self, uid: u32, change: impl FnOnce(&mut Fate)) {
        change(self.messages.lock().unwrap().entry(uid).or_default());
    }

    /// So many messages came into the other mailbox.
    pub fn copied(&self, count: usize) {
        *self.copies.lock().unwrap() += count;
    }

    /// Compares. After the last EXPUNGE nothing that was marked is left.
    pub fn check(&self, truth: &View, other: &View) -> String {
        let messages = self.messages.lock().unwrap();
        let there: BTreeMap<u32, _> =
            truth.messages().iter().map(|message| (message.uid.unwrap(), message.flags.clone().unwrap())).collect();
        for (uid, fate) in messages.iter() {
            let Some(flags) = there.get(uid) else {
                assert!(fate.gone || fate.deleted, "UID {uid} is lost: {fate:?}");
                continue;
            };
            assert!(!fate.gone && !fate.deleted, "UID {uid} should be gone: {fate:?}");
            let keywords: BTreeSet<String> = flags.iter().filter(|flag| flag.starts_with("$s")).cloned().collect();
            assert_eq!(keywords, fate.keywords, "UID {uid}");
        }
        let stored = |uid: &u32| messages.get(uid).is_some_and(|fate| fate.stored);
        assert!(there.keys().chain(messages.keys()).all(stored), "messages that nobody stored");
        assert_eq!(other.len(), *self.copies.lock().unwrap(), "messages in the other mailbox");
        let gone = messages.len() - there.len();
        assert!(!there.is_empty() && gone > 0, "the sessions did nothing");
        format!("{} messages stored, {gone} gone", messages.len())
    }
}
