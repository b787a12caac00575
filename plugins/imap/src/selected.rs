//! The selected mailbox as this client knows it (RFC 9051 section 2.3.1.2, RFC 2180).
//!
//! The store's view of a mailbox moves on by itself; a client learns of it only where a response may say so. So a session
//! keeps what it has announced: the UIDs by message sequence number, and the MODSEQ up to which it has told all changes.
//! [`Selected::announce`] tells the rest:
//!
//! * flags that changed (FETCH) and messages that came (EXISTS): with any command;
//! * messages that went (EXPUNGE): never with FETCH, STORE or SEARCH, since their numbers would slip under the client
//!   (RFC 9051 section 7.5.1). Until then the numbers of such ghosts stay taken.
//!
//! Bounds: four octets a message, shared with the sessions that know the same list.

pub mod recent;
pub mod reopen;
pub mod resolve;
pub mod shared;

use std::sync::Arc;

use dovetail_imap_grammar::{encode, RangeSet};
use dovetail_sdk::store::{column, Mailbox, MailboxState, StoreFailure};

use recent::Recent;
use shared::SharedLists;

/// A selected mailbox.
#[derive(Debug)]
pub struct Selected {
    /// The store's handle.
    pub mailbox: Mailbox,
    /// Its name as the client gave it.
    pub name: String,
    /// Whose it is.
    pub account: String,
    /// By EXAMINE.
    pub read_only: bool,
    /// Its UIDVALIDITY.
    pub uid_validity: u32,
    /// The messages that the client knows of: the nth has sequence number n + 1.
    pub uids: Arc<Vec<u32>>,
    /// The keywords that the client knows of, in the order of their bits.
    pub keywords: Vec<String>,
    /// The messages that are recent here.
    pub recent: Recent,
    /// What the last SEARCH with SAVE found (RFC 9051 section 6.4.4.1).
    pub saved: RangeSet,
    /// All changes up to this MODSEQ have been told ...
    told: u64,
    /// ... but for expunges: those up to this one.
    told_expunges: u64,
    /// ... and there may be others, which the list of messages shows.
    may_have_missed_expunges: bool,
    id: u32,
}

/// What may be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Say {
    /// All.
    Everything,
    /// All but EXPUNGE.
    NoExpunge,
}

/// A change that this session made itself and has answered already.
#[derive(Clone, Debug)]
pub struct Own {
    /// Its MODSEQ.
    pub modseq: u64,
    /// UIDs of changed messages whose flags the client cannot know all the same, ascending.
    pub unknown: Vec<u32>,
}

impl Selected {
    /// Begins with all that is there now.
    ///
    /// # Errors
    /// As the store gives them; among them that the mailbox has just been deleted.
    pub fn open(
        mailbox: Mailbox,
        name: String,
        account: String,
        read_only: bool,
    ) -> Result<(Self, MailboxState), StoreFailure> {
        let state = mailbox.state()?;
        let uids = mailbox.uids()?;
        let mut selected = Selected {
            mailbox,
            name,
            account,
            read_only,
            uid_validity: state.uid_validity,
            uids: Arc::new(uids),
            keywords: state.keywords.clone(),
            recent: Recent::default(),
            saved: RangeSet::new(),
            // What is in both is told twice, which harms nobody; what came between the two calls is not missed.
            told: state.highest_modseq,
            told_expunges: state.last_expunge,
            may_have_missed_expunges: false,
            id: state.id,
        };
        let first = selected.mailbox.recent(!read_only)?;
        selected.recent_since(first);
        Ok((selected, state))
    }

    /// Shares the list with other sessions.
    pub fn share(&mut self, lists: &SharedLists) {
        self.uids = lists.share(&self.account, self.id, self.uids.clone());
    }

    /// What the client knows of is recent from here on.
    fn recent_since(&mut self, first: u32) {
        if let Some(last) = self.uids.last() {
            self.recent.add(first, *last);
        }
    }

    /// The mailbox's number in its account.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// All changes up to here have been told.
    pub fn told(&self) -> u64 {
        self.told
    }

    /// Whether the mailbox has been deleted.
    pub fn is_gone(&self) -> bool {
        self.mailbox.state().is_ok_and(|state| state.gone)
    }

    /// Writes what the client does not know yet. Flags that were changed by `own` alone are passed over.
    ///
    /// # Errors
    /// As the store gives them; nothing has been written then.
    pub fn announce(
        &mut self,
        say: Say,
        own: Option<&Own>,
        rev2: bool,
        lists: &SharedLists,
        out: &mut Vec<u8>,
    ) -> Result<(), StoreFailure> {
        let state = self.mailbox.state()?;
        if state.gone {
            self.all_gone(say, out);
            return Ok(());
        }
        let expunged = state.last_expunge > self.told_expunges || self.may_have_missed_expunges;
        let expunged = expunged && say == Say::Everything;
        if state.highest_modseq <= self.told && !expunged {
            return Ok(());
        }
        // In this order: what the state counts is in the rows, and what is not in the rows is told the next time.
        let rows = self.mailbox.rows(Vec::new(), self.told, column::FLAGS | column::MODSEQS)?;
        let now = if expunged { Some(self.mailbox.uids()?) } else { None };
        let last_known = self.uids.last().copied().unwrap_or(0);
        let split = rows.uids.partition_point(|uid| *uid <= last_known);
        let (_, new) = rows.uids.split_at(split);
        // The last that can fail: from here on the client is told.
        let recent_from = if new.is_empty() { None } else { Some(self.mailbox.recent(!self.read_only)?) };
        if let Some(now) = &now {
            self.tell_expunges(now, out);
            self.told_expunges = state.last_expunge;
            self.may_have_missed_expunges = false;
        }
        self.learn_keywords(&state.keywords, out);
        if let Some(first) = recent_from {
            let list = Arc::make_mut(&mut self.uids);
            list.extend_from_slice(new);
            tell_number(self.uids.len(), b" EXISTS\r\n", out);
            self.share(lists);
            self.recent_since(first);
            if !rev2 {
                tell_number(self.recent.count(&self.uids), b" RECENT\r\n", out);
            }
        } else if now.is_some() {
            self.share(lists);
        }
        let known = rows.uids.iter().zip(&rows.flags).zip(&rows.modseqs).take(split);
        let mut at = 0;
        for ((uid, flags), modseq) in known {
            if own.is_some_and(|own| own.modseq == *modseq && own.unknown.binary_search(uid).is_err()) {
                continue;
            }
            at += self.uids[at..].partition_point(|known| known < uid);
            if self.uids.get(at) == Some(uid) {
                self.tell_flags(at, *uid, *flags, rev2, out);
            }
        }
        self.told = state.highest_modseq;
        Ok(())
    }

    /// Writes `* n FETCH (UID u FLAGS (...))`: with the UID, so that clients that work by UIDs need not count (RFC 9051
    /// section 7.5.2 demands it for UID commands, and allows it always).
    pub fn tell_flags(&self, at: usize, uid: u32, flags: u64, rev2: bool, out: &mut Vec<u8>) {
        out.extend_from_slice(b"* ");
        encode::number(out, at as u64 + 1);
        out.extend_from_slice(b" FETCH (UID ");
        encode::number(out, u64::from(uid));
        out.extend_from_slice(b" FLAGS ");
        self.write_flags(uid, flags, rev2, out);
        out.extend_from_slice(b")\r\n");
    }

    /// Writes a list of flags.
    pub fn write_flags(&self, uid: u32, flags: u64, rev2: bool, out: &mut Vec<u8>) {
        let recent = !rev2 && self.recent.has(uid);
        crate::fetch::flags::write(flags, recent, &self.keywords, out);
    }

    /// Tells the client the keywords that are new, before a message has them (RFC 9051 section 7.3.5).
    pub fn learn_keywords(&mut self, keywords: &[String], out: &mut Vec<u8>) {
        if keywords.len() > self.keywords.len() {
            self.keywords = keywords.to_vec();
            crate::fetch::flags::write_defined(&self.keywords, self.read_only, out);
        }
    }

    fn tell_expunges(&mut self, now: &[u32], out: &mut Vec<u8>) {
        // Highest first, so that no number slips before it is told.
        let mut living = now.iter().rev().peekable();
        let mut kept = Vec::with_capacity(now.len());
        for (at, uid) in self.uids.iter().enumerate().rev() {
            while living.peek().is_some_and(|other| *other > uid) {
                living.next();
            }
            if living.peek() == Some(&uid) {
                kept.push(*uid);
            } else {
                tell_number(at + 1, b" EXPUNGE\r\n", out);
            }
        }
        kept.reverse();
        self.uids = Arc::new(kept);
        let uids = self.uids.clone();
        self.saved = resolve::retain(&self.saved, &uids);
    }

    /// The mailbox has been deleted by somebody: for this client it is empty from now on.
    fn all_gone(&mut self, say: Say, out: &mut Vec<u8>) {
        if say == Say::Everything && !self.uids.is_empty() {
            for number in (1..=self.uids.len()).rev() {
                tell_number(number, b" EXPUNGE\r\n", out);
            }
            self.uids = Arc::new(Vec::new());
            self.saved = RangeSet::new();
        }
    }
}

/// `* n WORD`
fn tell_number(number: usize, word: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"* ");
    encode::number(out, number as u64);
    out.extend_from_slice(word);
}
