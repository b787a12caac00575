//! Finding and making mailboxes, and their keywords.

use super::Plan;
use crate::codec;
use crate::error::StoreError;
use crate::limits::{MAX_KEYWORDS, MAX_MAILBOXES};
use crate::names;
use crate::types::{Done, FlagNames, Flags, MailboxId, MailboxRef, MailboxRow, OpResult};

impl Plan<'_> {
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

    pub(super) fn create_mailbox(&mut self, name: &str, special_use: u8) -> OpResult {
        let parts = names::parts(name)?;
        if self.account.find(&parts).is_some() {
            return Err(StoreError::MailboxExists { name: names::join(&parts) });
        }
        let mailbox = self.make_path(&parts)?;
        self.mailbox_mut(mailbox)?.special_use = special_use;
        Ok(Done::Created { mailbox })
    }

    /// Makes what is missing of a mailbox and those above it, all or none. No parts are above all mailboxes.
    pub(super) fn make_path(&mut self, parts: &[&str]) -> Result<MailboxId, StoreError> {
        let mut known = 0;
        let mut parent = 0;
        while let Some(id) = parts.get(known).and_then(|part| self.account.child(parent, part)) {
            parent = id;
            known += 1;
        }
        if self.account.mailboxes.len() + parts.len() - known > MAX_MAILBOXES {
            return Err(StoreError::Limit { what: "mailboxes", limit: MAX_MAILBOXES as u64 });
        }
        for part in parts.iter().skip(known) {
            parent = self.add_mailbox(parent, part);
        }
        Ok(parent)
    }

    /// Makes a mailbox.
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
            keywords: Vec::new(),
            recent_from: 1,
        };
        self.account.mailboxes.insert(id, row);
        self.dirty_header = true;
        self.touched.entry(id).or_default();
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
            let mailbox = self.mailbox_mut(id)?;
            mailbox.keywords = keywords;
            // Who synchronises by modification sequences hears of a keyword before he meets its bit.
            mailbox.highest_modseq += 1;
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
