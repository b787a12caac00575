//! Late-bound places for providers.
//!
//! A place is open, with a provider or without one, or *held*: its provider is restarted where it stands. Then what was begun
//! goes on with the old provider while that runs, and new work waits. Bounds: [`MAX_WAITING`] callers wait at a place, each for
//! [`WAIT_LIMIT`] at most; all others are told to try later. Whoever gives up waiting leaves nothing behind.

use arc_swap::ArcSwap;
use dovetail_abi::{handle::SlotProvider, AnyHandle, CallFailure, Slot};
use std::{
    pin::pin,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
    time::Duration,
};
use tokio::sync::Notify;

/// So many callers wait at a held place.
pub const MAX_WAITING: usize = 10_000;
/// So long each of them waits.
pub const WAIT_LIMIT: Duration = Duration::from_secs(10);

/// A place for the provider of one interface. Filling it again replaces the provider for every user at its next use.
#[derive(Clone, Default)]
pub struct Place(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: ArcSwap<State>,
    /// Told when a held place is open again.
    released: Notify,
    waiting: AtomicUsize,
}

enum State {
    Open(Option<AnyHandle>),
    /// With the provider that stood there, while it runs.
    Held(Option<AnyHandle>),
}

impl Default for State {
    fn default() -> Self {
        State::Open(None)
    }
}

impl Place {
    /// Puts a provider in. A place that was held is open then.
    pub fn fill(&self, provider: AnyHandle) {
        self.open_with(Some(provider));
    }

    /// Takes the provider out. A place that was held is open then.
    pub fn clear(&self) {
        self.open_with(None);
    }

    /// The place as an instance gets it.
    pub fn slot(&self) -> Slot {
        Slot::new(self.clone())
    }

    /// The provider that runs, be the place held or not.
    pub fn get(&self) -> Option<AnyHandle> {
        match &**self.0.state.load() {
            State::Open(provider) | State::Held(provider) => provider.clone(),
        }
    }

    /// Lets new work wait. From when this returns, whoever took the provider before is to be seen as one of its holders.
    pub fn hold(&self) {
        self.0.state.store(Arc::new(State::Held(self.get())));
    }

    /// Takes the provider from a held place: what is not finished now waits, too.
    pub fn cease(&self) {
        if self.is_held() {
            self.0.state.store(Arc::new(State::Held(None)));
        }
    }

    /// Opens a held place with what stands there.
    pub fn resume(&self) {
        if self.is_held() {
            self.open_with(self.get());
        }
    }

    fn is_held(&self) -> bool {
        matches!(**self.0.state.load(), State::Held(_))
    }

    fn open_with(&self, provider: Option<AnyHandle>) {
        self.0.state.store(Arc::new(State::Open(provider)));
        self.0.released.notify_waiters();
    }

    async fn wait(&self) -> Option<AnyHandle> {
        loop {
            let mut released = pin!(self.0.released.notified());
            // Before the look: what comes after it is heard of.
            released.as_mut().enable();
            if let State::Open(provider) = &**self.0.state.load() {
                return provider.clone();
            }
            released.await;
        }
    }
}

impl SlotProvider for Place {
    fn current(&self) -> Result<Option<AnyHandle>, CallFailure> {
        match &**self.0.state.load() {
            State::Held(None) => Err(CallFailure::Held),
            State::Open(provider) | State::Held(provider) => Ok(provider.clone()),
        }
    }

    fn open(&self) -> Result<Option<AnyHandle>, CallFailure> {
        match &**self.0.state.load() {
            State::Held(_) => Err(CallFailure::Held),
            State::Open(provider) => Ok(provider.clone()),
        }
    }

    async fn released(&self) -> Result<Option<AnyHandle>, CallFailure> {
        let _waiting = Waiting::begin(&self.0.waiting).ok_or(CallFailure::Held)?;
        tokio::time::timeout(WAIT_LIMIT, self.wait()).await.map_err(|_| CallFailure::Held)
    }
}

/// Counts one who waits, until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(count: &'a AtomicUsize) -> Option<Self> {
        let waiting = Waiting(count);
        (count.fetch_add(1, Ordering::Relaxed) < MAX_WAITING).then_some(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
