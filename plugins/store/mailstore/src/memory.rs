//! A back end in memory, for tests: what a real one must do, without the disk. It can be told to fail.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::backend::{Batch, BlobWriter, Blobs, PartKv, PartOutcome, RowVisitor, Version};
use crate::error::BackendError;
use crate::types::BodyId;

/// Rows and bodies in memory.
#[derive(Default)]
pub struct MemoryBackend {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    parts: BTreeMap<String, Part>,
    small: BTreeMap<BodyId, Arc<Vec<u8>>>,
    large: BTreeMap<BodyId, Vec<u8>>,
    fail_commits: u32,
    full: bool,
    commits: u64,
}

#[derive(Default)]
struct Part {
    version: Version,
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl MemoryBackend {
    /// The next `n` commits fail and change nothing.
    pub fn fail_commits(&self, n: u32) {
        self.lock().fail_commits = n;
    }

    /// Whether there is no room for more.
    pub fn set_full(&self, full: bool) {
        self.lock().full = full;
    }

    /// Changes a partition's version, as another writer would.
    pub fn disturb(&self, part: &str) {
        self.lock().parts.entry(part.to_owned()).or_default().version += 1;
    }

    /// Commits so far.
    pub fn commits(&self) -> u64 {
        self.lock().commits
    }

    /// Small bodies there are.
    pub fn small_bodies(&self) -> usize {
        self.lock().small.len()
    }

    /// Large bodies there are.
    pub fn large_bodies(&self) -> usize {
        self.lock().large.len()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PartKv for MemoryBackend {
    fn get(&self, part: &str, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        Ok(self.lock().parts.get(part).and_then(|p| p.rows.get(key).cloned()))
    }

    fn scan(&self, part: &str, from: &[u8], to: &[u8], limit: usize, row: RowVisitor<'_>) -> Result<(), BackendError> {
        let inner = self.lock();
        let Some(part) = inner.parts.get(part) else {
            return Ok(());
        };
        if from >= to {
            return Ok(());
        }
        let range = (Bound::Included(from), Bound::Excluded(to));
        part.rows.range::<[u8], _>(range).take(limit).try_for_each(|(key, value)| row(key, value))
    }

    fn version(&self, part: &str) -> Result<Version, BackendError> {
        Ok(self.lock().parts.get(part).map_or(0, |p| p.version))
    }

    fn parts(&self, after: &str, limit: usize) -> Result<Vec<String>, BackendError> {
        let range = (Bound::Excluded(after), Bound::Unbounded);
        Ok(self.lock().parts.range::<str, _>(range).take(limit).map(|(name, _)| name.clone()).collect())
    }

    fn commit(&self, batch: &Batch) -> Result<Vec<PartOutcome>, BackendError> {
        let mut inner = self.lock();
        inner.commits += 1;
        if inner.fail_commits > 0 {
            inner.fail_commits -= 1;
            return Err(BackendError::io("committing to memory", "told to fail"));
        }
        if let Some(own) = batch.parts.first().filter(|p| p.part.is_empty()) {
            if inner.parts.get("").map_or(0, |p| p.version) != own.expect {
                return Ok(vec![PartOutcome::Conflict; batch.parts.len()]);
            }
        }
        inner.small.extend(batch.put.iter().cloned());
        for id in &batch.drop {
            inner.small.remove(id);
            inner.large.remove(id);
        }
        let mut outcomes = Vec::with_capacity(batch.parts.len());
        for commit in &batch.parts {
            let part = inner.parts.entry(commit.part.clone()).or_default();
            if part.version != commit.expect {
                outcomes.push(PartOutcome::Conflict);
                continue;
            }
            part.version += 1;
            outcomes.push(PartOutcome::Done(part.version));
            for (key, value) in &commit.writes {
                match value {
                    Some(value) => part.rows.insert(key.clone(), value.clone()),
                    None => part.rows.remove(key),
                };
            }
        }
        Ok(outcomes)
    }

    fn check_room(&self, _bytes: u64) -> Result<(), BackendError> {
        match self.lock().full {
            true => Err(BackendError::Full { place: "memory".into(), free: 0, reserve: 0 }),
            false => Ok(()),
        }
    }

    fn maintain(&self) -> Result<(), BackendError> {
        Ok(())
    }
}

impl Blobs for MemoryBackend {
    fn create(&self, id: BodyId) -> Result<Box<dyn BlobWriter>, BackendError> {
        self.lock().large.insert(id, Vec::new());
        Ok(Box::new(Writer { inner: self.inner.clone(), id, sealed: false }))
    }

    fn read(&self, id: BodyId, offset: u64, len: usize) -> Result<Option<Vec<u8>>, BackendError> {
        let inner = self.lock();
        let body = inner.small.get(&id).map(|b| b.as_slice()).or_else(|| inner.large.get(&id).map(Vec::as_slice));
        Ok(body.map(|body| {
            let start = body.len().min(usize::try_from(offset).unwrap_or(usize::MAX));
            body[start..body.len().min(start.saturating_add(len))].to_vec()
        }))
    }

    fn delete(&self, id: BodyId) -> Result<(), BackendError> {
        self.lock().large.remove(&id);
        Ok(())
    }

    fn list(&self, after: BodyId, limit: usize) -> Result<Vec<BodyId>, BackendError> {
        let range = (Bound::Excluded(after), Bound::Unbounded);
        Ok(self.lock().large.range(range).take(limit).map(|(id, _)| *id).collect())
    }

    fn newest(&self) -> Result<BodyId, BackendError> {
        let inner = self.lock();
        let newest = inner.small.keys().next_back().max(inner.large.keys().next_back());
        Ok(newest.copied().unwrap_or(BodyId(0)))
    }
}

struct Writer {
    inner: Arc<Mutex<Inner>>,
    id: BodyId,
    sealed: bool,
}

impl BlobWriter for Writer {
    fn write(&mut self, bytes: &[u8]) -> Result<(), BackendError> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.large.entry(self.id).or_default().extend_from_slice(bytes);
        Ok(())
    }

    fn seal(mut self: Box<Self>) -> Result<(), BackendError> {
        self.sealed = true;
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.sealed {
            self.inner.lock().unwrap_or_else(PoisonError::into_inner).large.remove(&self.id);
        }
    }
}
