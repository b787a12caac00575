//! What an instance uses and what it breaks: its account.
//!
//! Each generation has an [`Account`]; what it counted is added to its instance's when it ends, so an instance's [`Sum`] only
//! grows as long as any generation of it is there. How its polls are measured is told in [`super::metered`].
//!
//! **Bounds.** [`MAX_FAULTS`] times of faults are remembered a generation. Counting is an addition to an atomic.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
        Arc, Mutex, MutexGuard, PoisonError,
    },
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// So many faults of a generation are remembered by their time; `faults.count` of the config goes up to here.
pub const MAX_FAULTS: usize = 1000;

/// The figures of an account, or the sum of several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// Sessions that began.
    pub sessions: u64,
    /// For so long the instance's code was polled.
    pub polled: Duration,
    /// Octets from clients, as they are on the wire.
    pub octets_in: u64,
    /// Octets to clients.
    pub octets_out: u64,
    /// Panics that were contained.
    pub panics: u64,
}

/// What there is now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Now {
    /// Open sessions.
    pub sessions: u64,
    /// Blocking work that waits or runs.
    pub jobs: u64,
    /// Threads of the plugin's own.
    pub threads: u64,
}

/// The account of one generation.
#[derive(Debug)]
pub struct Account {
    instance: Arc<Instance>,
    figures: Arc<Figures>,
    sessions_now: AtomicU64,
    jobs_now: AtomicU64,
    threads_now: AtomicU64,
    quarantined: AtomicBool,
    faults: Mutex<VecDeque<Instant>>,
}

/// What only grows.
#[derive(Debug, Default)]
struct Figures {
    sessions: AtomicU64,
    nanoseconds: AtomicU64,
    octets_in: AtomicU64,
    octets_out: AtomicU64,
    panics: AtomicU64,
}

impl Figures {
    fn sum(&self) -> Sum {
        Sum {
            sessions: self.sessions.load(Relaxed),
            polled: Duration::from_nanos(self.nanoseconds.load(Relaxed)),
            octets_in: self.octets_in.load(Relaxed),
            octets_out: self.octets_out.load(Relaxed),
            panics: self.panics.load(Relaxed),
        }
    }
}

/// All generations of an instance.
#[derive(Debug, Default)]
struct Instance {
    name: String,
    accounts: Mutex<Accounts>,
}

#[derive(Debug, Default)]
struct Accounts {
    /// Of those that have ended.
    past: Sum,
    /// Of those that have not.
    live: Vec<Arc<Figures>>,
}

/// One list a process, as there is one log: an instance is known by its name.
static INSTANCES: Mutex<BTreeMap<String, Arc<Instance>>> = Mutex::new(BTreeMap::new());

/// Told whenever an instance had a fault.
static FAULT: Notify = Notify::const_new();

/// Resolves when an instance had a fault since this was last asked, or [`look`] was called.
pub async fn any_fault() {
    FAULT.notified().await;
}

/// Has whoever waits in [`any_fault`] look.
pub fn look() {
    FAULT.notify_one();
}

impl Account {
    /// An account for a generation of an instance.
    pub fn open(instance: &str) -> Arc<Account> {
        let mut instances = lock(&INSTANCES);
        let entry = instances
            .entry(instance.to_owned())
            .or_insert_with(|| Arc::new(Instance { name: instance.to_owned(), accounts: Mutex::default() }));
        let figures = Arc::new(Figures::default());
        lock(&entry.accounts).live.push(figures.clone());
        Arc::new(Account {
            instance: entry.clone(),
            figures,
            sessions_now: AtomicU64::new(0),
            jobs_now: AtomicU64::new(0),
            threads_now: AtomicU64::new(0),
            quarantined: AtomicBool::new(false),
            faults: Mutex::default(),
        })
    }

    /// The generation's own figures.
    pub fn own(&self) -> Sum {
        self.figures.sum()
    }

    /// The figures of all generations of the instance.
    pub fn all(&self) -> Sum {
        let accounts = lock(&self.instance.accounts);
        accounts.live.iter().fold(accounts.past, |sum, figures| sum.and(figures.sum()))
    }

    /// What there is now.
    pub fn now(&self) -> Now {
        Now {
            sessions: self.sessions_now.load(Relaxed),
            jobs: self.jobs_now.load(Relaxed),
            threads: self.threads_now.load(Relaxed),
        }
    }

    /// So many more octets came in.
    pub fn received(&self, count: usize) {
        self.figures.octets_in.fetch_add(count as u64, Relaxed);
    }

    /// So many more octets went out.
    pub fn sent(&self, count: usize) {
        self.figures.octets_out.fetch_add(count as u64, Relaxed);
    }

    /// A session begins; it ends when what this gives is dropped.
    pub fn session(self: &Arc<Self>) -> Counted {
        self.figures.sessions.fetch_add(1, Relaxed);
        Counted::new(self, |account| &account.sessions_now)
    }

    /// Blocking work begins to wait for a thread; it has ended when what this gives is dropped.
    pub fn job(self: &Arc<Self>) -> Counted {
        Counted::new(self, |account| &account.jobs_now)
    }

    /// A thread begins; it has ended when what this gives is dropped.
    pub fn thread(self: &Arc<Self>) -> Counted {
        Counted::new(self, |account| &account.threads_now)
    }

    /// The instance's code was polled for so long.
    pub fn polled(&self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.figures.nanoseconds.fetch_add(nanoseconds, Relaxed);
    }

    /// A panic was contained.
    pub fn panicked(&self) {
        self.figures.panics.fetch_add(1, Relaxed);
        let mut faults = lock(&self.faults);
        if faults.len() == MAX_FAULTS {
            faults.pop_front();
        }
        faults.push_back(Instant::now());
        drop(faults);
        look();
    }

    /// How many faults there were since then; at most [`MAX_FAULTS`].
    pub fn faults_within(&self, window: Duration) -> usize {
        lock(&self.faults).iter().rev().take_while(|fault| fault.elapsed() <= window).count()
    }

    /// When there was a fault last.
    pub fn last_fault(&self) -> Option<Instant> {
        lock(&self.faults).back().copied()
    }

    /// Puts the generation into quarantine; `false` if it is there. It never leaves: another one takes its place.
    pub fn quarantine(&self) -> bool {
        !self.quarantined.swap(true, Relaxed)
    }

    /// Whether it takes nothing new.
    pub fn is_quarantined(&self) -> bool {
        self.quarantined.load(Relaxed)
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        // In the order of `open`.
        let mut instances = lock(&INSTANCES);
        let mut accounts = lock(&self.instance.accounts);
        accounts.past = accounts.past.and(self.own());
        accounts.live.retain(|figures| !Arc::ptr_eq(figures, &self.figures));
        if accounts.live.is_empty() {
            instances.remove(&self.instance.name);
        }
    }
}

impl Sum {
    /// Both together.
    pub fn and(self, other: Sum) -> Sum {
        Sum {
            sessions: self.sessions.saturating_add(other.sessions),
            polled: self.polled.saturating_add(other.polled),
            octets_in: self.octets_in.saturating_add(other.octets_in),
            octets_out: self.octets_out.saturating_add(other.octets_out),
            panics: self.panics.saturating_add(other.panics),
        }
    }
}

/// Something that is there until this is dropped.
#[derive(Debug)]
pub struct Counted {
    account: Arc<Account>,
    of: fn(&Account) -> &AtomicU64,
}

impl Counted {
    fn new(account: &Arc<Account>, of: fn(&Account) -> &AtomicU64) -> Counted {
        of(account).fetch_add(1, Relaxed);
        Counted { account: account.clone(), of }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        (self.of)(&self.account).fetch_sub(1, Relaxed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ended_is_in_the_sum_and_what_goes_on_is_counted_while_it_does() {
        let (old, new) = (Account::open("account-test"), Account::open("account-test"));
        old.received(3);
        old.panicked();
        let session = old.session();
        new.received(4);
        assert_eq!((old.now().sessions, old.own().sessions, new.own().sessions), (1, 1, 0));
        let all = Sum { sessions: 1, octets_in: 7, panics: 1, ..Sum::default() };
        assert_eq!((new.all(), old.all()), (all, all));
        drop((old, session));
        assert_eq!(new.all(), all);
        let (job, thread) = (new.job(), new.thread());
        assert_eq!((new.now().jobs, new.now().threads), (1, 1));
        drop((job, thread));
        assert_eq!(new.now(), Now::default());
        drop(new);
        // Nobody of that name is left, so another begins anew.
        assert_eq!(Account::open("account-test").all(), Sum::default());
    }

    #[test]
    fn faults_are_counted_within_their_window_and_bounded() {
        let account = Account::open("faults-test");
        assert_eq!((account.faults_within(Duration::MAX), account.last_fault()), (0, None));
        for _ in 0..MAX_FAULTS + 5 {
            account.panicked();
        }
        assert_eq!(account.faults_within(Duration::from_secs(3600)), MAX_FAULTS);
        assert_eq!(account.own().panics, MAX_FAULTS as u64 + 5);
        assert!(account.last_fault().is_some());
        assert!(account.quarantine() && !account.quarantine() && account.is_quarantined());
    }
}
