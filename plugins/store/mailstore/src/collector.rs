//! Finishes deletions of mailboxes, and removes bodies that no message names: those whose last reference went away longer than the grace period ago, and
//! large ones that a crash left without any. Failures are logged and tried again the next time round.

use std::sync::mpsc::{channel, sync_channel, RecvTimeoutError, Sender};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::codec;
use crate::committer::{Outcome, Work};
use crate::error::{BackendError, StoreError};
use crate::store::Inner;
use crate::types::BodyId;

/// Names read at a time.
const PAGE: usize = 500;

/// What a collection found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Collected {
    /// Bodies that accounts had given up.
    pub released: usize,
    /// Large bodies that no account ever named.
    pub orphans: usize,
}

/// Collects from time to time, in its own thread. Dropping it waits for a collection that is under way.
pub(crate) struct Collector {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Collector {
    pub(crate) fn start(inner: Arc<Inner>, every: u64) -> Result<Self, BackendError> {
        let (stop, stopped) = channel::<()>();
        let threads = inner.options.threads.clone();
        let work = move || {
            while stopped.recv_timeout(Duration::from_secs(every)) == Err(RecvTimeoutError::Timeout) {
                match collect(&inner) {
                    Ok(found) if found == Collected::default() => {}
                    Ok(found) => {
                        inner.options.observer.collected(found.released + found.orphans);
                        tracing::info!(released = found.released, orphans = found.orphans, "bodies collected");
                    }
                    Err(error) => {
                        tracing::warn!(%error, "bodies could not be collected; the next round tries again")
                    }
                }
            }
        };
        let thread = threads("store-collect", Box::new(work))
            .map_err(|error| BackendError::io("starting the collector's thread", error))?;
        Ok(Collector { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.stop = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!(
                "the collector's thread panicked; bodies that nobody names stay until the next start. Report this"
            );
        }
    }
}

/// One round.
pub(crate) fn collect(inner: &Inner) -> Result<Collected, StoreError> {
    let before = (inner.options.clock)().saturating_sub(inner.options.grace);
    let mut found = Collected::default();
    let mut after = String::new();
    loop {
        let accounts = inner.backend.parts(&after, PAGE)?;
        for account in &accounts {
            if !account.is_empty() && is_due(inner, account, before)? {
                found.released += release(inner, account, before)?;
            }
        }
        match accounts.into_iter().next_back() {
            Some(last) => after = last,
            None => break,
        }
    }
    found.orphans = remove_orphans(inner, before)?;
    if found != Collected::default() {
        inner.backend.maintain()?;
    }
    Ok(found)
}

/// Whether the account has anything to collect, without waiting for the committer.
fn is_due(inner: &Inner, account: &str, before: u64) -> Result<bool, BackendError> {
    let mut due = false;
    inner.backend.scan(account, &codec::garbage_from(0), &codec::garbage_from(before), 1, &mut |_, _| {
        due = true;
        Ok(())
    })?;
    let (from, to) = codec::all(b'X');
    inner.backend.scan(account, &from, &to, 1, &mut |_, _| {
        due = true;
        Ok(())
    })?;
    Ok(due)
}

/// In small commits, so that deliveries come in between.
fn release(inner: &Inner, account: &str, before: u64) -> Result<usize, StoreError> {
    let mut total = 0;
    loop {
        let (done, outcome) = sync_channel(1);
        let reply = move |outcome| {
            // The receiver is waiting below.
            let _ = done.send(outcome);
        };
        inner.committer.submit(account.to_owned(), Work::Collect { before }, Box::new(reply));
        match outcome.recv().unwrap_or(Err(StoreError::Closed))? {
            Outcome::Collected { bodies, more } => {
                total += bodies;
                if !more {
                    return Ok(total);
                }
            }
            Outcome::Ops(_) | Outcome::Loaded => return Ok(total),
        }
    }
}

/// Removes large bodies older than `before` that no account names.
fn remove_orphans(inner: &Inner, before: u64) -> Result<usize, BackendError> {
    let mut removed = 0;
    let mut after = BodyId(0);
    loop {
        let bodies = inner.backend.list(after, PAGE)?;
        for &body in &bodies {
            // In this order: who holds a body may commit it and let go of it between two questions, but who doesn't
            // hold it now never will, and what he committed is there to be seen.
            if body.seconds() < before && !inner.bodies.is_live(body) && !has_owner(inner, body)? {
                inner.backend.delete(body)?;
                removed += 1;
            }
        }
        match bodies.last() {
            Some(last) => after = *last,
            None => return Ok(removed),
        }
    }
}

fn has_owner(inner: &Inner, body: BodyId) -> Result<bool, BackendError> {
    let (from, to) = codec::owners(body);
    let mut found = false;
    inner.backend.scan("", &from, &to, 1, &mut |_, _| {
        found = true;
        Ok(())
    })?;
    Ok(found)
}
