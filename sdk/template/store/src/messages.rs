//! A mailbox and its messages, by ascending UID. Each change has a MODSEQ of its own.

use crate::{bodies::Octets, failure};
use dovetail_sdk::{
    store::{
        column, flag, Append, Expunged, FlagAction, FlagChange, Flags, FlagsChanged, MailboxState, MessageColumns,
        StoreErrorCode, StoreFailure, UidRange,
    },
    time,
};
use std::sync::Arc;

/// The bits of a flag word that are left for keywords.
const MAX_KEYWORDS: usize = (u64::BITS - flag::FIRST_KEYWORD) as usize;
const SYSTEM: u64 = (flag::SEEN | flag::ANSWERED | flag::FLAGGED | flag::DELETED | flag::DRAFT) as u64;

/// A message. Copies share the body.
#[derive(Clone)]
pub struct Message {
    pub uid: u32,
    pub flags: u64,
    pub modseq: u64,
    pub date: i64,
    pub zone: i32,
    pub saved: i64,
    pub body: Arc<Octets>,
}

impl Message {
    pub fn has(&self, flag: u32) -> bool {
        self.flags & u64::from(flag) != 0
    }
}

/// A mailbox.
pub struct Held {
    pub id: u32,
    pub uid_validity: u32,
    pub uid_next: u32,
    pub modseq: u64,
    pub last_expunge: u64,
    pub recent_from: u32,
    pub special_use: u32,
    pub keywords: Vec<String>,
    pub messages: Vec<Message>,
}

impl Held {
    pub fn new(id: u32, uid_validity: u32, special_use: u32) -> Self {
        let (keywords, messages) = (vec![], vec![]);
        Held {
            id,
            uid_validity,
            uid_next: 1,
            modseq: 1,
            last_expunge: 0,
            recent_from: 1,
            special_use,
            keywords,
            messages,
        }
    }

    pub fn state(&self) -> MailboxState {
        MailboxState {
            id: self.id,
            uid_validity: self.uid_validity,
            uid_next: self.uid_next,
            highest_modseq: self.modseq,
            last_expunge: self.last_expunge,
            messages: self.messages.len() as u32,
            unseen: self.count(|message| !message.has(flag::SEEN)),
            keywords: self.keywords.clone(),
            gone: false,
        }
    }

    pub fn count(&self, is_meant: impl Fn(&Message) -> bool) -> u32 {
        self.messages.iter().filter(|message| is_meant(message)).count() as u32
    }

    pub fn message(&self, uid: u32) -> Option<&Message> {
        self.messages.binary_search_by_key(&uid, |message| message.uid).ok().map(|at| &self.messages[at])
    }

    /// The flag word of flags by name. Keywords that are new here get a bit: they are none that anybody has yet, so that this may
    /// be done before it is known whether the rest can be.
    pub fn flag_word(&mut self, flags: &Flags) -> Result<u64, StoreFailure> {
        let mut word = u64::from(flags.system) & SYSTEM;
        for keyword in &flags.keywords {
            let known = self.keywords.iter().position(|known| known.eq_ignore_ascii_case(keyword));
            let at = known.unwrap_or(self.keywords.len());
            if at >= MAX_KEYWORDS {
                return Err(failure(StoreErrorCode::Limit, format!("a mailbox has at most {MAX_KEYWORDS} keywords")));
            }
            if known.is_none() {
                self.keywords.push(keyword.clone());
            }
            word |= 1 << (flag::FIRST_KEYWORD as usize + at);
        }
        Ok(word)
    }

    /// The flags that a message here has, by name.
    pub fn flag_names(&self, message: &Message) -> Flags {
        let has = |at: &usize| message.flags >> (flag::FIRST_KEYWORD as usize + at) & 1 == 1;
        let keywords = (0..self.keywords.len()).filter(has).map(|at| self.keywords[at].clone()).collect();
        Flags { system: (message.flags & SYSTEM) as u32, keywords }
    }

    /// Adds a message; gives its UID.
    pub fn add(&mut self, message: Message) -> u32 {
        let uid = self.uid_next;
        self.uid_next += 1;
        self.modseq += 1;
        let saved = time::unix_milliseconds() / 1000;
        self.messages.push(Message { uid, modseq: self.modseq, saved, ..message });
        uid
    }

    /// What an append makes, with the flags as they are here.
    pub fn message_of(append: &Append, flags: u64, body: Arc<Octets>) -> Message {
        let (date, zone) = (append.internal_date, append.zone);
        Message { uid: 0, modseq: 0, saved: 0, flags, date, zone, body }
    }

    pub fn change_flags(&mut self, change: &FlagChange) -> Result<FlagsChanged, StoreFailure> {
        let named = self.flag_word(&change.flags)?;
        let (next, since) = (self.modseq + 1, change.unchanged_since);
        let mut refused = vec![];
        for message in self.messages.iter_mut().filter(|message| within(message.uid, &change.uids)) {
            if since != 0 && message.modseq > since {
                refused.push(message.uid);
                continue;
            }
            let flags = match change.action {
                FlagAction::Replace => named,
                FlagAction::Remove => message.flags & !named,
                _ => message.flags | named,
            };
            if flags != message.flags {
                (message.flags, message.modseq) = (flags, next);
                self.modseq = next;
            }
        }
        Ok(FlagsChanged { modseq: if self.modseq == next { next } else { 0 }, refused: ranges(&refused) })
    }

    pub fn expunge(&mut self, uids: &[UidRange], only_deleted: bool) -> Expunged {
        let mut gone = vec![];
        self.messages.retain(|message| {
            let goes = within(message.uid, uids) && (!only_deleted || message.has(flag::DELETED));
            if goes {
                gone.push(message.uid);
            }
            !goes
        });
        if !gone.is_empty() {
            self.modseq += 1;
            self.last_expunge = self.modseq;
        }
        Expunged { uids: ranges(&gone), modseq: self.modseq }
    }

    pub fn rows(&self, uids: &[UidRange], since: u64, columns: u32) -> MessageColumns {
        let mut rows = MessageColumns::default();
        let is_meant = |message: &&Message| message.modseq > since && (uids.is_empty() || within(message.uid, uids));
        for message in self.messages.iter().filter(is_meant) {
            rows.uids.push(message.uid);
            if columns & column::FLAGS != 0 {
                rows.flags.push(message.flags);
            }
            if columns & column::MODSEQS != 0 {
                rows.modseqs.push(message.modseq);
            }
            if columns & column::SIZES != 0 {
                rows.sizes.push(message.body.len());
            }
            if columns & column::DATES != 0 {
                rows.dates.push(message.date);
                rows.zones.push(message.zone);
            }
            if columns & column::SAVE_DATES != 0 {
                rows.save_dates.push(message.saved);
            }
        }
        rows
    }
}

/// Whether a UID is in ascending ranges.
pub fn within(uid: u32, ranges: &[UidRange]) -> bool {
    let at = ranges.partition_point(|range| range.last < uid);
    ranges.get(at).is_some_and(|range| range.first <= uid)
}

/// Ascending UIDs as ranges.
pub fn ranges(uids: &[u32]) -> Vec<UidRange> {
    let mut ranges: Vec<UidRange> = vec![];
    for &uid in uids {
        match ranges.last_mut() {
            Some(range) if range.last + 1 == uid => range.last = uid,
            _ => ranges.push(UidRange { first: uid, last: uid }),
        }
    }
    ranges
}
