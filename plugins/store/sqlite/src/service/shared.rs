//! What all objects of the service have in common: the store until it stops, and ways to wait for it.
//!
//! What is small is read where it is asked for ([`reading`]): from the system's cache, SQLite reads a message of 2 KiB in
//! 4 µs, of 8 KiB in 10, of 64 KiB in 64 and a summary in 5, while the way to a thread for blocking work and back adds 17
//! to 22 µs (measured on a busy machine with two cores). What is not
//! in the cache holds up one of the host's threads for one access to the disk; the others go on.

use std::sync::{Arc, Mutex, PoisonError};

use dovetail_mailstore as mailstore;
use dovetail_mailstore::{Done, MailOp, OpResult, StoreError};
use dovetail_sdk::store::{StoreErrorCode, StoreFailure};
use dovetail_sdk::task;
use tokio::sync::oneshot;

use super::answer::failure;
use super::bodies::Registry;

/// The store, and the bodies on their way in. Stopped, it refuses.
pub(super) struct Shared {
    store: Mutex<Option<Arc<mailstore::Store>>>,
    pub bodies: Arc<Registry>,
}

impl Shared {
    pub(super) fn new(store: Option<Arc<mailstore::Store>>) -> Self {
        Shared { store: Mutex::new(store), bodies: Arc::default() }
    }

    pub(super) fn store(&self) -> Result<Arc<mailstore::Store>, StoreFailure> {
        let store = self.store.lock().unwrap_or_else(PoisonError::into_inner).clone();
        store.ok_or_else(|| temporary("the store has stopped"))
    }

    pub(super) async fn close(&self) {
        let store = self.store.lock().unwrap_or_else(PoisonError::into_inner).take();
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
        let (done, result) = oneshot::channel();
        self.store()?.submit(account, vec![op], move |results| {
            // The caller may have gone.
            let _ = done.send(results);
        });
        let results: Vec<OpResult> =
            result.await.unwrap_or(Err(StoreError::Closed)).map_err(|error| failure(&error))?;
        match results.into_iter().next() {
            Some(result) => result.map_err(|error| failure(&error)),
            None => Err(temporary("the store gave no answer")),
        }
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

pub(super) fn temporary(message: &str) -> StoreFailure {
    StoreFailure { code: StoreErrorCode::Temporary, message: message.to_owned() }
}

pub(super) fn mixed_up(done: &Done) -> StoreFailure {
    temporary(&format!("the store answered another question: {done:?}"))
}
