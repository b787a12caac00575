//! The folder in use: the current snapshot, swapped whole when the folder has changed.
//!
//! A [look](Live::look) finds out what has changed and reads that; [taking](Live::take) what it found puts it into service.
//! In between, somebody may refuse a pair that was read. Whoever calls lets one look at a time be.
//!
//! A pair that can't be read, doesn't match or was refused keeps its previous version in service, alone: another pair of
//! its identity may change meanwhile. It is reported once for each content of its files. A pair whose certificate is gone
//! from the folder is withdrawn. Only pairs that changed are read again.
//!
//! What a client gets also changes with time alone, when a certificate begins or ends: a look after the
//! [turn](Snapshot::turn) of the snapshot orders anew what is served, and reads those files again of which the time may make
//! another chain.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use time::OffsetDateTime;

use crate::folder::{scan, FolderError, PairFiles, Stamp};
use crate::identity::{Pair, PairError, PairProblem};
use crate::name::CertName;
use crate::prove::Proof;
use crate::reading;
use crate::snapshot::{IdentitySet, Snapshot};

/// The folder and what was last read from it.
pub struct Live {
    folder: PathBuf,
    default: Option<CertName>,
    current: ArcSwap<Snapshot>,
    broken: ArcSwap<BTreeMap<CertName, String>>,
    first: u64,
    generation: AtomicU64,
    reading: Mutex<Reading>,
}

/// What only a look touches.
struct Reading {
    next_id: u64,
    /// Contents that failed, so that each is reported once.
    failed: HashMap<CertName, Failed>,
    /// The folder's own times at the last full look, `None` until it can be relied on.
    seen: Option<SystemTime>,
    looks: u32,
}

/// Files that can't be used.
struct Failed {
    stamp: Stamp,
    reason: String,
    /// Whether it was the judge who said so.
    judged: bool,
    /// Whether it may be another matter at the next look.
    again: bool,
}

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// At the cost of one system call most of the time: for a timer where nothing tells of changes.
    Quick,
    /// At all files.
    Whole,
}

/// What a look has found; not in service yet.
pub struct Found {
    folder: PathBuf,
    pairs: BTreeMap<CertName, Stamp>,
    /// Read and proved.
    fresh: Vec<Arc<Pair>>,
    failed: Vec<(CertName, PairError, bool)>,
    settled: Option<SystemTime>,
}

impl Found {
    /// The pairs that were read, to be judged.
    pub fn fresh(&self) -> Vec<Arc<Pair>> {
        self.fresh.clone()
    }

    /// This pair isn't to be served.
    pub fn refuse(&mut self, pair: &Arc<Pair>, problem: PairProblem) {
        self.fresh.retain(|fresh| !Arc::ptr_eq(fresh, pair));
        let files = PairFiles::of(&self.folder, pair.name());
        // Read after the scan, perhaps with other contents than were there then.
        self.pairs.insert(pair.name().clone(), pair.stamp);
        self.failed.push((pair.name().clone(), PairError::new(&files, problem), true));
    }
}

/// What became of it.
#[derive(Debug, Default)]
pub struct Changes {
    /// Pairs that are new or have new contents.
    pub loaded: Vec<CertName>,
    /// Pairs that are gone.
    pub withdrawn: Vec<CertName>,
    /// Pairs that can't be used, reported for the first time.
    pub failed: Vec<PairError>,
    /// Whether some clients get another certificate only because one has begun or ended.
    pub turned: bool,
}

impl Changes {
    /// Whether another snapshot is being served now.
    pub fn any(&self) -> bool {
        self.turned || !self.loaded.is_empty() || !self.withdrawn.is_empty()
    }
}

impl Live {
    /// Nothing is read before the first look.
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
            first,
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

    /// What is wrong with pairs of an identity whose files can't be used.
    pub fn broken(&self, name: &str) -> Vec<String> {
        let Ok(identity) = CertName::new(name).map(|name| name.identity()) else {
            return Vec::new();
        };
        let broken = self.broken.load();
        broken.iter().filter(|(name, _)| name.identity() == identity).map(|(_, reason)| reason.clone()).collect()
    }

    /// What is wrong with each pair whose files can't be used.
    pub fn all_broken(&self) -> Arc<BTreeMap<CertName, String>> {
        self.broken.load_full()
    }

    /// Counts the snapshots: another number, another snapshot.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// How often the snapshot has changed.
    pub fn turns(&self) -> u64 {
        self.generation().saturating_sub(self.first)
    }

    /// Looks at the folder, and reads what has changed; `None` if a quick look finds nothing.
    pub fn look(&self, how: How, now: OffsetDateTime) -> Result<Option<Found>, FolderError> {
        self.look_by(how, now, Proof::Signature)
    }

    fn look_by(&self, how: How, now: OffsetDateTime, proof: Proof) -> Result<Option<Found>, FolderError> {
        let mut reading = self.reading();
        reading.looks = reading.looks.wrapping_add(1);
        let modified = std::fs::metadata(&self.folder).and_then(|meta| meta.modified()).ok();
        // Every publication renames or links, which shows in the folder's own time. A file that something else
        // wrote in place doesn't, so the files themselves are looked at every now and then.
        let before = self.snapshot();
        let quiet = modified.is_some()
            && !before.is_due(now)
            && modified == reading.seen
            && !reading.looks.is_multiple_of(FULL_LOOK_EVERY)
            && !reading.failed.values().any(|failed| failed.again);
        if quiet && how == How::Quick {
            return Ok(None);
        }
        // A change in the same tick of the file system's clock would leave the same time: only one that is old now is final.
        let settled = modified.filter(|modified| modified.elapsed().is_ok_and(|age| age > SETTLED));
        let pairs = scan(&self.folder)?;
        let is_served = |pair: &Arc<Pair>, stamp: &Stamp| {
            pair.stamp == *stamp && pair.identity.chain_turn.is_none_or(|turn| now < turn)
        };
        let is_new = |(name, stamp): &(&CertName, &Stamp)| match reading.failed.get(name) {
            Some(failed) if failed.stamp == **stamp => failed.again,
            _ => before.pair(name).is_none_or(|pair| !is_served(pair, stamp)),
        };
        let changed: Vec<&CertName> = pairs.iter().filter(is_new).map(|(name, _)| name).collect();
        let (mut fresh, mut failed) = (Vec::new(), Vec::new());
        for (name, read) in changed.iter().zip(reading::read(&self.folder, &changed, now, proof)) {
            match read {
                Ok(pair) => fresh.push(Arc::new(pair)),
                Err(error) => failed.push(((*name).clone(), error, false)),
            }
        }
        Ok(Some(Found { folder: self.folder.clone(), pairs, fresh, failed, settled }))
    }

    /// Puts what a look has found into service.
    pub fn take(&self, found: Found, now: OffsetDateTime) -> Changes {
        let mut reading = self.reading();
        let before = self.snapshot();
        let mut changes = Changes::default();
        for (name, error, judged) in found.failed {
            let Some(stamp) = found.pairs.get(&name).copied() else { continue };
            let again = matches!(*error.reason, PairProblem::NotChecked { .. });
            let failed = Failed { stamp, reason: error.to_string(), judged, again };
            let known = reading.failed.get(&name);
            if known.is_none_or(|known| known.stamp != failed.stamp || known.reason != failed.reason) {
                changes.failed.push(error);
            }
            reading.failed.insert(name, failed);
        }
        // Files that are gone, or are again what is served.
        reading.failed.retain(|name, failed| found.pairs.get(name) == Some(&failed.stamp));
        let mut fresh: HashMap<CertName, Arc<Pair>> = HashMap::new();
        for pair in found.fresh {
            reading.failed.remove(pair.name());
            changes.loaded.push(pair.name().clone());
            fresh.insert(pair.name().clone(), pair);
        }
        // Better the certificate of yesterday than none.
        let pairs = found.pairs.keys().filter_map(|name| fresh.remove(name).or_else(|| before.pair(name).cloned()));
        let pairs: Vec<Arc<Pair>> = pairs.collect();
        let gone = before.pairs().filter(|pair| !found.pairs.contains_key(pair.name()));
        changes.withdrawn.extend(gone.map(|pair| pair.name().clone()));
        self.serve(&mut reading, pairs, &mut changes, now);
        reading.seen = found.settled;
        changes
    }

    /// Takes a pair out of service that was refused while it was served. One that isn't served any more is left alone.
    pub fn withdraw(&self, pair: &Arc<Pair>, problem: PairProblem, now: OffsetDateTime) -> Changes {
        let mut reading = self.reading();
        let mut changes = Changes::default();
        let before = self.snapshot();
        if !before.pairs().any(|served| Arc::ptr_eq(served, pair)) {
            return changes;
        }
        let error = PairError::new(&PairFiles::of(&self.folder, pair.name()), problem);
        let judged = matches!(*error.reason, PairProblem::Refused { .. });
        let failed = Failed { stamp: pair.stamp, reason: error.to_string(), judged, again: false };
        reading.failed.insert(pair.name().clone(), failed);
        changes.failed.push(error);
        changes.withdrawn.push(pair.name().clone());
        let left = before.pairs().filter(|served| !Arc::ptr_eq(served, pair)).cloned().collect();
        self.serve(&mut reading, left, &mut changes, now);
        changes
    }

    /// Forgets what a judge has said, for there is another one; whether there was anything.
    pub fn forget_verdicts(&self) -> bool {
        let mut reading = self.reading();
        let before = reading.failed.len();
        reading.failed.retain(|_, failed| !failed.judged);
        reading.failed.len() < before
    }

    /// The look and the taking in one, with nobody asked.
    pub fn rescan(&self, now: OffsetDateTime) -> Result<Changes, FolderError> {
        Ok(self.look(How::Whole, now)?.map(|found| self.take(found, now)).unwrap_or_default())
    }

    /// The first look and taking. What it finds is proved by comparison alone; the caller proves it by signature, before or
    /// after the start.
    pub fn open(&self, now: OffsetDateTime) -> Result<Changes, FolderError> {
        let found = self.look_by(How::Whole, now, Proof::Comparison)?;
        Ok(found.map(|found| self.take(found, now)).unwrap_or_default())
    }

    fn serve(&self, reading: &mut Reading, pairs: Vec<Arc<Pair>>, changes: &mut Changes, now: OffsetDateTime) {
        let broken = reading.failed.iter().map(|(name, failed)| (name.clone(), failed.reason.clone()));
        self.broken.store(Arc::new(broken.collect()));
        let before = self.snapshot();
        if !changes.any() && !before.is_due(now) {
            return;
        }
        let mut identities: BTreeMap<CertName, Vec<Arc<Pair>>> = BTreeMap::new();
        for pair in pairs {
            identities.entry(pair.name().identity()).or_default().push(pair);
        }
        let sets = identities.into_iter().filter_map(|(name, pairs)| {
            let set = IdentitySet::new(reading.next_id + 1, pairs, now)?;
            let unchanged = before.named(&name).filter(|known| known.is_of(set.pairs()));
            Some(unchanged.cloned().unwrap_or_else(|| {
                reading.next_id += 1;
                Arc::new(set)
            }))
        });
        let sets: Vec<Arc<IdentitySet>> = sets.collect();
        let kept: HashSet<u64> = sets.iter().map(|set| set.id).collect();
        let retired: Vec<_> = before.sets().filter(|set| !kept.contains(&set.id)).cloned().collect();
        let after = Snapshot::new(sets, retired, self.default.as_ref(), now);
        if !changes.any() {
            if before.chooses_like(&after) {
                self.current.store(Arc::new(before.until_turn_of(&after)));
                return;
            }
            changes.turned = true;
        }
        self.current.store(Arc::new(after));
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    fn reading(&self) -> MutexGuard<'_, Reading> {
        // A panic in between leaves nothing half-done: the snapshot is swapped whole.
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Of so many quick looks, one is at every file.
const FULL_LOOK_EVERY: u32 = 10;
/// After this time a folder's time can't stand for two states.
const SETTLED: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests;
