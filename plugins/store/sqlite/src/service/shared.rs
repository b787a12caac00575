//! What all objects of the service have in common: the store until it stops, and ways to wait for it.
//!
//! What is small is read where it is asked for ([`reading`]): from the system's cache, SQLite reads a message of 2 KiB in
//! 4 µs, of 8 KiB in 10, of 64 KiB in 64 and a summary in 5, while the way to a thread for blocking work and back adds 17
//! to 22 µs (measured on a busy machine with two cores). What is not
//! in the cache holds up one of the host's threads for one access to the disk; the others go on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dovetail_mailstore as mailstore;
use dovetail_mailstore::{Done, MailOp, OpResult, StoreError};
use dovetail_sdk::store::{StoreErrorCode, StoreFailure};
use dovetail_sdk::{task, time};
use tokio::sync::{oneshot, Notify};

use super::answer::failure;
use super::bodies::Registry;

/// The store, and the bodies on their way in. Stopped, it refuses.
pub(super) struct Shared {
    store: Mutex<Option<Arc<mailstore::Store>>>,
    stopped: AtomicBool,
    told: Notify,
    pub bodies: Arc<Registry>,
}

impl Shared {
    pub(super) fn new(store: Option<Arc<mailstore::Store>>) -> Self {
        Shared {
            store: Mutex::new(store),
            stopped: AtomicBool::new(false),
            told: Notify::new(),
            bodies: Arc::default(),
        }
    }

    pub(super) fn store(&self) -> Result<Arc<mailstore::Store>, StoreFailure> {
        let store = self.lock().clone();
        store.ok_or_else(|| self.running().err().unwrap_or_else(|| temporary("there is no store here")))
    }

    /// Refuses once the store has been stopped, also what would need nothing but memory: that is no longer true.
    pub(super) fn running(&self) -> Result<(), StoreFailure> {
        match self.stopped.load(Ordering::Acquire) {
            true => Err(stopped()),
            false => Ok(()),
        }
    }

    /// Resolves when the store has been stopped.
    pub(super) async fn until_stopped(&self) -> StoreFailure {
        loop {
            let mut told = std::pin::pin!(self.told.notified());
            // Before the look: what comes after it is heard of.
            told.as_mut().enable();
            if let Err(failure) = self.running() {
                return failure;
            }
            told.await;
        }
    }

    /// Calls that run, and bodies in somebody's hands.
    pub(super) fn under_way(&self) -> u64 {
        // One is this one.
        self.lock().as_ref().map_or(0, |store| Arc::strong_count(store).saturating_sub(1) as u64)
    }

    /// Takes nothing more on, gives up bodies that no commit has named, waits for the calls that run and closes the store.
    pub(super) async fn close(&self) {
        let store = {
            let mut store = self.lock();
            self.stopped.store(true, Ordering::Release);
            store.take()
        };
        self.told.notify_waiters();
        let Some(store) = store else { return };
        store.save_claims();
        self.bodies.give_up().await;
        let alone = async {
            while Arc::strong_count(&store) > 1 {
                time::sleep(Duration::from_millis(1)).await;
            }
        };
        if time::timeout(CALLS_LIMIT, alone).await.is_err() {
            tracing::error!(within = ?CALLS_LIMIT, "calls of the store do not end; the store closes when they do. Report this");
        }
        // If the host takes no more work, the store is closed here and now.
        let _ = task::spawn_blocking(move || drop(store)).await;
    }

    /// Runs work that may wait for the disk.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<mailstore::Store>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreFailure> {
        let store = self.store()?;
        blocking(move || work(&store)).await
    }

    /// Commits one operation. What was done stays done if the caller goes away.
    pub(super) async fn commit(&self, account: &str, op: MailOp) -> Result<Done, StoreFailure> {
        commit(&self.store()?, account, op).await
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<mailstore::Store>>> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Commits one operation to a store, which does not close before the answer is there.
pub(super) async fn commit(store: &Arc<mailstore::Store>, account: &str, op: MailOp) -> Result<Done, StoreFailure> {
    let (done, result) = oneshot::channel();
    store.submit(account, vec![op], move |results| {
        // The caller may have gone.
        let _ = done.send(results);
    });
    let results: Vec<OpResult> = result.await.unwrap_or(Err(StoreError::Closed)).map_err(|error| failure(&error))?;
    match results.into_iter().next() {
        Some(result) => result.map_err(|error| failure(&error)),
        None => Err(temporary("the store gave no answer")),
    }
}

/// Runs work that may wait for the disk.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreFailure> {
    match task::spawn_blocking(work).await {
        Ok(result) => result.map_err(|error| failure(&error)),
        Err(error) => Err(temporary(&error.to_string())),
    }
}

/// Reads `rows` rows or bodies of `octets` octets in all: on the caller's thread if that takes no longer than the way to
/// another one.
pub(super) async fn reading<T: Send + 'static>(
    rows: usize,
    octets: u64,
    read: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreFailure> {
    match rows <= FEW && octets <= LITTLE {
        true => read().map_err(|error| failure(&error)),
        false => blocking(read).await,
    }
}

/// Rows that are read on the caller's thread.
const FEW: usize = 8;
/// Octets that are read on the caller's thread.
const LITTLE: u64 = 32 * 1024;

/// Calls that run when the store is stopped get so long.
const CALLS_LIMIT: Duration = Duration::from_secs(4);

/// The answer of every object of a store that has been stopped.
pub(super) fn stopped() -> StoreFailure {
    StoreFailure { code: StoreErrorCode::Stopped, message: "this store has been stopped".to_owned() }
}

pub(super) fn temporary(message: &str) -> StoreFailure {
    StoreFailure { code: StoreErrorCode::Temporary, message: message.to_owned() }
}

pub(super) fn mixed_up(done: &Done) -> StoreFailure {
    temporary(&format!("the store answered another question: {done:?}"))
}
