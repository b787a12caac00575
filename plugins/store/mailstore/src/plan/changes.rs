//! What a plan changes in each mailbox, for those who keep a view of it in memory: they need not read it again.

use std::collections::BTreeMap;

use super::Plan;
use crate::codec;
use crate::types::{MailboxId, MailboxRow, MessageRow};
use crate::uidset::{Uid, UidSet};

/// How a mailbox is different after a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MailboxChange {
    /// Which mailbox.
    pub mailbox: MailboxId,
    /// Messages that are new or changed, ascending; none of them is in `expunged`.
    pub upserts: Vec<MessageRow>,
    /// Messages that are gone. Some may have come and gone within the commit.
    pub expunged: UidSet,
    /// The mailbox after the commit; `None` if it was deleted, with all its messages.
    pub row: Option<MailboxRow>,
}

/// What has happened to a mailbox so far.
#[derive(Default)]
pub(super) struct Touched {
    upserts: BTreeMap<Uid, MessageRow>,
    expunged: UidSet,
}

impl Touched {
    /// The mailbox is no more, and its messages with it.
    pub(super) fn clear(&mut self) {
        *self = Touched::default();
    }

    pub(super) fn into_change(self, mailbox: MailboxId, row: Option<MailboxRow>) -> MailboxChange {
        MailboxChange { mailbox, upserts: self.upserts.into_values().collect(), expunged: self.expunged, row }
    }
}

impl Plan<'_> {
    /// Writes a message that is new or changed.
    pub(super) fn put_message(&mut self, mailbox: MailboxId, row: MessageRow) {
        self.write(codec::message_key(mailbox, row.uid), Some(codec::write_message(&row)));
        self.touched.entry(mailbox).or_default().upserts.insert(row.uid, row);
    }

    /// Removes a message's row; its body and the counts are another matter.
    pub(super) fn take_message(&mut self, mailbox: MailboxId, uid: Uid) {
        self.write(codec::message_key(mailbox, uid), None);
        let touched = self.touched.entry(mailbox).or_default();
        touched.upserts.remove(&uid);
        touched.expunged.insert(uid);
    }
}
