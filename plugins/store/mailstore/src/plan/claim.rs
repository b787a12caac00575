//! Which messages are recent (RFC 3501 section 2.3.2): those that no session was told of. Losing a claim in a crash only
//! makes messages recent once more.

use super::Plan;
use crate::types::{Done, MailboxRef, OpResult};
use crate::uidset::Uid;

impl Plan<'_> {
    pub(super) fn claim(&mut self, mailbox: &MailboxRef, recent_from: Uid) -> OpResult {
        let id = self.resolve(mailbox)?;
        let row = self.mailbox(id)?;
        let recent_from = recent_from.min(row.uid_next);
        if recent_from > row.recent_from {
            self.mailbox_mut(id)?.recent_from = recent_from;
        }
        Ok(Done::Claimed)
    }
}
