//! The folder in use: the current snapshot, swapped whole when the folder has changed.
//!
//! A pair that can't be read or doesn't match keeps its previous version in service, and is reported once for
//! each content of its files. A pair whose certificate is gone from the folder is withdrawn. Only pairs that
//! changed are read again.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use time::OffsetDateTime;

use crate::folder::{scan, FolderError, Stamp};
use crate::identity::{Identity, PairError};
use crate::name::CertName;
use crate::snapshot::{IdentitySet, Snapshot};

/// The folder and what was last read from it.
pub struct Live {
    folder: PathBuf,
    default: Option<CertName>,
    current: ArcSwap<Snapshot>,
    broken: ArcSwap<HashMap<CertName, String>>,
    generation: AtomicU64,
    reading: Mutex<Reading>,
}

/// What only a rescan touches.
struct Reading {
    next_id: u64,
    /// Contents that failed, so that each is reported once.
    failed: HashMap<CertName, (Stamp, String)>,
    /// The folder's own times at the last full look, `None` until it can be relied on.
    seen: Option<SystemTime>,
    looks: u32,
}

/// What a rescan found.
#[derive(Debug, Default)]
pub struct Changes {
    /// Pairs that are new or have new contents.
    pub loaded: Vec<CertName>,
    /// Pairs that are gone.
    pub withdrawn: Vec<CertName>,
    /// Pairs that can't be used, reported for the first time.
    pub failed: Vec<PairError>,
}

impl Changes {
    /// Whether another snapshot is being served now.
    pub fn any(&self) -> bool {
        !self.loaded.is_empty() || !self.withdrawn.is_empty()
    }
}

impl Live {
    /// Nothing is read before the first [`Live::rescan`].
    pub fn new(folder: PathBuf, default: Option<CertName>) -> Self {
        // Another instance over the folder may follow this one in the same process, and a TLS provider goes by these
        // numbers: it must not count the same ones again. Nobody changes a certificate every microsecond.
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let first = u64::try_from(since.as_micros()).unwrap_or(1).max(1);
        Self {
            folder,
            default,
            current: ArcSwap::default(),
            broken: ArcSwap::default(),
            generation: AtomicU64::new(first),
            reading: Mutex::new(Reading { next_id: first, failed: HashMap::new(), seen: None, looks: 0 }),
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The current snapshot.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// What is wrong with a pair whose files can't be used.
    pub fn broken(&self, name: &str) -> Option<String> {
        let name = CertName::new(name).ok()?;
        self.broken.load().get(&name).cloned()
    }

    /// Counts the snapshots: another number, another snapshot.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Looks whether the folder may have changed, at the cost of one system call most of the time, and reads what
    /// has. For a timer.
    pub fn poll(&self, now: OffsetDateTime) -> Result<Changes, FolderError> {
        let mut reading = self.reading();
        reading.looks = reading.looks.wrapping_add(1);
        let modified = std::fs::metadata(&self.folder).and_then(|meta| meta.modified()).ok();
        // Every publication renames or links, which shows in the folder's own time. A file that something else
        // wrote in place doesn't, so the files themselves are looked at every now and then.
        let quiet = modified.is_some() && modified == reading.seen;
        if quiet && !reading.looks.is_multiple_of(FULL_LOOK_EVERY) {
            return Ok(Changes::default());
        }
        self.read_changes(&mut reading, modified, now)
    }

    /// Reads what has changed in the folder, now.
    pub fn rescan(&self, now: OffsetDateTime) -> Result<Changes, FolderError> {
        let mut reading = self.reading();
        let modified = std::fs::metadata(&self.folder).and_then(|meta| meta.modified()).ok();
        self.read_changes(&mut reading, modified, now)
    }

    fn read_changes(
        &self,
        reading: &mut Reading,
        modified: Option<SystemTime>,
        now: OffsetDateTime,
    ) -> Result<Changes, FolderError> {
        let pairs = scan(&self.folder)?;
        let before = self.snapshot();
        let mut changes = Changes::default();
        let mut sets: Vec<Arc<IdentitySet>> = Vec::with_capacity(pairs.len());
        for (name, stamp) in &pairs {
            let previous = before.named(name);
            let known = previous.is_some_and(|set| set.stamp == *stamp)
                || reading.failed.get(name).is_some_and(|(failed, _)| failed == stamp);
            if known {
                sets.extend(previous.cloned());
                continue;
            }
            match Identity::load(&self.folder, name, now) {
                Ok((identity, stamp)) => {
                    let id = reading.next_id;
                    reading.next_id += 1;
                    reading.failed.remove(name);
                    changes.loaded.push(name.clone());
                    sets.push(Arc::new(IdentitySet { id, identities: vec![identity], stamp }));
                }
                Err(error) => {
                    // Better the certificate of yesterday than none.
                    sets.extend(previous.cloned());
                    reading.failed.insert(name.clone(), (*stamp, error.to_string()));
                    changes.failed.push(error);
                }
            }
        }
        reading.failed.retain(|name, _| pairs.contains_key(name));
        let broken = reading.failed.iter().map(|(name, (_, reason))| (name.clone(), reason.clone()));
        self.broken.store(Arc::new(broken.collect()));
        let gone = before.sets().filter(|set| !pairs.contains_key(set.name()));
        changes.withdrawn.extend(gone.map(|set| set.name().clone()));
        if changes.any() {
            let retired: Vec<_> = before.sets().cloned().collect();
            let next = Snapshot::new(sets, retired, self.default.as_ref(), now);
            self.current.store(Arc::new(next));
            self.generation.fetch_add(1, Ordering::AcqRel);
        }
        // A change in the same tick of the file system's clock would leave the same time: only an old one is final.
        reading.seen = modified.filter(|modified| modified.elapsed().is_ok_and(|age| age > SETTLED));
        Ok(changes)
    }

    fn reading(&self) -> MutexGuard<'_, Reading> {
        // A panic in between leaves nothing half-done: the snapshot is swapped whole.
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Of so many polls, one looks at every file.
const FULL_LOOK_EVERY: u32 = 10;
/// After this time a folder's time can't stand for two states.
const SETTLED: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests;
