//! Renaming mailboxes (RFC 9051 section 6.3.6). Names hang on the mailbox above, so all that is below moves along and
//! keeps its number. INBOX is always there: its messages move, all or none, and what is below it stays.

use std::collections::HashMap;

use super::Plan;
use crate::codec;
use crate::error::StoreError;
use crate::limits::{MAX_COPY, MAX_DEPTH, MAX_NAME_BYTES};
use crate::names::{self, INBOX};
use crate::types::{Done, MailboxId, MailboxRow, OpResult};
use crate::uidset::UidSet;

impl Plan<'_> {
    pub(super) fn rename_mailbox(&mut self, name: &str, to: &str) -> OpResult {
        let (old, new) = (names::parts(name)?, names::parts(to)?);
        let id = self.account.find(&old).ok_or_else(|| StoreError::NoSuchMailbox { name: name.to_owned() })?;
        if self.account.find(&new).is_some() {
            return Err(StoreError::MailboxExists { name: names::join(&new) });
        }
        if old == [INBOX] {
            return self.empty_inbox(id, &new);
        }
        if new.starts_with(&old) {
            return Err(StoreError::BadMailboxName {
                name: names::shorten(to),
                reason: "a mailbox can't be moved below itself",
            });
        }
        self.check_below(id, &new)?;
        let Some((last, above)) = new.split_last() else {
            return Err(StoreError::NoSuchMailbox { name: to.to_owned() });
        };
        let parent = self.make_path(above)?;
        let mailbox = self.mailbox_mut(id)?;
        let before = codec::name_key(mailbox.parent, &mailbox.name);
        (mailbox.parent, mailbox.name) = (parent, (*last).to_owned());
        self.write(before, None);
        self.write(codec::name_key(parent, last), Some(id.to_be_bytes().to_vec()));
        Ok(Done::Renamed { mailbox: id })
    }

    /// INBOX's messages go into a new mailbox.
    fn empty_inbox(&mut self, inbox: MailboxId, new: &[&str]) -> OpResult {
        // Before a mailbox is made: nothing may have changed when this fails.
        if self.mailbox(inbox)?.messages as usize > MAX_COPY {
            return Err(StoreError::Limit { what: "messages copied or moved at once", limit: MAX_COPY as u64 });
        }
        let mailbox = self.make_path(new)?;
        self.copy_messages(inbox, &UidSet::all(), mailbox, true)?;
        Ok(Done::Renamed { mailbox })
    }

    /// Whether what is below a mailbox still has names that may be, once the mailbox has the name `new`.
    fn check_below(&self, id: MailboxId, new: &[&str]) -> Result<(), StoreError> {
        // Mailboxes of one level, and the bytes of their whole names.
        let mut level = HashMap::from([(id, names::join(new).len())]);
        for depth in new.len().. {
            if depth > MAX_DEPTH {
                return Err(StoreError::Limit { what: "mailboxes above one another", limit: MAX_DEPTH as u64 });
            }
            if level.values().any(|bytes| *bytes > MAX_NAME_BYTES) {
                return Err(StoreError::Limit { what: "bytes in a mailbox's name", limit: MAX_NAME_BYTES as u64 });
            }
            let below = |m: &MailboxRow| Some((m.id, level.get(&m.parent)? + 1 + m.name.len()));
            level = self.account.mailboxes.values().filter_map(below).collect();
            if level.is_empty() {
                break;
            }
        }
        Ok(())
    }
}
