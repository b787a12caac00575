//! An account's state as the committer keeps it: header, mailboxes, recent deliveries, so that a delivery reads
//! nothing. Bounds: [`crate::limits::MAX_CACHED_ACCOUNTS`] and [`crate::limits::MAX_CACHED_BYTES`].

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::backend::{Backend, Version};
use crate::codec::{self, Header};
use crate::error::BackendError;
use crate::limits::{DELIVERY_WINDOW, MAX_CACHED_ACCOUNTS, MAX_CACHED_BYTES, MAX_DELIVERIES, MAX_MAILBOXES};
use crate::types::{DeliveryId, MailboxId, MailboxRow};

/// State of one account at one version.
pub(crate) struct Account {
    pub version: Version,
    pub header: Header,
    pub mailboxes: BTreeMap<MailboxId, MailboxRow>,
    pub deliveries: Deliveries,
    /// How many names are subscribed to, once someone had to know.
    pub subscriptions: Option<usize>,
    used: u64,
}

impl Account {
    pub(crate) fn load(backend: &dyn Backend, name: &str) -> Result<Self, BackendError> {
        // The version first: if another writer comes in between, the commit finds out.
        let version = backend.version(name)?;
        let header = match backend.get(name, codec::HEADER)? {
            Some(row) => codec::read_header(&row)?,
            None => Header { format: codec::FORMAT, next_mailbox: 1, last_uid_validity: 0, messages: 0, bytes: 0 },
        };
        let mailboxes = read_mailboxes(backend, name)?;
        let mut account =
            Account { version, header, mailboxes, deliveries: Deliveries::default(), subscriptions: None, used: 0 };
        let (from, to) = codec::all(b'D');
        backend.scan(name, &from, &to, 2 * MAX_DELIVERIES, &mut |key, _| {
            let (time, delivery, mailbox) = codec::read_delivery_key(key)?;
            account.deliveries.add(time, delivery, mailbox);
            Ok(())
        })?;
        Ok(account)
    }

    /// Finds a mailbox by the parts of its name.
    pub(crate) fn find(&self, parts: &[&str]) -> Option<MailboxId> {
        parts.iter().try_fold(0, |parent, part| self.child(parent, part))
    }

    /// Finds a mailbox by its parent and last part.
    pub(crate) fn child(&self, parent: MailboxId, name: &str) -> Option<MailboxId> {
        self.mailboxes.values().find(|m| m.parent == parent && m.name == name).map(|m| m.id)
    }

    fn weight(&self) -> usize {
        500 + self.mailboxes.len() * 400 + self.deliveries.order.len() * 100
    }
}

/// All mailboxes of an account.
pub(crate) fn read_mailboxes(
    backend: &dyn Backend,
    account: &str,
) -> Result<BTreeMap<MailboxId, MailboxRow>, BackendError> {
    let mut mailboxes = BTreeMap::new();
    let (from, to) = codec::all(b'B');
    backend.scan(account, &from, &to, MAX_MAILBOXES + 1, &mut |key, row| {
        let id = codec::read_mailbox_key(key)?;
        mailboxes.insert(id, codec::read_mailbox(id, row)?);
        Ok(())
    })?;
    Ok(mailboxes)
}

/// Recent deliveries, oldest first.
#[derive(Default)]
pub(crate) struct Deliveries {
    times: HashMap<(DeliveryId, MailboxId), u64>,
    order: VecDeque<(u64, DeliveryId, MailboxId)>,
}

impl Deliveries {
    /// When a delivery reached a mailbox.
    pub(crate) fn time_of(&self, delivery: DeliveryId, mailbox: MailboxId) -> Option<u64> {
        self.times.get(&(delivery, mailbox)).copied()
    }

    pub(crate) fn add(&mut self, time: u64, delivery: DeliveryId, mailbox: MailboxId) {
        self.times.insert((delivery, mailbox), time);
        self.order.push_back((time, delivery, mailbox));
    }

    /// Forgets one delivery if there are too many or it is too old, and returns its key. Two calls for each `add`
    /// keep the number from growing.
    pub(crate) fn forget(&mut self, now: u64) -> Option<Vec<u8>> {
        let (time, ..) = self.order.front()?;
        if self.order.len() <= MAX_DELIVERIES && now.saturating_sub(*time) <= DELIVERY_WINDOW {
            return None;
        }
        let (time, delivery, mailbox) = self.order.pop_front()?;
        if self.times.get(&(delivery, mailbox)) == Some(&time) {
            self.times.remove(&(delivery, mailbox));
        }
        Some(codec::delivery_key(time, delivery, mailbox))
    }
}

/// The accounts in memory.
#[derive(Default)]
pub(crate) struct Cache {
    accounts: HashMap<String, Account>,
    clock: u64,
    weight: usize,
}

impl Cache {
    /// Takes an account out, from memory or from the back end; [`Cache::put`] brings it back. One that is not
    /// brought back is read anew the next time.
    pub(crate) fn take(&mut self, backend: &dyn Backend, name: &str) -> Result<Account, BackendError> {
        match self.accounts.remove(name) {
            Some(account) => {
                self.weight -= account.weight();
                Ok(account)
            }
            None => Account::load(backend, name),
        }
    }

    /// Keeps an account, and drops the least used quarter if there are too many.
    pub(crate) fn put(&mut self, name: String, mut account: Account) {
        self.clock += 1;
        account.used = self.clock;
        self.weight += account.weight();
        self.accounts.insert(name, account);
        if self.accounts.len() > MAX_CACHED_ACCOUNTS || self.weight > MAX_CACHED_BYTES {
            let mut used: Vec<u64> = self.accounts.values().map(|a| a.used).collect();
            used.sort_unstable();
            let oldest_kept = used[used.len() / 4 + usize::from(used.len() > 1)..].first().copied().unwrap_or(u64::MAX);
            self.accounts.retain(|_, account| account.used >= oldest_kept);
            self.weight = self.accounts.values().map(Account::weight).sum();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryBackend;

    #[test]
    fn old_and_surplus_deliveries_are_forgotten() {
        let mut deliveries = Deliveries::default();
        for n in 0..MAX_DELIVERIES as u64 + 2 {
            deliveries.add(1000 + n, DeliveryId(u128::from(n).to_be_bytes()), 1);
        }
        assert!(deliveries.forget(1000).is_some());
        assert!(deliveries.forget(1000).is_some());
        assert!(deliveries.forget(1000).is_none(), "nothing more is too much");
        assert_eq!(deliveries.time_of(DeliveryId([0; 16]), 1), None);
        assert_eq!(deliveries.time_of(DeliveryId(2u128.to_be_bytes()), 1), Some(1002));
        assert!(deliveries.forget(1003 + DELIVERY_WINDOW).is_some(), "the oldest is too old");
        assert!(deliveries.forget(1003 + DELIVERY_WINDOW).is_none());
    }

    #[test]
    fn the_cache_drops_what_was_used_longest_ago() {
        let backend = MemoryBackend::default();
        let mut cache = Cache::default();
        for n in 0..MAX_CACHED_ACCOUNTS + 1 {
            let account = cache.take(&backend, &n.to_string()).unwrap();
            cache.put(n.to_string(), account);
        }
        assert!(cache.accounts.len() < MAX_CACHED_ACCOUNTS);
        assert!(cache.accounts.contains_key(&MAX_CACHED_ACCOUNTS.to_string()));
        assert!(!cache.accounts.contains_key("0"));
        assert_eq!(cache.weight, cache.accounts.values().map(Account::weight).sum::<usize>());
    }
}
