//! The views there are, by account and mailbox, and which of them are kept when nobody looks.

use std::collections::HashMap;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{View, TRIES};
use crate::backend::Backend;
use crate::committer::{Committer, Work};
use crate::error::StoreError;
use crate::plan::MailboxChange;
use crate::types::MailboxId;
use crate::uidset::Uid;

/// All views of a store.
pub(crate) struct Views {
    /// How many messages all views may have together before those that nobody holds are dropped.
    max: usize,
    map: Mutex<Map>,
}

#[derive(Default)]
struct Map {
    accounts: HashMap<String, HashMap<MailboxId, Entry>>,
    /// Counts openings.
    clock: u64,
    /// Messages loaded since the views were last counted.
    fresh: usize,
}

struct Entry {
    view: Arc<View>,
    opened: u64,
}

impl Views {
    pub(crate) fn new(max: usize) -> Self {
        Views { max, map: Mutex::default() }
    }

    /// The view of a mailbox, loaded. Waits for the disk if it isn't there.
    pub(crate) fn open(
        &self,
        backend: &dyn Backend,
        committer: &Committer,
        account: &str,
        mailbox: MailboxId,
    ) -> Result<Arc<View>, StoreError> {
        let view = self.entry(account, mailbox);
        if view.is_current() {
            return Ok(view);
        }
        // A view that can't be loaded stays registered: who waits here meanwhile may have more luck with it.
        let loading = view.loading.lock().unwrap_or_else(PoisonError::into_inner);
        if !view.is_current() {
            let mut tries = 0;
            while !view.load(backend)? {
                tries += 1;
                if tries == TRIES {
                    load_on_the_committers_side(committer, &view)?;
                    break;
                }
            }
            drop(loading);
            self.loaded(view.weight());
        } else {
            drop(loading);
        }
        Ok(view)
    }

    /// Brings the views of an account up to date with a commit; called by the committer when it is durable and not yet
    /// acknowledged.
    pub(crate) fn apply(&self, backend: &dyn Backend, account: &str, changes: &[MailboxChange]) {
        let mut stale = Vec::new();
        {
            let mut map = self.lock();
            let Some(views) = map.accounts.get_mut(account) else { return };
            for change in changes {
                let Some(entry) = views.get(&change.mailbox) else { continue };
                if !entry.view.apply(change) {
                    stale.push(entry.view.clone());
                }
                if change.row.is_none() {
                    views.remove(&change.mailbox);
                }
            }
            if views.is_empty() {
                map.accounts.remove(account);
            }
        }
        stale.iter().for_each(|view| load_again(backend, view));
    }

    /// Loads the views of an account again, or of all; called by the committer when it can't tell what was committed.
    pub(crate) fn refresh(&self, backend: &dyn Backend, account: Option<&str>) {
        let views: Vec<Arc<View>> = {
            let map = self.lock();
            let of_account = |(name, _): &(&String, _)| account.is_none_or(|account| *name == account);
            let accounts = map.accounts.iter().filter(of_account);
            accounts.flat_map(|(_, views)| views.values()).map(|entry| entry.view.clone()).collect()
        };
        // Who is loading one of the others begins again.
        views.iter().filter(|view| view.miss()).for_each(|view| load_again(backend, view));
    }

    /// The first UID that nobody claimed as recent, if the mailbox is open.
    pub(crate) fn recent_from(&self, account: &str, mailbox: MailboxId) -> Option<Uid> {
        let view = self.lock().accounts.get(account)?.get(&mailbox)?.view.clone();
        Some(view.look(|state, _| state.recent_from))
    }

    /// The views with a claim that is not on the disk, which is given out once.
    pub(crate) fn unsaved_claims(&self) -> Vec<(Arc<View>, Uid)> {
        let map = self.lock();
        let views = map.accounts.values().flat_map(HashMap::values).map(|entry| &entry.view);
        views.filter_map(|view| Some((view.clone(), view.unsaved_claim()?))).collect()
    }

    fn entry(&self, account: &str, mailbox: MailboxId) -> Arc<View> {
        let mut map = self.lock();
        map.clock += 1;
        let opened = map.clock;
        if !map.accounts.contains_key(account) {
            map.accounts.insert(account.to_owned(), HashMap::new());
        }
        let views = map.accounts.entry(account.to_owned()).or_default();
        let entry =
            views.entry(mailbox).or_insert_with(|| Entry { view: Arc::new(View::new(account, mailbox)), opened });
        entry.opened = opened;
        entry.view.clone()
    }

    /// Notes that a view was loaded, and now and then drops what is too much.
    fn loaded(&self, weight: usize) {
        let mut map = self.lock();
        map.fresh += weight;
        if map.fresh > self.max / 16 {
            map.fresh = 0;
            map.shrink(self.max);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Map> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Map {
    /// Drops views that nobody holds, those opened longest ago first, until no more than `max` messages are left.
    fn shrink(&mut self, max: usize) {
        let entries = || self.accounts.values().flat_map(HashMap::values);
        let mut total: usize = entries().map(|entry| entry.view.weight()).sum();
        // Nobody can take a further handle meanwhile: they are given out under the lock that is held here.
        let idle = entries().filter(|entry| Arc::strong_count(&entry.view) == 1);
        let mut idle: Vec<(u64, usize)> = idle.map(|entry| (entry.opened, entry.view.weight())).collect();
        idle.sort_unstable();
        let mut until = 0;
        for (opened, weight) in idle {
            if total <= max {
                break;
            }
            total -= weight;
            until = opened;
        }
        self.accounts.retain(|_, views| {
            views.retain(|_, entry| entry.opened > until || Arc::strong_count(&entry.view) > 1);
            !views.is_empty()
        });
    }
}

/// What changes all the time is loaded where the changes are made.
fn load_on_the_committers_side(committer: &Committer, view: &Arc<View>) -> Result<(), StoreError> {
    let (done, outcome) = sync_channel(1);
    let reply = move |outcome: Result<_, StoreError>| {
        // The receiver is waiting below.
        let _ = done.send(outcome.map(|_| ()));
    };
    committer.submit(view.account.clone(), Work::Load(view.clone()), Box::new(reply));
    outcome.recv().unwrap_or(Err(StoreError::Closed))
}

/// On the committer's thread.
fn load_again(backend: &dyn Backend, view: &View) {
    let reason = match view.load(backend) {
        Ok(true) => return,
        Ok(false) => "it changes all the time".to_owned(),
        // Its deletion is among the changes.
        Err(StoreError::NoSuchMailbox { .. }) => return,
        Err(error) => error.to_string(),
    };
    tracing::warn!(account = view.account, mailbox = view.mailbox, reason, "an open mailbox could not be read again");
    view.distrust();
}

impl View {
    /// For [`Work::Load`], on the committer's thread.
    pub(crate) fn load_now(&self, backend: &dyn Backend) -> Result<(), StoreError> {
        match self.load(backend)? {
            true => Ok(()),
            false => Err(StoreError::Busy { limit: TRIES }),
        }
    }
}

#[cfg(test)]
impl Views {
    /// How many views there are.
    pub(crate) fn count(&self) -> usize {
        self.lock().accounts.values().map(HashMap::len).sum()
    }
}
