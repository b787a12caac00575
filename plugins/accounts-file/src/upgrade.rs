//! What is kept of a password is brought up to date at a login with it: SCRAM keys for accounts that have none, our own hash for
//! those that came with one of another scheme, or with keys alone.
//!
//! A right password is here but once, when it is checked; what is made of it there waits until it is written to the accounts file.
//! One task writes all that waits at once, so that a thousand first logins do not write the file a thousand times. No login waits
//! for it, and none fails because of it.
//!
//! **Fails** with a line in the log, once for each reason until something is written again. What was not written is made again at the
//! next login with a password that is not remembered. But if the system did not let us read or write the file, or the task that
//! writes failed, nothing more is made until the next reload. **Bounds**: one upgrade an account.

use crate::{
    content::Account,
    edit::{self, EditError},
    file::FileError,
    imported::Imported,
    live::Live,
    name::Name,
    password::HashError,
    scram,
    stored::{Costs, Stored},
};
use dovetail_sdk::task;
use std::{
    collections::HashMap,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc, Mutex, MutexGuard, PoisonError,
    },
};

/// See the module.
pub struct Upgrades {
    costs: Costs,
    made: Mutex<HashMap<Name, Upgrade>>,
    writing: AtomicBool,
    failed: AtomicBool,
    /// The reason that the log has already.
    said: Mutex<String>,
}

/// What becomes of an account's password.
#[derive(Clone, PartialEq, Eq)]
pub struct Upgrade {
    /// What was kept when the password was found right. If something else stands there meanwhile, that stays.
    pub before: Stored,
    /// What is to be kept.
    pub after: Stored,
}

impl Upgrades {
    /// None yet.
    pub fn new(costs: Costs) -> Self {
        Upgrades {
            costs,
            made: Mutex::default(),
            writing: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            said: Mutex::default(),
        }
    }

    /// Whether something should be made of the password of this account.
    pub fn wants(&self, account: &Account) -> bool {
        let lacks_keys = self.costs.scram.is_some() && scram::usable(account).is_none();
        (lacks_keys || needs_hash(account)) && !self.failed.load(Ordering::Relaxed)
    }

    /// Makes it of a password that is right. Blocks for as long as that takes.
    pub fn make(&self, name: &Name, account: &Account, password: &[u8]) {
        let before = account.stored();
        let made = match needs_hash(account) {
            true => self.costs.store(password),
            false => Ok::<_, HashError>(self.costs.with_hash(password, before.password.clone())),
        };
        match made {
            Ok(after) => drop(self.lock().insert(name.clone(), Upgrade { before, after })),
            Err(error) => tracing::warn!("the password of {name} stays as it is kept: {error}"),
        }
    }

    /// Has what waits written, soon.
    pub fn write_soon(self: &Arc<Self>, live: &Arc<Live>) {
        if self.lock().is_empty() || self.writing.swap(true, Ordering::AcqRel) {
            return;
        }
        let (me, live) = (self.clone(), live.clone());
        drop(task::spawn(async move {
            loop {
                let batch = std::mem::take(&mut *me.lock());
                if batch.is_empty() {
                    me.writing.store(false, Ordering::Release);
                    // Who came in between has seen the writer at work.
                    if me.lock().is_empty() || me.writing.swap(true, Ordering::AcqRel) {
                        return;
                    }
                    continue;
                }
                let file = live.clone();
                let written = task::spawn_blocking(move || write(&file, &batch)).await;
                let path = live.path().display();
                let (failure, lasts) = match written {
                    Ok(Ok(count)) => {
                        me.is_news("");
                        if count > 0 {
                            tracing::info!(file = %path, accounts = count, "SCRAM keys or new hashes of passwords written");
                        }
                        continue;
                    }
                    Ok(Err(error)) => (error.to_string(), matches!(error, EditError::File(FileError::Io { .. }))),
                    Err(error) => (error.to_string(), true),
                };
                let again = if lasts { "after a reload" } else { "at a later login" };
                me.failed.fetch_or(lasts, Ordering::Relaxed);
                if me.is_news(&failure) {
                    tracing::warn!(
                        "what is kept of passwords is not brought up to date: {failure}; this is tried again {again}"
                    );
                }
            }
        }));
    }

    /// Begins anew after a failure.
    pub fn reset(&self) {
        self.failed.store(false, Ordering::Relaxed);
        self.is_news("");
    }

    /// Whether this reason for a failure, or none, is another one than before. A busy server must not say the same at every login.
    fn is_news(&self, reason: &str) -> bool {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = *said != reason;
        if is_news {
            reason.clone_into(&mut said);
        }
        is_news
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Name, Upgrade>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes them. Who edits the file at the same moment goes first.
fn write(live: &Live, batch: &HashMap<Name, Upgrade>) -> Result<usize, EditError> {
    let mut left = TRIES;
    loop {
        left -= 1;
        match live.change(|content| Ok(edit::upgrade(content, batch))) {
            Err(EditError::File(FileError::Changed(_))) if left > 0 => {}
            outcome => return outcome,
        }
    }
}

/// So often the file may have become another one in between.
const TRIES: u32 = 10;

/// Whether the account's password has no hash of ours.
fn needs_hash(account: &Account) -> bool {
    account.password.is_empty() || Imported::of(&account.password).is_some()
}
