//! The one thread that changes the database.
//!
//! All changes that wait share the next transaction. If it fails, each of them is told so, and the connection, in whatever
//! state it may be, is opened anew for the next one.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use dovetail_sdk::kv::{KvErrorCode, KvFailure};
use dovetail_sdk::metrics::{counter, Counter};
use dovetail_sdk::{task, time};
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use crate::change::{self, Change, Done, Outcome};
use crate::database::{Database, DatabaseError};

/// So many changes may wait; who comes later waits for a place.
pub const QUEUE: usize = 1024;
/// So many changes share a transaction.
const BATCH: usize = 256;
/// So many ended entries are removed in one transaction.
const SWEEP: u32 = 1000;

/// The writer, as the service sees it.
pub struct Writer {
    /// `None` once it was stopped.
    requests: Mutex<Option<mpsc::Sender<Request>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Request {
    Change(Change, oneshot::Sender<Outcome>),
    Sweep(oneshot::Sender<()>),
}

impl Writer {
    /// Opens the database and starts the thread. Blocks.
    pub fn start(database: Arc<Database>, max_entries: u64) -> Result<Self, DatabaseError> {
        let connection = database.open_writer()?;
        let (sender, receiver) = mpsc::channel(QUEUE);
        let name = database.name();
        let mut work = Work {
            database,
            connection: Some(connection),
            max_entries,
            changes: counter("kv_changes_total", "Changes of values that were made durable", &[]),
            commits: counter("kv_commits_total", "Transactions that they shared", &[]),
        };
        let thread = task::thread("kv-writer", move || work.run(receiver))
            .map_err(|error| DatabaseError::Thread { path: name, error })?;
        Ok(Writer { requests: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)) })
    }

    /// Makes a change; an answer means that it is on the disk.
    pub async fn change(&self, change: Change) -> Outcome {
        let (answer, outcome) = oneshot::channel();
        self.send(Request::Change(change, answer)).await?;
        outcome.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Removes all that has ended.
    pub async fn sweep(&self) -> Result<(), KvFailure> {
        let (answer, swept) = oneshot::channel();
        self.send(Request::Sweep(answer)).await?;
        swept.await.map_err(|_| stopped())
    }

    /// Ends the thread after what was asked for before; what comes later is refused.
    pub async fn stop(&self) {
        drop(self.requests.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A thread that panicked has been reported.
            let _ = task::spawn_blocking(move || thread.join().is_ok()).await;
        }
    }

    async fn send(&self, request: Request) -> Result<(), KvFailure> {
        let sender = self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone();
        sender.ok_or_else(stopped)?.send(request).await.map_err(|_| stopped())
    }
}

fn stopped() -> KvFailure {
    KvFailure { code: KvErrorCode::Unavailable, message: "the values' database is closed".to_owned() }
}

struct Work {
    database: Arc<Database>,
    /// `None` after a failure.
    connection: Option<Connection>,
    max_entries: u64,
    changes: Counter,
    commits: Counter,
}

impl Work {
    fn run(&mut self, mut requests: mpsc::Receiver<Request>) {
        while let Some(first) = requests.blocking_recv() {
            let mut changes = Vec::new();
            let mut sweeps = Vec::new();
            let mut next = Some(first);
            while let Some(request) = next {
                match request {
                    Request::Change(change, answer) => changes.push((change, answer)),
                    Request::Sweep(answer) => sweeps.push(answer),
                }
                next = if changes.len() < BATCH { requests.try_recv().ok() } else { None };
            }
            if !changes.is_empty() {
                self.batch(changes);
            }
            if !sweeps.is_empty() {
                self.sweep();
                for answer in sweeps {
                    // Whoever asked may be gone.
                    let _ = answer.send(());
                }
            }
        }
    }

    fn batch(&mut self, changes: Vec<(Change, oneshot::Sender<Outcome>)>) {
        let max_entries = self.max_entries;
        let made = self.transaction("changing", |transaction| {
            let now = time::unix_milliseconds();
            changes.iter().map(|(change, _)| change::make(transaction, change, now, max_entries)).collect()
        });
        let outcomes: Vec<Outcome> = match made {
            Ok(outcomes) => {
                self.changes.add(changes.len() as u64);
                self.commits.inc();
                outcomes
            }
            Err(error) => {
                tracing::error!(%error, changes = changes.len(), "values were not changed; look for room on the disk and for its errors");
                let failure = KvFailure { code: KvErrorCode::Failed, message: error.to_string() };
                changes.iter().map(|_| Err::<Done, _>(failure.clone())).collect()
            }
        };
        for ((_, answer), outcome) in changes.into_iter().zip(outcomes) {
            // Whoever asked may be gone.
            let _ = answer.send(outcome);
        }
    }

    fn sweep(&mut self) {
        loop {
            match self.transaction("sweeping", |it| change::sweep(it, time::unix_milliseconds(), SWEEP)) {
                Ok(swept) if swept < u64::from(SWEEP) => return,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "values that have ended were not removed; it is tried again");
                    return;
                }
            }
        }
    }

    fn transaction<T>(
        &mut self,
        doing: &'static str,
        work: impl FnOnce(&rusqlite::Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, DatabaseError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.database.open_writer()?,
        };
        let all = || {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        // On an error the connection is dropped, and with it whatever state the failure left it in.
        let done = all().map_err(|error| self.database.failed(doing, error))?;
        self.connection = Some(connection);
        Ok(done)
    }
}
