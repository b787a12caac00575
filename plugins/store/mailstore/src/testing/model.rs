//! What the store has to show, in the simplest form: mailboxes by their whole names.

use std::collections::{BTreeMap, BTreeSet};

use super::steps::KEYWORDS;
use crate::limits::MAX_DEPTH;
use crate::{FlagNames, Flags, MailboxId, Uid, UidSet};

/// The mailbox that a new account gets besides INBOX.
pub(super) const DEFAULT: (&str, u8) = ("Archive", 2);

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Message {
    pub bytes: Vec<u8>,
    pub flags: BTreeSet<String>,
    pub modseq: u64,
    pub date: i64,
    pub saved: u64,
}

#[derive(Debug, Default)]
pub(super) struct Mailbox {
    /// The store's number, as soon as it is known.
    pub id: Option<MailboxId>,
    pub uid_validity: u32,
    pub uid_next: Uid,
    pub messages: BTreeMap<Uid, Message>,
    /// Modification sequences of expunges.
    pub gone: Vec<(u64, Uid)>,
    pub highest: u64,
    pub keywords: BTreeSet<String>,
    pub special_use: u8,
    pub recent_from: Uid,
    /// UIDs by delivery.
    pub delivered: BTreeMap<u8, Uid>,
}

#[derive(Debug)]
pub(super) struct Account {
    pub mailboxes: BTreeMap<String, Mailbox>,
    pub subscribed: BTreeSet<String>,
    /// The last UIDVALIDITY and the last number of a mailbox that were seen.
    pub last: (u32, MailboxId),
}

impl Default for Account {
    fn default() -> Self {
        let default = Mailbox { special_use: DEFAULT.1, ..Mailbox::default() };
        let mailboxes = BTreeMap::from([("INBOX".into(), Mailbox::default()), (DEFAULT.0.into(), default)]);
        let subscribed = mailboxes.keys().cloned().collect();
        Account { mailboxes, subscribed, last: (0, 0) }
    }
}

impl Account {
    /// Whether it was made.
    pub(super) fn create(&mut self, name: &str, special_use: u8) -> bool {
        if self.mailboxes.contains_key(name) {
            return false;
        }
        self.create_above(name);
        self.mailboxes.insert(name.to_owned(), Mailbox { special_use, ..Mailbox::default() });
        true
    }

    fn create_above(&mut self, name: &str) {
        for (end, _) in name.match_indices('/') {
            self.mailboxes.entry(name[..end].to_owned()).or_default();
        }
    }

    pub(super) fn below(&self, name: &str) -> Vec<String> {
        let prefix = format!("{name}/");
        self.mailboxes.keys().filter(|other| other.starts_with(&prefix)).cloned().collect()
    }

    /// Whether it was deleted.
    pub(super) fn delete(&mut self, name: &str) -> bool {
        name != "INBOX" && self.below(name).is_empty() && self.mailboxes.remove(name).is_some()
    }

    /// Whether it was renamed.
    pub(super) fn rename(&mut self, name: &str, to: &str, now: u64) -> bool {
        if !self.mailboxes.contains_key(name) || self.mailboxes.contains_key(to) {
            return false;
        }
        if name == "INBOX" {
            self.create(to, 0);
            self.copy(name, (1, Uid::MAX), to, true, now);
            return true;
        }
        let mut moved = self.below(name);
        moved.push(name.to_owned());
        let new = |old: &str| format!("{to}{}", &old[name.len()..]);
        if to.starts_with(&format!("{name}/")) || moved.iter().any(|old| new(old).split('/').count() > MAX_DEPTH) {
            return false;
        }
        self.create_above(to);
        for old in moved {
            if let Some(mailbox) = self.mailboxes.remove(&old) {
                self.mailboxes.insert(new(&old), mailbox);
            }
        }
        true
    }

    /// Old and new UIDs; none if one of the mailboxes is missing.
    pub(super) fn copy(
        &mut self,
        from: &str,
        uids: (Uid, Uid),
        to: &str,
        remove: bool,
        now: u64,
    ) -> Option<Vec<(Uid, Uid)>> {
        let source = self.mailboxes.get(from)?;
        let messages: Vec<(Uid, Message)> =
            source.messages.range(uids.0..=uids.1).map(|(uid, message)| (*uid, message.clone())).collect();
        let target = self.mailboxes.get_mut(to)?;
        messages.iter().for_each(|(_, message)| target.learn(&message.flags));
        let mut pairs = Vec::new();
        for (uid, message) in messages {
            pairs.push((uid, target.add(Message { saved: now, ..message })));
        }
        if remove {
            self.mailboxes.get_mut(from)?.bury(&pairs.iter().map(|pair| pair.0).collect());
        }
        Some(pairs)
    }
}

impl Mailbox {
    /// Adds a message, and gives its UID.
    pub(super) fn add(&mut self, message: Message) -> Uid {
        self.uid_next += 1;
        self.highest += 1;
        self.messages.insert(self.uid_next, Message { modseq: self.highest, ..message });
        self.uid_next
    }

    /// Knows these flags' keywords from now on.
    pub(super) fn learn(&mut self, flags: &BTreeSet<String>) {
        let known = self.keywords.len();
        self.keywords.extend(flags.iter().filter(|flag| !flag.starts_with('\\')).cloned());
        self.highest += u64::from(self.keywords.len() > known);
    }

    pub(super) fn bury(&mut self, uids: &UidSet) {
        self.highest += u64::from(!uids.is_empty());
        for uid in uids.iter() {
            self.messages.remove(&uid);
            self.gone.push((self.highest, uid));
        }
    }
}

/// The flags that a byte stands for, as the store takes them.
pub(super) fn flag_names(flags: u8) -> FlagNames {
    let keywords = KEYWORDS.iter().enumerate().filter(|(n, _)| flags & 32 << n != 0);
    FlagNames { system: Flags(u64::from(flags & 31)), keywords: keywords.map(|(_, k)| k.to_string()).collect() }
}

/// The flags that a byte stands for.
pub(super) fn flag_set(flags: u8) -> BTreeSet<String> {
    let system = ["\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft"];
    let all = system.iter().chain(&KEYWORDS);
    all.enumerate().filter(|(n, _)| flags & 1 << n != 0).map(|(_, name)| name.to_string()).collect()
}
