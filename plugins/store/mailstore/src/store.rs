//! The store as plugins use it: bodies and changes; [`crate::read`] has the questions.

use std::sync::mpsc::sync_channel;
use std::sync::Arc;

use crate::backend::Backend;
use crate::body::{Bodies, BodyLimits, BodySink};
use crate::codec;
use crate::collector::{self, Collected, Collector};
use crate::committer::{Committer, Outcome, Work};
use crate::error::{BackendError, StoreError};
use crate::limits::MAX_OPS_PER_COMMIT;
use crate::names::check_account;
use crate::observer::Totals;
use crate::options::Options;
use crate::types::{MailOp, MailboxRef, OpResult};
use crate::view::{View, Views};

/// Names of accounts that are read at a time.
const ACCOUNTS_AT_ONCE: usize = 500;

/// Mailboxes of many accounts on one back end. Dropping it finishes the commits that wait.
pub struct Store {
    // First: no collection begins once the committer goes.
    collector: Option<Collector>,
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub backend: Arc<dyn Backend>,
    pub bodies: Arc<Bodies>,
    pub views: Arc<Views>,
    pub committer: Committer,
    pub options: Options,
}

impl Store {
    /// Opens a store on a back end.
    pub fn open(backend: Arc<dyn Backend>, options: Options) -> Result<Self, BackendError> {
        let limits = BodyLimits {
            max_size: u64::from(options.max_message_size),
            large: options.large_body_threshold,
            memory: options.memory_for_bodies,
        };
        let bodies = Arc::new(Bodies::new(backend.clone(), backend.newest()?, limits, options.summarise.clone()));
        let views = Arc::new(Views::new(options.view_messages));
        let committer = Committer::start(backend.clone(), bodies.clone(), views.clone(), &options)?;
        let every = options.collect_every;
        let inner = Arc::new(Inner { backend, bodies, views, committer, options });
        let collector = if every > 0 { Some(Collector::start(inner.clone(), every)?) } else { None };
        Ok(Store { collector, inner })
    }

    /// Starts a body of about `expected` bytes (0 if not known). Fails if it is too large or the disk too full.
    pub fn begin_body(&self, expected: u64) -> Result<BodySink, StoreError> {
        self.inner.bodies.begin(expected)
    }

    /// Hands in changes to an account and returns. `done` is called, from another thread, when they are durable: one
    /// result for each operation, in order; an error if nothing was done. Operations see what those before them did;
    /// one that fails leaves the others alone.
    pub fn submit(
        &self,
        account: &str,
        ops: Vec<MailOp>,
        done: impl FnOnce(Result<Vec<OpResult>, StoreError>) + Send + 'static,
    ) {
        if let Err(error) = check_account(account) {
            return done(Err(error));
        }
        if ops.len() > MAX_OPS_PER_COMMIT {
            let limit = MAX_OPS_PER_COMMIT as u64;
            return done(Err(StoreError::Limit { what: "operations in one commit", limit }));
        }
        let reply = |outcome: Result<Outcome, StoreError>| {
            done(outcome.map(|outcome| match outcome {
                Outcome::Ops(results) => results,
                Outcome::Collected { .. } | Outcome::Loaded => Vec::new(),
            }))
        };
        self.inner.committer.submit(account.to_owned(), Work::Ops(ops), Box::new(reply));
    }

    /// Like [`Store::submit`], but waits.
    pub fn commit(&self, account: &str, ops: Vec<MailOp>) -> Result<Vec<OpResult>, StoreError> {
        let (done, result) = sync_channel(1);
        self.submit(account, ops, move |results| {
            // The receiver is waiting below.
            let _ = done.send(results);
        });
        result.recv().unwrap_or(Err(StoreError::Closed))
    }

    /// Opens a mailbox in memory; all who have it open share it, and it is as the last acknowledged commit left it. For
    /// INBOX of a new account, and for a mailbox that is not in memory, this waits for the disk.
    pub fn open_mailbox(&self, account: &str, name: &str) -> Result<Arc<View>, StoreError> {
        let mailbox = self.find(account, name)?;
        let opened = self.inner.views.open(&*self.inner.backend, &self.inner.committer, account, mailbox);
        opened.map_err(|error| match error {
            // Deleted between the two.
            StoreError::NoSuchMailbox { .. } => StoreError::NoSuchMailbox { name: name.to_owned() },
            error => error,
        })
    }

    /// Hands in a commit for each mailbox whose recent messages were claimed and that is still open: a store that goes while
    /// mailboxes are open forgets nothing.
    pub fn save_claims(&self) {
        for (view, recent_from) in self.inner.views.unsaved_claims() {
            let op = MailOp::Claim { mailbox: MailboxRef::Id(view.mailbox()), recent_from };
            self.submit(view.account(), vec![op], |result| {
                if let Err(error) = result {
                    tracing::debug!(%error, "recent messages will be recent again");
                }
            });
        }
    }

    /// What all accounts have together. Reads one row an account.
    pub fn totals(&self) -> Result<Totals, StoreError> {
        let mut totals = Totals::default();
        let mut after = String::new();
        loop {
            let accounts = self.inner.backend.parts(&after, ACCOUNTS_AT_ONCE)?;
            for account in accounts.iter().filter(|account| !account.is_empty()) {
                if let Some(row) = self.inner.backend.get(account, codec::HEADER)? {
                    let header = codec::read_header(&row)?;
                    totals.accounts += 1;
                    totals.messages += header.messages;
                    totals.bytes += header.bytes;
                }
            }
            match accounts.into_iter().next_back() {
                Some(last) => after = last,
                None => return Ok(totals),
            }
        }
    }

    /// Removes bodies that no message has named for longer than the grace period, now.
    pub fn collect(&self) -> Result<Collected, StoreError> {
        collector::collect(&self.inner)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.collector = None;
    }
}
