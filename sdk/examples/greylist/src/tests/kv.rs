//! A memory for tests, with the clock of the test's runtime. Every call gives way once, so that sessions meet in the middle.

use dovetail_sdk::kv::{KvEntry, KvErrorCode, KvFailure, KvProvider, KvSwap};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::task::yield_now;
use tokio::time::Instant;

/// When a shelf is made, in seconds since 1970.
pub const NOON: u64 = 1_800_014_400;

/// Entries that the test can look at. All clones are one shelf.
#[derive(Clone)]
pub struct Shelf {
    began: Instant,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    entries: BTreeMap<(String, Vec<u8>), KvEntry>,
    writes: usize,
    refused: usize,
    failure: Option<KvErrorCode>,
    meddles: bool,
    /// More entries than this do not fit.
    room: Option<usize>,
    read_only: bool,
}

impl Shelf {
    pub fn new() -> Self {
        Shelf { began: Instant::now(), state: Arc::default() }
    }

    /// Swaps that were made.
    pub fn writes(&self) -> usize {
        self.state().writes
    }

    /// Swaps that came second.
    pub fn refused(&self) -> usize {
        self.state().refused
    }

    /// Every call fails.
    pub fn fail(&self, failure: Option<KvErrorCode>) {
        self.state().failure = failure;
    }

    /// Somebody else changes every entry just before it is swapped.
    pub fn meddle(&self, meddles: bool) {
        self.state().meddles = meddles;
    }

    /// No more entries than these.
    pub fn fill(&self) {
        let mut state = self.state();
        state.room = Some(state.entries.len());
    }

    /// Every swap fails.
    pub fn read_only(&self, read_only: bool) {
        self.state().read_only = read_only;
    }

    /// The text under a key of the instance `test`.
    pub fn value(&self, key: &str) -> Option<String> {
        let state = self.state();
        let entry = state.entries.get(&("test".to_owned(), key.as_bytes().to_vec()))?;
        Some(String::from_utf8_lossy(&entry.value).into_owned())
    }

    /// Puts a text there, for ever.
    pub fn set(&self, key: &str, value: &str) {
        let key = key.as_bytes().to_vec();
        let entry = KvEntry { key: key.clone(), value: value.into(), expires_at: None };
        self.state().entries.insert(("test".to_owned(), key), entry);
    }

    pub fn namespaces(&self) -> Vec<String> {
        let mut names: Vec<String> = self.state().entries.keys().map(|(namespace, _)| namespace.clone()).collect();
        names.dedup();
        names
    }

    fn now(&self) -> u64 {
        NOON + self.began.elapsed().as_secs()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The state, without what has ended.
    fn living(&self) -> Result<MutexGuard<'_, State>, KvFailure> {
        let now = self.now();
        let mut state = self.state();
        if let Some(code) = state.failure {
            return Err(KvFailure { code, message: "failure (on purpose)".into() });
        }
        state.entries.retain(|_, entry| entry.expires_at.is_none_or(|end| end > now));
        Ok(state)
    }
}

impl KvProvider for Shelf {
    async fn get(&self, namespace: String, key: Vec<u8>) -> Result<Option<KvEntry>, KvFailure> {
        yield_now().await;
        Ok(self.living()?.entries.get(&(namespace, key)).cloned())
    }

    async fn swap(&self, namespace: String, change: KvSwap) -> Result<bool, KvFailure> {
        yield_now().await;
        let expires_at = change.ttl_seconds.map(|seconds| self.now() + seconds);
        let mut state = self.living()?;
        let place = (namespace, change.key.clone());
        let is_new = !state.entries.contains_key(&place);
        if state.read_only || (is_new && state.room.is_some_and(|room| state.entries.len() >= room)) {
            return Err(KvFailure { code: KvErrorCode::Full, message: "full (on purpose)".into() });
        }
        let held = state.entries.get(&place).map(|entry| entry.value.clone());
        if held != change.expected || state.meddles {
            state.refused += 1;
            return Ok(false);
        }
        state.writes += 1;
        match change.value {
            Some(value) => state.entries.insert(place, KvEntry { key: change.key, value, expires_at }),
            None => state.entries.remove(&place),
        };
        Ok(true)
    }

    async fn put(&self, _: String, _: Vec<u8>, _: Vec<u8>, _: Option<u64>) -> Result<(), KvFailure> {
        unreachable!("a greylist swaps")
    }

    async fn remove(&self, _: String, _: Vec<u8>) -> Result<bool, KvFailure> {
        unreachable!("a greylist lets time remove")
    }

    async fn list(&self, _: String, _: Vec<u8>, _: Option<Vec<u8>>, _: u32) -> Result<Vec<KvEntry>, KvFailure> {
        unreachable!("a greylist knows its keys")
    }
}
