//! What every account has before its first operation: INBOX, the mailboxes that a new account shall have, and rows in the
//! present format.

use super::Plan;
use crate::codec::{self, FORMAT};
use crate::names::{self, INBOX};

impl Plan<'_> {
    /// Makes an account what it has to be. Does nothing to one that is.
    pub(super) fn prepare(&mut self) {
        if self.account.child(0, INBOX).is_none() {
            self.make_default(INBOX, 0);
            for (name, special_use) in self.context.new_mailboxes {
                self.make_default(name, *special_use);
            }
        }
        if self.account.header.format != FORMAT {
            // Format 1 knew no other subscription, and this one was not to be ended.
            self.write(codec::subscription_key(INBOX), Some(Vec::new()));
            self.account.header.format = FORMAT;
            self.dirty_header = true;
        }
    }

    /// Makes a mailbox of a new account, subscribed. A name that can't be is a mistake in the configuration, which must not
    /// keep mail from arriving.
    fn make_default(&mut self, name: &str, special_use: u8) {
        let made = names::parts(name).and_then(|parts| {
            let mailbox = self.make_path(&parts)?;
            self.mailbox_mut(mailbox)?.special_use = special_use;
            self.write(codec::subscription_key(&names::join(&parts)), Some(Vec::new()));
            Ok(())
        });
        if let Err(error) = made {
            tracing::error!(%error, account = self.name, "a new account goes without one of its mailboxes");
        }
    }
}
