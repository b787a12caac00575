//! Message bodies on their way in: a sink that keeps small ones in memory and streams large ones to the back end, and
//! the sealed [`Body`] that commits name.
//!
//! A small body reaches the disk in the commit that names it, so a delivery costs one fsync. A large one is durable
//! when it is sealed. Bounds: `max_message_size`, `large_body_threshold`, and all small bodies together
//! `memory_for_bodies`; above that they are written out like large ones.

use std::collections::HashSet;
use std::hash::Hasher;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use twox_hash::XxHash3_64;

use crate::backend::{Backend, BlobWriter};
use crate::error::StoreError;
use crate::summary::{self, Summarise, Summariser};
use crate::types::BodyId;

/// What sinks and bodies share.
pub(crate) struct Bodies {
    backend: Arc<dyn Backend>,
    last_id: AtomicU64,
    live: Mutex<HashSet<BodyId>>,
    in_memory: AtomicUsize,
    limits: BodyLimits,
    summarise: Option<Summarise>,
}

/// Bounds of bodies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyLimits {
    pub max_size: u64,
    pub large: usize,
    pub memory: usize,
}

impl Bodies {
    pub(crate) fn new(
        backend: Arc<dyn Backend>,
        newest: BodyId,
        limits: BodyLimits,
        summarise: Option<Summarise>,
    ) -> Self {
        Bodies {
            backend,
            last_id: AtomicU64::new(newest.0),
            live: Mutex::new(HashSet::new()),
            in_memory: AtomicUsize::new(0),
            limits,
            summarise,
        }
    }

    pub(crate) fn begin(self: &Arc<Self>, expected: u64) -> Result<BodySink, StoreError> {
        let max = self.limits.max_size;
        if expected > max {
            return Err(StoreError::TooLarge { max });
        }
        self.backend.check_room(expected)?;
        let id = self.next_id();
        self.live().insert(id);
        let share = Share { bodies: self.clone(), id, charged: 0 };
        let summariser = self.summarise.as_ref().map(|summarise| summarise());
        Ok(BodySink { buffer: Vec::new(), writer: None, size: 0, hash: XxHash3_64::default(), summariser, share })
    }

    /// Whether a sink or a body with this number is in someone's hands.
    pub(crate) fn is_live(&self, id: BodyId) -> bool {
        self.live().contains(&id)
    }

    /// Milliseconds since 1970 and a counter; ahead of every number there is, even if the clock went back.
    fn next_id(&self) -> BodyId {
        let floor = now_millis() << BodyId::COUNTER_BITS;
        let mut last = self.last_id.load(Ordering::Relaxed);
        loop {
            let next = floor.max(last + 1);
            match self.last_id.compare_exchange_weak(last, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return BodyId(next),
                Err(seen) => last = seen,
            }
        }
    }

    fn live(&self) -> MutexGuard<'_, HashSet<BodyId>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number in use, and the memory that its bytes are charged with.
struct Share {
    bodies: Arc<Bodies>,
    id: BodyId,
    charged: usize,
}

impl Share {
    fn charge(&mut self, bytes: usize) {
        let (from, to) = (self.charged, bytes);
        self.charged = bytes;
        if to >= from {
            self.bodies.in_memory.fetch_add(to - from, Ordering::Relaxed);
        } else {
            self.bodies.in_memory.fetch_sub(from - to, Ordering::Relaxed);
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.charge(0);
        self.bodies.live().remove(&self.id);
    }
}

/// Takes a body in. Dropped before [`BodySink::seal`], it leaves nothing behind.
pub struct BodySink {
    buffer: Vec<u8>,
    writer: Option<Box<dyn BlobWriter>>,
    size: u64,
    hash: XxHash3_64,
    summariser: Option<Box<dyn Summariser>>,
    // Last: the writer removes its file before the number is given back.
    share: Share,
}

impl BodySink {
    /// Adds bytes at the end. After an error the sink is of no more use.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let max = self.share.bodies.limits.max_size;
        let size = self.size + bytes.len() as u64;
        if size > max {
            return Err(StoreError::TooLarge { max });
        }
        let in_memory = self.stays_in_memory(bytes.len());
        self.size = size;
        self.hash.write(bytes);
        if let Some(summariser) = &mut self.summariser {
            summariser.push(bytes);
        }
        if let Some(writer) = &mut self.writer {
            return Ok(writer.write(bytes)?);
        }
        if in_memory {
            self.buffer.extend_from_slice(bytes);
            self.share.charge(self.buffer.len());
            return Ok(());
        }
        let backend = &self.share.bodies.backend;
        backend.check_room(size)?;
        let mut writer = backend.create(self.share.id)?;
        writer.write(&self.buffer)?;
        writer.write(bytes)?;
        self.writer = Some(writer);
        self.buffer = Vec::new();
        self.share.charge(0);
        Ok(())
    }

    /// Whether writing `more` bytes will only touch memory.
    pub fn stays_in_memory(&self, more: usize) -> bool {
        let bodies = &self.share.bodies;
        let memory = bodies.in_memory.load(Ordering::Relaxed).saturating_add(more);
        self.writer.is_none()
            && self.size.saturating_add(more as u64) < bodies.limits.large as u64
            && memory <= bodies.limits.memory
    }

    /// Bytes written so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether [`BodySink::seal`] will wait for the disk.
    pub fn is_large(&self) -> bool {
        self.writer.is_some()
    }

    /// Ends the body. A large one is durable after this, a small one when a commit that names it is.
    pub fn seal(self) -> Result<Body, StoreError> {
        let BodySink { buffer, writer, size, hash, summariser, mut share } = self;
        let summary = summary::finish(summariser);
        share.charge(buffer.len() + summary.as_ref().map_or(0, |summary| summary.len()));
        let content = match writer {
            Some(writer) => {
                writer.seal()?;
                Content::Apart
            }
            None => Content::Inline(Arc::new(buffer)),
        };
        let state = Mutex::new(State { stored: false, owners: Vec::new(), uncertain: false });
        Ok(Body(Arc::new(Sealed { size: size as u32, digest: hash.finish(), content, summary, state, share })))
    }
}

/// A sealed body; clones are the same one. Once it is dropped everywhere, a body that no commit named is gone.
#[derive(Clone)]
pub struct Body(Arc<Sealed>);

struct Sealed {
    size: u32,
    digest: u64,
    content: Content,
    summary: Option<Arc<[u8]>>,
    state: Mutex<State>,
    share: Share,
}

enum Content {
    Inline(Arc<Vec<u8>>),
    Apart,
}

struct State {
    /// Its bytes are in the back end.
    stored: bool,
    /// Accounts that refer to it, or are about to.
    owners: Vec<String>,
    /// A commit that names it failed, and a crash might yet bring that commit back.
    uncertain: bool,
}

impl Body {
    /// Its number.
    pub fn id(&self) -> BodyId {
        self.0.share.id
    }

    /// Its bytes.
    pub fn size(&self) -> u32 {
        self.0.size
    }

    pub(crate) fn digest(&self) -> u64 {
        self.0.digest
    }

    /// Bytes that a commit has to store; none if they are stored.
    pub(crate) fn to_store(&self) -> Option<Arc<Vec<u8>>> {
        match &self.0.content {
            Content::Inline(bytes) if !self.0.state().stored => Some(bytes.clone()),
            _ => None,
        }
    }

    /// Its summary, if one is to be kept.
    pub(crate) fn summary(&self) -> Option<&[u8]> {
        self.0.summary.as_deref()
    }

    pub(crate) fn is_apart(&self) -> bool {
        matches!(self.0.content, Content::Apart)
    }

    pub(crate) fn owners(&self) -> Vec<String> {
        self.0.state().owners.clone()
    }

    pub(crate) fn add_owner(&self, account: &str) {
        self.0.state().owners.push(account.to_owned());
    }

    pub(crate) fn committed(&self) {
        self.0.state().stored = true;
    }

    /// Takes back [`Body::add_owner`]; `uncertain` if the commit may come back after a crash.
    pub(crate) fn failed(&self, account: &str, uncertain: bool) {
        let mut state = self.0.state();
        state.owners.retain(|owner| owner != account);
        state.uncertain |= uncertain;
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body").field("id", &self.id()).field("size", &self.size()).finish_non_exhaustive()
    }
}

impl Sealed {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        let unwanted = {
            let state = self.state();
            state.owners.is_empty() && !state.uncertain
        };
        if unwanted && matches!(self.content, Content::Apart) {
            if let Err(error) = self.share.bodies.backend.delete(self.share.id) {
                tracing::warn!(%error, body = self.share.id.0, "a body that no message names stays until it is collected");
            }
        }
    }
}

fn now_millis() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryBackend;

    fn bodies(max_size: u64, large: usize, memory: usize) -> (Arc<Bodies>, Arc<MemoryBackend>) {
        let backend = Arc::new(MemoryBackend::default());
        let limits = BodyLimits { max_size, large, memory };
        (Arc::new(Bodies::new(backend.clone(), BodyId(0), limits, None)), backend)
    }

    #[test]
    fn a_small_body_stays_in_memory_and_gives_it_back() {
        let (bodies, backend) = bodies(1000, 100, 1000);
        let mut sink = bodies.begin(0).unwrap();
        sink.write(b"hello ").unwrap();
        sink.write(b"world").unwrap();
        let body = sink.seal().unwrap();
        assert_eq!((body.size(), body.to_store().unwrap().as_slice()), (11, &b"hello world"[..]));
        assert_eq!(bodies.in_memory.load(Ordering::Relaxed), 11);
        assert!(bodies.is_live(body.id()));
        let id = body.id();
        drop(body);
        assert!(!bodies.is_live(id));
        assert_eq!(bodies.in_memory.load(Ordering::Relaxed), 0);
        assert_eq!(backend.large_bodies(), 0);
    }

    #[test]
    fn a_large_body_goes_out_and_is_removed_if_nobody_names_it() {
        let (bodies, backend) = bodies(1000, 100, 1000);
        let mut sink = bodies.begin(0).unwrap();
        sink.write(&[1; 60]).unwrap();
        assert!(!sink.is_large());
        sink.write(&[2; 60]).unwrap();
        assert!(sink.is_large());
        assert_eq!(bodies.in_memory.load(Ordering::Relaxed), 0);
        let body = sink.seal().unwrap();
        assert_eq!(body.to_store(), None);
        assert_eq!(backend.large_bodies(), 1);
        drop(body);
        assert_eq!(backend.large_bodies(), 0);
    }

    #[test]
    fn bodies_beyond_the_memory_allowed_go_out() {
        let (bodies, _backend) = bodies(1000, 100, 50);
        let mut first = bodies.begin(0).unwrap();
        first.write(&[1; 40]).unwrap();
        let mut second = bodies.begin(0).unwrap();
        second.write(&[1; 40]).unwrap();
        assert!(!first.is_large() && second.is_large());
    }

    #[test]
    fn the_size_limit_holds_for_announced_and_real_sizes() {
        let (bodies, _backend) = bodies(100, 1000, 1000);
        assert!(matches!(bodies.begin(101), Err(StoreError::TooLarge { max: 100 })));
        let mut sink = bodies.begin(100).unwrap();
        sink.write(&[0; 100]).unwrap();
        assert!(matches!(sink.write(&[0]), Err(StoreError::TooLarge { max: 100 })));
    }

    #[test]
    fn numbers_ascend_past_what_is_stored() {
        let backend = Arc::new(MemoryBackend::default());
        let limits = BodyLimits { max_size: 1, large: 1, memory: 1 };
        let ahead = BodyId(u64::MAX >> 1);
        let bodies = Arc::new(Bodies::new(backend, BodyId(ahead.0 - 10), limits, None));
        assert!(bodies.next_id() < bodies.next_id());
        assert!(bodies.next_id() < ahead);
    }
}
