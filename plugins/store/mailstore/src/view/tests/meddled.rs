//! Loads with commits at the worst moments, and commits whose outcome is not known.

use std::sync::atomic::AtomicBool;
use std::sync::Mutex;

use super::*;
use crate::backend::{Batch, BlobWriter, Blobs, PartKv, PartOutcome, RowVisitor, Version};
use crate::error::BackendError;

/// A back end that lets things happen in between.
#[derive(Default)]
struct Meddling {
    inner: MemoryBackend,
    /// Called after each read by another thread than the committer's, with the first byte of its key.
    meddle: Mutex<Option<Meddler>>,
    /// Commits are done, and said to have failed.
    lies: AtomicBool,
}

type Meddler = Box<dyn FnMut(u8) + Send>;

impl Meddling {
    fn between(&self, key: &[u8]) {
        if std::thread::current().name() == Some("store-commit") {
            return;
        }
        if let (Some(meddle), Some(&kind)) = (&mut *self.meddle.lock().unwrap(), key.first()) {
            meddle(kind);
        }
    }
}

impl PartKv for Meddling {
    fn get(&self, part: &str, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        let row = self.inner.get(part, key);
        self.between(key);
        row
    }
    fn scan(&self, part: &str, from: &[u8], to: &[u8], limit: usize, row: RowVisitor<'_>) -> Result<(), BackendError> {
        let result = self.inner.scan(part, from, to, limit, row);
        self.between(from);
        result
    }
    fn version(&self, part: &str) -> Result<Version, BackendError> {
        self.inner.version(part)
    }
    fn parts(&self, after: &str, limit: usize) -> Result<Vec<String>, BackendError> {
        self.inner.parts(after, limit)
    }
    fn commit(&self, batch: &Batch) -> Result<Vec<PartOutcome>, BackendError> {
        let outcomes = self.inner.commit(batch)?;
        match self.lies.load(Ordering::SeqCst) {
            true => Err(BackendError::io("committing", "the disk went away after the last byte")),
            false => Ok(outcomes),
        }
    }
    fn check_room(&self, bytes: u64) -> Result<(), BackendError> {
        self.inner.check_room(bytes)
    }
    fn maintain(&self) -> Result<(), BackendError> {
        self.inner.maintain()
    }
}

impl Blobs for Meddling {
    fn create(&self, id: BodyId) -> Result<Box<dyn BlobWriter>, BackendError> {
        self.inner.create(id)
    }
    fn read(&self, id: BodyId, offset: u64, len: usize) -> Result<Option<Vec<u8>>, BackendError> {
        self.inner.read(id, offset, len)
    }
    fn delete(&self, id: BodyId) -> Result<(), BackendError> {
        self.inner.delete(id)
    }
    fn list(&self, after: BodyId, limit: usize) -> Result<Vec<BodyId>, BackendError> {
        self.inner.list(after, limit)
    }
    fn newest(&self) -> Result<BodyId, BackendError> {
        self.inner.newest()
    }
}

/// A store on such a back end with one message in INBOX, and an operation that appends another.
fn meddled() -> (Arc<Meddling>, Arc<Store>, MailOp) {
    let backend = Arc::new(Meddling::default());
    let options = Options { collect_every: 0, ..Options::default() };
    let store = Arc::new(Store::open(backend.clone(), options).unwrap());
    let mut sink = store.begin_body(0).unwrap();
    sink.write(b"x").unwrap();
    let op = append_of(&sink.seal().unwrap(), "INBOX", 1);
    store.commit(ANNA, vec![op.clone()]).unwrap();
    (backend, store, op)
}

/// Opens INBOX while `moments` of its loading, told by the number of the read, each see a commit.
fn loads_with_commits(moments: impl Fn(usize) -> bool + Send + 'static, lies: bool) -> usize {
    let (backend, store, op) = meddled();
    backend.lies.store(lies, Ordering::SeqCst);
    let (meddler, commits) = (Arc::downgrade(&store), Arc::new(AtomicUsize::new(0)));
    let (count, mut reads) = (commits.clone(), 0);
    *backend.meddle.lock().unwrap() = Some(Box::new(move |kind| {
        // A load reads the mailbox, its messages, and the mailbox again.
        if kind == b'B' || kind == b'M' {
            if moments(reads) {
                count.fetch_add(1, Ordering::SeqCst);
                assert_eq!(meddler.upgrade().unwrap().commit(ANNA, vec![op.clone()]).is_err(), lies);
            }
            reads += 1;
        }
    }));
    let view = store.open_mailbox(ANNA, "INBOX").unwrap();
    *backend.meddle.lock().unwrap() = None;
    let commits = commits.load(Ordering::SeqCst);
    assert_true(&backend.inner, &view);
    assert_eq!(view.look(|_, columns| columns.uids.len()), 1 + commits);
    commits
}

#[test]
fn a_commit_at_any_moment_of_a_load_is_not_missed() {
    for moment in 0..3 {
        assert_eq!(loads_with_commits(move |read| read == moment, false), 1);
        assert_eq!(loads_with_commits(move |read| read == moment, true), 1);
    }
}

#[test]
fn what_changes_during_every_load_is_loaded_by_the_committer() {
    for moment in 0..3 {
        assert_eq!(loads_with_commits(move |read| read % 3 == moment, false), TRIES);
    }
}

#[test]
fn a_commit_that_failed_and_is_on_the_disk_all_the_same_shows() {
    let (backend, store, op) = meddled();
    let view = store.open_mailbox(ANNA, "INBOX").unwrap();
    let since = view.look(|state, _| state.highest_modseq);
    backend.lies.store(true, Ordering::SeqCst);
    store.commit(ANNA, vec![op.clone()]).unwrap_err();
    assert_true(&backend.inner, &view);
    assert_eq!(view.look(|_, columns| columns.uids.len()), 2);
    view.look(|state, _| assert!(state.highest_modseq > since && state.last_expunge > since, "anything may have gone"));
    backend.lies.store(false, Ordering::SeqCst);
    store.commit(ANNA, vec![op]).unwrap();
    assert_true(&backend.inner, &view);
}

#[test]
fn what_another_store_wrote_shows_with_the_next_commit() {
    let (backend, store, op) = meddled();
    let view = store.open_mailbox(ANNA, "INBOX").unwrap();
    let other = Store::open(backend.clone(), Options { collect_every: 0, ..Options::default() }).unwrap();
    other.commit(ANNA, vec![expunge("INBOX", UidSet::all(), false)]).unwrap();
    store.commit(ANNA, vec![op]).unwrap();
    assert_true(&backend.inner, &view);
    assert_eq!(view.look(|_, columns| columns.uids.clone()), [2]);
}

#[test]
fn a_commit_that_is_in_the_view_already_changes_nothing() {
    let (backend, store, _) = meddled();
    let view = store.open_mailbox(ANNA, "INBOX").unwrap();
    let (row, columns) = read(&backend.inner, ANNA, view.mailbox).unwrap().unwrap();
    let again = MailboxChange { mailbox: view.mailbox, upserts: Vec::new(), expunged: UidSet::all(), row: Some(row) };
    assert!(view.apply(&again));
    view.look(|_, mine| assert_eq!(*mine, columns));
}
