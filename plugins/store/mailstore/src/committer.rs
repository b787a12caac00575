//! The one thread that changes anything: takes what waits, plans it account by account, makes it durable in one
//! batch, then answers all.
//!
//! What a commit changed is shown to those who look ([`crate::view`]) when it is durable and before it is answered.
//!
//! It never waits for more to come: while the disk is busy with one batch, the next one gathers. If a batch fails,
//! every commit in it gets that error and the accounts are read anew. Bounds: [`MAX_BATCH`], [`MAX_BATCH_BYTES`],
//! [`MAX_WAITING`].

use std::collections::{BTreeMap, HashMap};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::mpsc::{sync_channel, Receiver, SyncSender, TrySendError};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use crate::account::{Account, Cache};
use crate::backend::{Backend, Batch, PartCommit, PartOutcome};
use crate::body::{Bodies, Body};
use crate::error::{BackendError, StoreError};
use crate::limits::{MAX_BATCH, MAX_BATCH_BYTES, MAX_WAITING};
use crate::observer::Observer;
use crate::options::{Clock, Options};
use crate::plan::{Context, Output, Plan, Writes};
use crate::types::{MailOp, OpResult};
use crate::view::{View, Views};

/// How often a batch is planned anew because another writer changed one of its accounts.
const MAX_TRIES: usize = 5;

/// What to do with an account.
pub(crate) enum Work {
    Ops(Vec<MailOp>),
    /// Finish deletions, and give up bodies that lost their last reference before this time.
    Collect {
        before: u64,
    },
    /// Read a mailbox into its view, while nothing changes.
    Load(Arc<View>),
}

/// What was done, and is durable.
pub(crate) enum Outcome {
    /// One result for each operation.
    Ops(Vec<OpResult>),
    /// How many bodies were looked at, and whether there is more to do.
    Collected { bodies: usize, more: bool },
    /// The view is as the last commit left it.
    Loaded,
}

/// Gets what a commit came to.
pub(crate) type Reply = Box<dyn FnOnce(Result<Outcome, StoreError>) + Send>;

struct Job {
    account: String,
    work: Work,
    reply: Reply,
}

/// The committer's near end. Dropping it ends the thread when all that waits is done.
pub(crate) struct Committer {
    queue: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    pub(crate) fn start(
        backend: Arc<dyn Backend>,
        bodies: Arc<Bodies>,
        views: Arc<Views>,
        options: &Options,
    ) -> Result<Self, BackendError> {
        let (queue, jobs) = sync_channel(MAX_WAITING);
        let (clock, observer) = (options.clock.clone(), options.observer.clone());
        let new_mailboxes = options.new_account_mailboxes.clone();
        let mut worker = Worker { backend, bodies, views, clock, observer, new_mailboxes, cache: Cache::default() };
        let thread = (options.threads)("store-commit", Box::new(move || worker.run(&jobs)))
            .map_err(|error| BackendError::io("starting the committer's thread", error))?;
        Ok(Committer { queue: Some(queue), thread: Some(thread) })
    }

    /// Hands in a commit. `reply` is called from the committer's thread, or here if the commit can't be taken.
    pub(crate) fn submit(&self, account: String, work: Work, reply: Reply) {
        let Some(queue) = &self.queue else {
            return reply(Err(StoreError::Closed));
        };
        match queue.try_send(Job { account, work, reply }) {
            Ok(()) => {}
            Err(TrySendError::Full(job)) => (job.reply)(Err(StoreError::Busy { limit: MAX_WAITING })),
            Err(TrySendError::Disconnected(job)) => (job.reply)(Err(StoreError::Closed)),
        }
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.queue = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the committer's thread panicked; commits that waited were not acknowledged, and clients try again. Report this");
        }
    }
}

struct Worker {
    backend: Arc<dyn Backend>,
    bodies: Arc<Bodies>,
    views: Arc<Views>,
    clock: Clock,
    observer: Arc<dyn Observer>,
    new_mailboxes: Vec<(String, u8)>,
    cache: Cache,
}

/// The commits to one account in a batch, planned.
struct Planned {
    account: String,
    state: Account,
    jobs: Vec<Job>,
    outcomes: Vec<Outcome>,
    output: Output,
}

impl Worker {
    fn run(&mut self, queue: &Receiver<Job>) {
        while let Ok(first) = queue.recv() {
            let mut bytes = first.work.bytes();
            let mut jobs = vec![first];
            while jobs.len() < MAX_BATCH && bytes < MAX_BATCH_BYTES {
                let Ok(job) = queue.try_recv() else { break };
                bytes += job.work.bytes();
                jobs.push(job);
            }
            // A defect in planning one batch must not end all commits: its callers hear that nothing is acknowledged.
            if catch_unwind(AssertUnwindSafe(|| self.commit(jobs))).is_err() {
                tracing::error!("a batch of commits panicked; none of it was acknowledged, and clients try again. Report this with the lines before it");
                self.cache = Cache::default();
                self.views.refresh(&*self.backend, None);
            }
        }
    }

    fn commit(&mut self, jobs: Vec<Job>) {
        let (loads, mut jobs): (Vec<Job>, Vec<Job>) =
            jobs.into_iter().partition(|job| matches!(job.work, Work::Load(_)));
        loads.into_iter().for_each(|job| self.load(job));
        for _ in 0..MAX_TRIES {
            jobs = self.try_commit(jobs);
            if jobs.is_empty() {
                return;
            }
        }
        let error = BackendError::io("committing", format!("another writer was faster {MAX_TRIES} times"));
        jobs.into_iter().for_each(|job| (job.reply)(Err(error.clone().into())));
    }

    fn load(&self, job: Job) {
        let Work::Load(view) = &job.work else { return };
        let loaded = view.load_now(&*self.backend);
        (job.reply)(loaded.map(|()| Outcome::Loaded));
    }

    /// Plans and commits; returns what must be tried again.
    fn try_commit(&mut self, jobs: Vec<Job>) -> Vec<Job> {
        let mut system = Writes::new();
        let mut planned = Vec::new();
        for (account, jobs) in by_account(jobs) {
            match self.plan(&account, &jobs, &system) {
                Ok((state, outcomes, mut output)) => {
                    system.append(&mut output.system);
                    planned.push(Planned { account, state, jobs, outcomes, output });
                }
                Err(error) => {
                    tracing::warn!(%error, account, "nothing was stored for this account; clients were told to try later");
                    jobs.into_iter().for_each(|job| (job.reply)(Err(error.clone().into())));
                }
            }
        }
        let batch = match self.batch(&mut planned, system) {
            Ok(batch) if batch.is_empty() => {
                planned.into_iter().for_each(|p| self.acknowledge(p, None));
                return Vec::new();
            }
            Ok(batch) => batch,
            Err(error) => return self.fail(planned, &error, false),
        };
        let began = Instant::now();
        let outcomes = match self.backend.commit(&batch) {
            Ok(outcomes) => outcomes,
            Err(error) => {
                // It may be on the disk all the same.
                planned.iter().for_each(|p| self.views.refresh(&*self.backend, Some(&p.account)));
                return self.fail(planned, &error, true);
            }
        };
        let all: usize = planned.iter().map(|p| p.jobs.len()).sum();
        let again = self.settle(planned, &batch, &outcomes);
        self.observer.committed(all - again.len(), began.elapsed());
        again
    }

    /// Tells everyone that nothing was stored, and counts it.
    fn fail(&self, planned: Vec<Planned>, error: &BackendError, uncertain: bool) -> Vec<Job> {
        self.observer.failed(planned.iter().map(|p| p.jobs.len()).sum());
        fail(planned, error, uncertain)
    }

    fn plan(
        &mut self,
        account: &str,
        jobs: &[Job],
        system: &Writes,
    ) -> Result<(Account, Vec<Outcome>, Output), BackendError> {
        let mut state = self.cache.take(&*self.backend, account)?;
        let context = Context {
            backend: &*self.backend,
            bodies: &self.bodies,
            now: (self.clock)(),
            system,
            new_mailboxes: &self.new_mailboxes,
        };
        let mut plan = Plan::new(&context, account, &mut state);
        let mut outcomes = Vec::with_capacity(jobs.len());
        for job in jobs {
            let outcome = match &job.work {
                Work::Ops(ops) => plan.run(ops).map(Outcome::Ops),
                Work::Collect { before } => {
                    plan.collect_step(*before).map(|(bodies, more)| Outcome::Collected { bodies, more })
                }
                // Done before there is a plan.
                Work::Load(_) => Ok(Outcome::Loaded),
            };
            match outcome {
                Ok(outcome) => outcomes.push(outcome),
                Err(error) => {
                    disown(account, &plan.output.owned, false);
                    return Err(error);
                }
            }
        }
        let output = plan.finish();
        Ok((state, outcomes, output))
    }

    fn batch(&self, planned: &mut [Planned], system: Writes) -> Result<Batch, BackendError> {
        let mut batch = Batch::default();
        if !system.is_empty() {
            let expect = self.backend.version("")?;
            batch.parts.push(PartCommit { part: String::new(), expect, writes: system.into_iter().collect() });
        }
        let mut put = BTreeMap::new();
        for p in planned {
            put.extend(p.output.put.drain(..));
            batch.drop.append(&mut p.output.drop);
            if !p.output.writes.is_empty() {
                let writes = std::mem::take(&mut p.output.writes).into_iter().collect();
                batch.parts.push(PartCommit { part: p.account.clone(), expect: p.state.version, writes });
            }
        }
        batch.put = put.into_iter().collect();
        Ok(batch)
    }

    /// Answers what is durable; returns what met a conflict.
    fn settle(&mut self, planned: Vec<Planned>, batch: &Batch, outcomes: &[PartOutcome]) -> Vec<Job> {
        let versions: HashMap<&str, PartOutcome> =
            batch.parts.iter().map(|p| p.part.as_str()).zip(outcomes.iter().copied()).collect();
        let all_conflict = versions.get("") == Some(&PartOutcome::Conflict);
        let mut again = Vec::new();
        for p in planned {
            if !all_conflict {
                p.output.bodies.iter().for_each(Body::committed);
            }
            match versions.get(p.account.as_str()) {
                None if !all_conflict => self.acknowledge(p, None),
                Some(PartOutcome::Done(version)) => self.acknowledge(p, Some(*version)),
                _ => {
                    disown(&p.account, &p.output.owned, false);
                    self.views.refresh(&*self.backend, Some(&p.account));
                    again.extend(p.jobs);
                }
            }
        }
        again
    }

    fn acknowledge(&mut self, planned: Planned, version: Option<u64>) {
        let Planned { account, mut state, jobs, outcomes, output } = planned;
        if version.is_some() {
            self.views.apply(&*self.backend, &account, &output.changes);
        }
        state.version = version.unwrap_or(state.version);
        self.cache.put(account, state);
        jobs.into_iter().zip(outcomes).for_each(|(job, outcome)| (job.reply)(Ok(outcome)));
    }
}

impl Work {
    /// About how many bytes it writes.
    fn bytes(&self) -> usize {
        let Work::Ops(ops) = self else { return 0 };
        ops.iter().map(MailOp::weight).sum()
    }
}

/// Groups jobs by account; the order of each account's is kept.
fn by_account(jobs: Vec<Job>) -> Vec<(String, Vec<Job>)> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<(String, Vec<Job>)> = Vec::new();
    for job in jobs {
        match places.get(&job.account) {
            Some(&at) => groups[at].1.push(job),
            None => {
                places.insert(job.account.clone(), groups.len());
                groups.push((job.account.clone(), vec![job]));
            }
        }
    }
    groups
}

/// Tells everyone that nothing was stored; the accounts' states are forgotten with `planned`.
fn fail(planned: Vec<Planned>, error: &BackendError, uncertain: bool) -> Vec<Job> {
    let commits: usize = planned.iter().map(|p| p.jobs.len()).sum();
    tracing::error!(%error, commits, "the store could not commit; nothing was acknowledged, and clients try again");
    for p in planned {
        disown(&p.account, &p.output.owned, uncertain);
        p.jobs.into_iter().for_each(|job| (job.reply)(Err(error.clone().into())));
    }
    Vec::new()
}

fn disown(account: &str, bodies: &[Body], uncertain: bool) {
    bodies.iter().for_each(|body| body.failed(account, uncertain));
}
