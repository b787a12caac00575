//! What the instance counts for `/metrics`, and shows of itself in `dovetail status`.
//!
//! What happens is counted when it happens. How much there is, is looked up every [`LOOK_EVERY`] in a thread of its own: one
//! row an account, so that a store with a hundred thousand accounts is read in seconds and in the background.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{channel, RecvTimeoutError, Sender};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use dovetail_mailstore::{BackendError, Observer, Store, Threads};
use dovetail_sdk::metrics::{counter, gauge, histogram, Counter, Gauge, Histogram, SECONDS};

/// So often it is looked up how much there is.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// How many commits a batch has, in powers of two.
const BATCHES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];

/// What happens.
pub(crate) struct Figures {
    commits: Counter,
    failed: Counter,
    batch: Histogram,
    seconds: Histogram,
    collected: Counter,
}

impl Figures {
    /// Asks the host for them.
    pub(crate) fn new() -> Self {
        let commits =
            |outcome: &str| counter("store_commits_total", "Commits, by what became of them", &[("outcome", outcome)]);
        Figures {
            commits: commits("durable"),
            failed: commits("failed"),
            batch: histogram("store_batch_commits", "Commits that became durable together", &[], BATCHES),
            seconds: histogram("store_commit_seconds", "How long a batch took, its fsync included", &[], SECONDS),
            collected: counter(
                "store_bodies_collected_total",
                "Bodies that were removed since nothing names them",
                &[],
            ),
        }
    }
}

impl Observer for Figures {
    fn committed(&self, commits: usize, took: Duration) {
        self.commits.add(commits as u64);
        self.batch.observe(commits as f64);
        self.seconds.observe_time(took);
    }

    fn failed(&self, commits: usize) {
        self.failed.add(commits as u64);
    }

    fn collected(&self, bodies: usize) {
        self.collected.add(bodies as u64);
    }
}

/// How often mail was refused since the disk is (almost) full.
pub(crate) fn refusals() -> Counter {
    counter("store_full_refusals_total", "Times that mail was refused since the disk is (almost) full", &[])
}

/// Looks how much there is, from time to time. Dropping it waits for a look that is under way.
pub(crate) struct Lookout {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Lookout {
    /// Looks once, then in a thread. The store may go at any time.
    pub(crate) fn start(store: &Arc<Store>, dir: &Path, threads: &Threads) -> Result<Self, BackendError> {
        let gauges = Gauges::new(dir);
        let store: Weak<Store> = Arc::downgrade(store);
        let (stop, stopped) = channel::<()>();
        let work = move || loop {
            match store.upgrade() {
                Some(store) => gauges.look(&store),
                None => return,
            }
            if stopped.recv_timeout(LOOK_EVERY) != Err(RecvTimeoutError::Timeout) {
                return;
            }
        };
        let thread = threads("store-figures", Box::new(work))
            .map_err(|error| BackendError::io("starting the thread that counts messages", error))?;
        Ok(Lookout { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Lookout {
    fn drop(&mut self) {
        self.stop = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!(
                "the thread that counts messages panicked; the figures of the store stand still. Report this"
            );
        }
    }
}

struct Gauges {
    dir: PathBuf,
    accounts: Gauge,
    messages: Gauge,
    bytes: Gauge,
    free: Gauge,
}

impl Gauges {
    fn new(dir: &Path) -> Self {
        Gauges {
            dir: dir.to_owned(),
            accounts: gauge("store_accounts", "Accounts that have ever had mail", &[]),
            messages: gauge("store_messages", "Messages of all accounts, looked up once a minute", &[]),
            bytes: gauge("store_mail_bytes", "Octets of these messages", &[]),
            free: gauge("store_disk_free_bytes", "Octets free on the disk of the store", &[]),
        }
    }

    fn look(&self, store: &Store) {
        match store.totals() {
            Ok(totals) => {
                self.accounts.set(totals.accounts);
                self.messages.set(totals.messages);
                self.bytes.set(totals.bytes);
            }
            Err(error) => tracing::warn!(%error, "messages were not counted; the figures are those of before"),
        }
        // Where the disk cannot be asked, deliveries will say so.
        if let Ok(stat) = rustix::fs::statvfs(&self.dir) {
            self.free.set(stat.f_bavail.saturating_mul(stat.f_frsize));
        }
    }
}
