//! All accounts, and what an account has: mailboxes by name, subscriptions, and which deliveries it has had.

use crate::{
    bodies::Octets,
    failure,
    messages::{ranges, within, Held, Message},
};
use dovetail_sdk::{
    store::{flag, special_use, Append, Appended, Copied, MailboxEntry, StoreErrorCode, StoreFailure, UidRange, Usage},
    time,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

const INBOX: &str = "INBOX";
const MAX_NAME: usize = 1000;
const MAX_MAILBOXES: usize = 1000;
/// So many deliveries of an account are known again.
const MAX_DELIVERIES: usize = 1000;
/// What a new account has.
const FIRST: [(&str, u32); 6] = [
    (INBOX, 0),
    ("Archive", special_use::ARCHIVE),
    ("Drafts", special_use::DRAFTS),
    ("Junk", special_use::JUNK),
    ("Sent", special_use::SENT),
    ("Trash", special_use::TRASH),
];

/// What one instance keeps.
pub struct World {
    accounts: HashMap<String, Account>,
    /// Whole bodies whose handles live.
    bodies: HashMap<u64, Arc<Octets>>,
    last_body: u64,
    /// UIDVALIDITYs begin here, so that those of the next process are others.
    started: u32,
}

impl World {
    pub fn new() -> Self {
        let started = u32::try_from(time::unix_milliseconds() / 1000).unwrap_or(1);
        World { accounts: HashMap::new(), bodies: HashMap::new(), last_body: 0, started }
    }

    pub fn keep_body(&mut self, body: Arc<Octets>) -> u64 {
        self.last_body += 1;
        self.bodies.insert(self.last_body, body);
        self.last_body
    }

    pub fn forget_body(&mut self, id: u64) -> Option<Arc<Octets>> {
        self.bodies.remove(&id)
    }

    /// An account, which comes to be when it is first asked for.
    pub fn account(&mut self, name: &str) -> Result<&mut Account, StoreFailure> {
        let started = self.started;
        Ok(self.accounts.entry(name.to_owned()).or_insert_with(|| Account::new(started)))
    }

    pub fn append(&mut self, account: &str, appends: &[Append]) -> Result<Vec<Appended>, StoreFailure> {
        let no_body = || failure(StoreErrorCode::Invalid, "no handle to the body is held");
        let bodies: Result<Vec<_>, _> =
            appends.iter().map(|append| self.bodies.get(&append.body).cloned().ok_or_else(no_body)).collect();
        let account = self.account(account)?;
        // First what can fail, so that it is all or none.
        let mut ready = vec![];
        for (append, body) in appends.iter().zip(bodies?) {
            let flags = account.named(&append.mailbox)?.flag_word(&append.flags)?;
            ready.push((append, Held::message_of(append, flags, body)));
        }
        ready.into_iter().map(|(append, message)| account.deliver(append, message)).collect()
    }
}

/// What an account has.
pub struct Account {
    mailboxes: BTreeMap<String, Held>,
    subscribed: BTreeSet<String>,
    deliveries: VecDeque<(String, Appended)>,
    started: u32,
    last_id: u32,
}

impl Account {
    fn new(started: u32) -> Self {
        let (mailboxes, subscribed, deliveries) = Default::default();
        let mut account = Account { mailboxes, subscribed, deliveries, started, last_id: 0 };
        for (name, special_use) in FIRST {
            account.add(name.to_owned(), special_use);
            account.subscribed.insert(name.to_owned());
        }
        account
    }

    fn add(&mut self, name: String, special_use: u32) {
        self.last_id += 1;
        self.mailboxes
            .insert(name, Held::new(self.last_id, self.started.wrapping_add(self.last_id).max(1), special_use));
    }

    pub fn named(&mut self, name: &str) -> Result<&mut Held, StoreFailure> {
        let name = canonical(name)?;
        self.mailboxes
            .get_mut(&name)
            .ok_or_else(|| failure(StoreErrorCode::NotFound, format!("there is no mailbox {name}")))
    }

    /// `None` when it has been deleted.
    pub fn by_id(&mut self, id: u32) -> Option<&mut Held> {
        self.mailboxes.values_mut().find(|mailbox| mailbox.id == id)
    }

    fn deliver(&mut self, append: &Append, message: Message) -> Result<Appended, StoreFailure> {
        let id = &append.delivery_id;
        let known = self.deliveries.iter().find(|(known, _)| !id.is_empty() && known == id);
        if let Some((_, appended)) = known {
            return Ok(*appended);
        }
        let mailbox = self.named(&append.mailbox)?;
        let appended = Appended { uid_validity: mailbox.uid_validity, uid: mailbox.add(message) };
        if !id.is_empty() {
            self.deliveries.push_back((id.clone(), appended));
            self.deliveries.drain(..self.deliveries.len().saturating_sub(MAX_DELIVERIES));
        }
        Ok(appended)
    }

    pub fn copy(&mut self, from: u32, uids: &[UidRange], to: &str, remove: bool) -> Result<Copied, StoreFailure> {
        let source = self.by_id(from).ok_or_else(gone)?;
        let meant = source.messages.iter().filter(|message| within(message.uid, uids));
        let copies: Vec<_> = meant.map(|message| (message.clone(), source.flag_names(message))).collect();
        let target = self.named(to)?;
        // First what can fail, so that it is all or none.
        let words: Result<Vec<u64>, _> = copies.iter().map(|(_, flags)| target.flag_word(flags)).collect();
        let from_uids: Vec<u32> = copies.iter().map(|(message, _)| message.uid).collect();
        let moved = copies.into_iter().zip(words?);
        let to_uids: Vec<u32> = moved.map(|((message, _), flags)| target.add(Message { flags, ..message })).collect();
        let uid_validity = target.uid_validity;
        let from_ranges = ranges(&from_uids);
        if remove {
            self.by_id(from).ok_or_else(gone)?.expunge(&from_ranges, false);
        }
        Ok(Copied { uid_validity, from: from_ranges, to: ranges(&to_uids) })
    }

    pub fn create(&mut self, name: &str, special_use: u32) -> Result<(), StoreFailure> {
        let name = canonical(name)?;
        if self.mailboxes.contains_key(&name) {
            return Err(failure(StoreErrorCode::Exists, format!("there is a mailbox {name} already")));
        }
        self.make_room_above(&name, 1)?;
        self.add(name, special_use);
        Ok(())
    }

    /// Makes the mailboxes above a name that are missing, if there may be so many, and `more`.
    fn make_room_above(&mut self, name: &str, more: usize) -> Result<(), StoreFailure> {
        let above = name.match_indices('/').map(|(at, _)| &name[..at]);
        let missing: Vec<String> =
            above.filter(|name| !self.mailboxes.contains_key(*name)).map(str::to_owned).collect();
        if self.mailboxes.len() + missing.len() + more > MAX_MAILBOXES {
            return Err(failure(StoreErrorCode::Limit, format!("an account has at most {MAX_MAILBOXES} mailboxes")));
        }
        missing.into_iter().for_each(|name| self.add(name, 0));
        Ok(())
    }

    fn below(&self, name: &str) -> Vec<String> {
        let start = format!("{name}/");
        self.mailboxes.keys().filter(|other| other.starts_with(&start)).cloned().collect()
    }

    pub fn delete(&mut self, name: &str) -> Result<(), StoreFailure> {
        let name = canonical(name)?;
        self.named(&name)?;
        if name == INBOX {
            return Err(failure(StoreErrorCode::Invalid, "INBOX cannot be deleted"));
        }
        if !self.below(&name).is_empty() {
            return Err(failure(StoreErrorCode::HasChildren, format!("there are mailboxes below {name}")));
        }
        self.mailboxes.remove(&name);
        Ok(())
    }

    pub fn rename(&mut self, name: &str, to: &str) -> Result<(), StoreFailure> {
        let (name, to) = (canonical(name)?, canonical(to)?);
        let id = self.named(&name)?.id;
        if name == INBOX {
            self.create(&to, 0)?;
            let all = [UidRange { first: 1, last: u32::MAX }];
            return self.copy(id, &all, &to, true).map(drop);
        }
        if to.starts_with(&format!("{name}/")) {
            return Err(failure(StoreErrorCode::Invalid, format!("{to} is within {name}")));
        }
        let moved: Vec<(String, String)> = std::iter::once(name.clone())
            .chain(self.below(&name))
            .map(|old| (format!("{to}{}", &old[name.len()..]), old))
            .map(|(new, old)| (old, new))
            .collect();
        for (_, new) in &moved {
            canonical(new)?;
            if self.mailboxes.contains_key(new) {
                return Err(failure(StoreErrorCode::Exists, format!("there is a mailbox {new} already")));
            }
        }
        self.make_room_above(&to, 0)?;
        for (old, new) in moved {
            if let Some(mailbox) = self.mailboxes.remove(&old) {
                self.mailboxes.insert(new, mailbox);
            }
        }
        Ok(())
    }

    pub fn subscribe(&mut self, name: &str, subscribed: bool) -> Result<(), StoreFailure> {
        let name = canonical(name)?;
        if !subscribed {
            self.subscribed.remove(&name);
        } else if self.subscribed.len() >= MAX_MAILBOXES && !self.subscribed.contains(&name) {
            return Err(failure(
                StoreErrorCode::Limit,
                format!("an account has at most {MAX_MAILBOXES} subscriptions"),
            ));
        } else {
            self.subscribed.insert(name);
        }
        Ok(())
    }

    pub fn usage(&self) -> Usage {
        let messages = || self.mailboxes.values().flat_map(|mailbox| &mailbox.messages);
        Usage { octets: messages().map(|message| message.body.len()).sum(), messages: messages().count() as u64 }
    }

    /// All mailboxes, and subscriptions to names without one, by name.
    pub fn entries(&self) -> Vec<MailboxEntry> {
        let names: BTreeSet<&String> = self.mailboxes.keys().chain(&self.subscribed).collect();
        // A subscription alone is what a mailbox without anything would be.
        let nothing = Held { uid_next: 0, modseq: 0, recent_from: 0, ..Held::new(0, 0, 0) };
        names.into_iter().map(|name| self.to_entry(name, self.mailboxes.get(name).unwrap_or(&nothing))).collect()
    }

    pub fn entry(&mut self, name: &str) -> Result<MailboxEntry, StoreFailure> {
        self.named(name)?;
        let name = canonical(name)?;
        self.mailboxes.get(&name).map(|mailbox| self.to_entry(&name, mailbox)).ok_or_else(gone)
    }

    fn to_entry(&self, name: &str, mailbox: &Held) -> MailboxEntry {
        MailboxEntry {
            name: name.to_owned(),
            id: mailbox.id,
            subscribed: self.subscribed.contains(name),
            special_use: mailbox.special_use,
            uid_validity: mailbox.uid_validity,
            uid_next: mailbox.uid_next,
            highest_modseq: mailbox.modseq,
            messages: mailbox.messages.len() as u32,
            unseen: mailbox.count(|message| !message.has(flag::SEEN)),
            deleted: mailbox.count(|message| message.has(flag::DELETED)),
            octets: mailbox.messages.iter().map(|message| message.body.len()).sum(),
            recent: mailbox.count(|message| message.uid >= mailbox.recent_from),
        }
    }
}

pub fn gone() -> StoreFailure {
    failure(StoreErrorCode::NotFound, "the mailbox has been deleted")
}

/// A name as it is kept: levels divided by `/`, and INBOX in capitals.
fn canonical(name: &str) -> Result<String, StoreFailure> {
    let is_bad = |c: char| c.is_control() || matches!(c, '*' | '%');
    if name.len() > MAX_NAME || name.contains(is_bad) || name.split('/').any(str::is_empty) {
        let text = format!("a mailbox's name has 1 to {MAX_NAME} octets, no empty level, no control character, * or %");
        return Err(failure(StoreErrorCode::Invalid, text));
    }
    let (first, rest) = name.split_at(name.find('/').unwrap_or(name.len()));
    Ok(if first.eq_ignore_ascii_case(INBOX) { format!("{INBOX}{rest}") } else { name.to_owned() })
}
