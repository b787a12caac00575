//! Finding and making mailboxes, and their keywords.

use super::Plan;
use crate::codec;
use crate::error::StoreError;
use crate::limits::{MAX_KEYWORDS, MAX_MAILBOXES};
use crate::names::{self, INBOX};
use crate::types::{Done, FlagNames, Flags, MailboxId, MailboxRef, MailboxRow, OpResult};

impl Plan<'_> {
    /// Every account has an INBOX from its first commit on.
    pub(super) fn ensure_inbox(&mut self) {
        if self.account.child(0, INBOX).is_none() {
            self.add_mailbox(0, INBOX);
        }
    }

    pub(super) fn resolve(&self, mailbox: &MailboxRef) -> Result<MailboxId, StoreError> {
        let found = match mailbox {
            MailboxRef::Id(id) => self.account.mailboxes.contains_key(id).then_some(*id),
            MailboxRef::Name(name) => self.account.find(&names::parts(name)?),
        };
        found.ok_or_else(|| StoreError::NoSuchMailbox {
            name: match mailbox {
                MailboxRef::Id(id) => format!("number {id}"),
                MailboxRef::Name(name) => name.clone(),
            },
        })
    }

    pub(super) fn create_mailbox(&mut self, name: &str) -> OpResult {
        let parts = names::parts(name)?;
        let mut known = 0;
        let mut parent = 0;
        while let Some(id) = parts.get(known).and_then(|part| self.account.child(parent, part)) {
            parent = id;
            known += 1;
        }
        if known == parts.len() {
            return Err(StoreError::MailboxExists { name: name.to_owned() });
        }
        if self.account.mailboxes.len() + parts.len() - known > MAX_MAILBOXES {
            return Err(StoreError::Limit { what: "mailboxes", limit: MAX_MAILBOXES as u64 });
        }
        for part in &parts[known..] {
            parent = self.add_mailbox(parent, part);
        }
        Ok(Done::Created { mailbox: parent })
    }

    fn add_mailbox(&mut self, parent: MailboxId, name: &str) -> MailboxId {
        let header = &mut self.account.header;
        let id = header.next_mailbox;
        header.next_mailbox += 1;
        // The time, so that it grows even over a restore of an old copy; but always more than the last one given.
        let now = u32::try_from(self.context.now).unwrap_or(u32::MAX);
        header.last_uid_validity = now.max(header.last_uid_validity.saturating_add(1));
        let row = MailboxRow {
            id,
            parent,
            name: name.to_owned(),
            uid_validity: header.last_uid_validity,
            uid_next: 1,
            highest_modseq: 1,
            vanished_floor: 0,
            messages: 0,
            unseen: 0,
            deleted: 0,
            bytes: 0,
            tombstones: 0,
            special_use: 0,
            subscribed: parent == 0 && name == INBOX,
            keywords: Vec::new(),
        };
        self.account.mailboxes.insert(id, row);
        self.dirty_header = true;
        self.dirty_mailboxes.insert(id);
        self.write(codec::name_key(parent, name), Some(id.to_be_bytes().to_vec()));
        id
    }

    /// The flag word for `names`; keywords that the mailbox doesn't know are added to it if `learn`, else left out.
    pub(super) fn flag_word(&mut self, id: MailboxId, names: &FlagNames, learn: bool) -> Result<Flags, StoreError> {
        names.keywords.iter().try_for_each(|keyword| names::check_keyword(keyword))?;
        let mut word = names.system.0 & Flags::SYSTEM.0;
        if names.keywords.is_empty() {
            return Ok(Flags(word));
        }
        let mut keywords = self.mailbox(id)?.keywords.clone();
        let known = keywords.len();
        for keyword in &names.keywords {
            let at = match keywords.iter().position(|k| k.eq_ignore_ascii_case(keyword)) {
                Some(at) => at,
                None if !learn => continue,
                None if keywords.len() == MAX_KEYWORDS => {
                    return Err(StoreError::Limit { what: "keywords in a mailbox", limit: MAX_KEYWORDS as u64 });
                }
                None => {
                    keywords.push(keyword.clone());
                    keywords.len() - 1
                }
            };
            word |= 1 << (Flags::FIRST_KEYWORD as usize + at);
        }
        if keywords.len() > known {
            self.mailbox_mut(id)?.keywords = keywords;
        }
        Ok(Flags(word))
    }

    /// The names of a flag word's flags.
    pub(super) fn flag_names(&self, id: MailboxId, word: Flags) -> FlagNames {
        let keywords = self.account.mailboxes.get(&id).map_or(&[][..], |m| &m.keywords);
        let set = |n: &usize| word.0 & 1 << (Flags::FIRST_KEYWORD as usize + n) != 0;
        FlagNames {
            system: Flags(word.0 & Flags::SYSTEM.0),
            keywords: (0..keywords.len()).filter(set).map(|n| keywords[n].clone()).collect(),
        }
    }
}
