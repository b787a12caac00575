//! Subscriptions (RFC 9051 sections 6.3.7 and 6.3.8): to names, not to mailboxes, so that they outlive a deletion and
//! don't follow a rename. Bound: [`MAX_SUBSCRIPTIONS`].

use super::Plan;
use crate::codec;
use crate::error::StoreError;
use crate::limits::MAX_SUBSCRIPTIONS;
use crate::names;
use crate::types::{Done, OpResult};

impl Plan<'_> {
    pub(super) fn subscribe(&mut self, name: &str, subscribed: bool) -> OpResult {
        let key = codec::subscription_key(&names::canonical(name)?);
        if self.get(&key)?.is_some() == subscribed {
            return Ok(Done::Subscribed);
        }
        let count = match self.account.subscriptions {
            Some(count) => count,
            None => {
                let (from, to) = codec::all(b'S');
                self.scan(&from, &to, 2 * MAX_SUBSCRIPTIONS)?.len()
            }
        };
        if subscribed && count >= MAX_SUBSCRIPTIONS {
            return Err(StoreError::Limit { what: "subscriptions", limit: MAX_SUBSCRIPTIONS as u64 });
        }
        self.account.subscriptions = Some(if subscribed { count + 1 } else { count.saturating_sub(1) });
        self.write(key, subscribed.then(Vec::new));
        Ok(Done::Subscribed)
    }
}
