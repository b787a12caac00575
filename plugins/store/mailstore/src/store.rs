//! The store as plugins use it.

use std::sync::mpsc::sync_channel;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::account::read_mailboxes;
use crate::backend::Backend;
use crate::body::{Bodies, BodyLimits, BodySink};
use crate::codec;
use crate::collector::{self, Collected, Collector};
use crate::committer::{Committer, Outcome, Work};
use crate::error::{BackendError, StoreError};
use crate::limits::{MAX_DEPTH, MAX_LIST, MAX_OPS_PER_COMMIT, MAX_READ, MAX_TOMBSTONES};
use crate::names::{self, check_account, SEPARATOR};
use crate::observer::{Nobody, Observer, Totals};
use crate::types::{BodyId, MailOp, Mailbox, MailboxId, MailboxRow, MessageRow, ModSeq, OpResult, Usage};
use crate::uidset::{Uid, UidSet};

/// Seconds since 1970.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Starts a thread with a name.
pub type Threads =
    Arc<dyn Fn(&str, Box<dyn FnOnce() + Send>) -> std::io::Result<std::thread::JoinHandle<()>> + Send + Sync>;

/// What may be configured.
#[derive(Clone)]
pub struct Options {
    /// Bytes of the largest message.
    pub max_message_size: u32,
    /// Bodies of this size or more are stored apart from the rows.
    pub large_body_threshold: usize,
    /// Bytes of all bodies that wait in memory for their commit.
    pub memory_for_bodies: usize,
    /// Seconds for which a body that no message names can still be read.
    pub grace: u64,
    /// Seconds between two collections of such bodies; 0 for none.
    pub collect_every: u64,
    /// The time.
    pub clock: Clock,
    /// How threads are started.
    pub threads: Threads,
    /// Who counts what happens.
    pub observer: Arc<dyn Observer>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            max_message_size: 50 * 1024 * 1024,
            large_body_threshold: 256 * 1024,
            memory_for_bodies: 64 * 1024 * 1024,
            grace: 3600,
            collect_every: 600,
            clock: Arc::new(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())),
            threads: plain_threads(),
            observer: Arc::new(Nobody),
        }
    }
}

/// Names of accounts that are read at a time.
const ACCOUNTS_AT_ONCE: usize = 500;

/// Threads without anything special.
pub fn plain_threads() -> Threads {
    Arc::new(|name, work| std::thread::Builder::new().name(name.to_owned()).spawn(work))
}

/// Expunges since some point (RFC 7162 section 3.2.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Vanished {
    /// These messages are gone.
    Uids(UidSet),
    /// That is too long ago: the client must compare all UIDs.
    Unknown,
}

/// Mailboxes of many accounts on one back end. Dropping it finishes the commits that wait.
pub struct Store {
    // First: no collection begins once the committer goes.
    collector: Option<Collector>,
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub backend: Arc<dyn Backend>,
    pub bodies: Arc<Bodies>,
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
        let bodies = Arc::new(Bodies::new(backend.clone(), backend.newest()?, limits));
        let committer = Committer::start(backend.clone(), bodies.clone(), &options)?;
        let every = options.collect_every;
        let inner = Arc::new(Inner { backend, bodies, committer, options });
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
                Outcome::Collected(_) => Vec::new(),
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

    /// All mailboxes of an account, by number. INBOX is always there; for a new account this waits for a commit.
    pub fn mailboxes(&self, account: &str) -> Result<Vec<Mailbox>, StoreError> {
        check_account(account)?;
        let mut rows = read_mailboxes(&*self.inner.backend, account)?;
        if rows.is_empty() {
            self.commit(account, Vec::new())?;
            rows = read_mailboxes(&*self.inner.backend, account)?;
        }
        let mut mailboxes = Vec::with_capacity(rows.len());
        for row in rows.values() {
            let mut parts = vec![row.name.as_str()];
            let mut parent = row.parent;
            while parent != 0 && parts.len() <= MAX_DEPTH {
                let above = rows.get(&parent).ok_or_else(|| {
                    BackendError::corrupt(
                        format!("mailbox {} of {account}", row.id),
                        format!("there is no {parent} above it"),
                    )
                })?;
                parts.push(&above.name);
                parent = above.parent;
            }
            parts.reverse();
            mailboxes.push(Mailbox { name: parts.join(&SEPARATOR.to_string()), row: row.clone() });
        }
        Ok(mailboxes)
    }

    /// The number of a mailbox. INBOX is always there; for a new account this waits for a commit.
    pub fn find(&self, account: &str, name: &str) -> Result<MailboxId, StoreError> {
        check_account(account)?;
        let parts = names::parts(name)?;
        let mut found = self.look_up(account, &parts)?;
        if found.is_none() && parts == [names::INBOX] {
            self.commit(account, Vec::new())?;
            found = self.look_up(account, &parts)?;
        }
        found.ok_or_else(|| StoreError::NoSuchMailbox { name: name.to_owned() })
    }

    fn look_up(&self, account: &str, parts: &[&str]) -> Result<Option<MailboxId>, StoreError> {
        let mut mailbox = 0;
        for part in parts {
            match self.inner.backend.get(account, &codec::name_key(mailbox, part))? {
                Some(row) => mailbox = codec::read_u32("a mailbox's name", &row)?,
                None => return Ok(None),
            }
        }
        Ok(Some(mailbox))
    }

    /// One mailbox by number.
    pub fn mailbox(&self, account: &str, mailbox: MailboxId) -> Result<MailboxRow, StoreError> {
        check_account(account)?;
        match self.inner.backend.get(account, &codec::mailbox_key(mailbox))? {
            Some(row) => Ok(codec::read_mailbox(mailbox, &row)?),
            None => Err(StoreError::NoSuchMailbox { name: format!("number {mailbox}") }),
        }
    }

    /// Messages with UIDs from `first` to `last`, ascending, at most `limit` and [`MAX_LIST`] of them; [`Listing::next`]
    /// says where to go on. With `changed_since`, only those changed after it are returned, but all count.
    pub fn list(
        &self,
        account: &str,
        mailbox: MailboxId,
        first: Uid,
        last: Uid,
        changed_since: Option<ModSeq>,
        limit: usize,
    ) -> Result<Listing, StoreError> {
        check_account(account)?;
        let limit = limit.clamp(1, MAX_LIST);
        let (from, to) = (codec::message_key(mailbox, first), codec::message_end(mailbox, last));
        let (mut rows, mut seen, mut end) = (Vec::new(), 0, first);
        self.inner.backend.scan(account, &from, &to, limit, &mut |key, row| {
            let row = codec::read_message(codec::read_message_key(key)?.1, row)?;
            seen += 1;
            end = row.uid;
            if changed_since.is_none_or(|since| row.modseq > since) {
                rows.push(row);
            }
            Ok(())
        })?;
        let next = if seen == limit { end.checked_add(1).filter(|next| *next <= last) } else { None };
        Ok(Listing { rows, next })
    }

    /// Reads up to `len` bytes of a body, and no more than [`MAX_READ`]; nothing at its end.
    pub fn read(&self, body: BodyId, offset: u64, len: usize) -> Result<Vec<u8>, StoreError> {
        let bytes = self.inner.backend.read(body, offset, len.min(MAX_READ))?;
        bytes.ok_or(StoreError::NoSuchBody(body.0))
    }

    /// Messages expunged after `since`.
    pub fn vanished(&self, account: &str, mailbox: MailboxId, since: ModSeq) -> Result<Vanished, StoreError> {
        if since < self.mailbox(account, mailbox)?.vanished_floor {
            return Ok(Vanished::Unknown);
        }
        let mut gone = UidSet::new();
        let from = codec::tombstone_key(mailbox, since.saturating_add(1));
        let to = codec::tombstone_key(mailbox, ModSeq::MAX);
        self.inner.backend.scan(account, &from, &to, MAX_TOMBSTONES as usize + 1, &mut |_, row| {
            codec::read_uids(row)?.ranges().iter().for_each(|r| gone.insert_range(r.0, r.1));
            Ok(())
        })?;
        Ok(Vanished::Uids(gone))
    }

    /// What an account uses.
    pub fn usage(&self, account: &str) -> Result<Usage, StoreError> {
        check_account(account)?;
        let Some(row) = self.inner.backend.get(account, codec::HEADER)? else {
            return Ok(Usage::default());
        };
        let header = codec::read_header(&row)?;
        Ok(Usage { messages: header.messages, bytes: header.bytes })
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

/// A part of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Messages, by ascending UID.
    pub rows: Vec<MessageRow>,
    /// Where to go on; nothing if this was all.
    pub next: Option<Uid>,
}
