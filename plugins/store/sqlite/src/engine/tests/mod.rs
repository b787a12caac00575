//! The back end by itself: the model, what survives a kill, what a full disk does.

mod crash;
mod full;
mod tree;

use std::path::Path;
use std::sync::Arc;

use dovetail_mailstore::testing::behaves_like_the_model;
use dovetail_mailstore::{
    plain_threads, Append, BackendError, Body, DateTime, Done, MailOp, OpResult, Options, Store, StoreError, Usage,
};
use rusqlite::Connection;

use super::{schema, Sqlite};

/// Bytes of the log: few, so that it is folded often.
pub(super) const LOG: u64 = 4 * 1024 * 1024;

pub(super) fn open(dir: &Path) -> Store {
    let options = Options { collect_every: 0, ..Options::default() };
    Store::open(Arc::new(Sqlite::open(dir, 0, LOG, &plain_threads()).unwrap()), options).unwrap()
}

pub(super) fn body(store: &Store, bytes: &[u8]) -> Result<Body, StoreError> {
    let mut sink = store.begin_body(bytes.len() as u64)?;
    bytes.chunks(16 * 1024).try_for_each(|chunk| sink.write(chunk))?;
    sink.seal()
}

pub(crate) fn deliver(store: &Store, account: &str, bytes: &[u8]) -> OpResult {
    let append = Append {
        mailbox: "INBOX".into(),
        body: body(store, bytes)?,
        flags: Default::default(),
        internal_date: DateTime::default(),
        delivery: None,
    };
    store.commit(account, vec![MailOp::Append(vec![append])])?.remove(0)
}

/// All bodies of an account's INBOX, in order.
pub(super) fn bodies(store: &Store, account: &str) -> Vec<Vec<u8>> {
    let inbox = store.find(account, "INBOX").unwrap();
    let (mut bodies, mut next) = (Vec::new(), Some(1));
    while let Some(first) = next {
        let part = store.list(account, inbox, first, u32::MAX, None, 1000).unwrap();
        for row in part.rows {
            let mut bytes = Vec::new();
            while bytes.len() < row.size as usize {
                let read = store.read(row.body, bytes.len() as u64, 100_000).unwrap();
                assert!(!read.is_empty(), "a body is shorter than its row says");
                bytes.extend(read);
            }
            bodies.push(bytes);
        }
        next = part.next;
    }
    bodies
}

#[test]
fn the_back_end_behaves_like_the_model() {
    let dirs = std::cell::RefCell::new(Vec::new());
    let fresh = || {
        let dir = tempfile::tempdir().unwrap();
        let backend = Sqlite::open(dir.path(), 0, LOG, &plain_threads()).unwrap();
        dirs.replace(vec![dir]);
        backend
    };
    let reopen = |backend: Sqlite| {
        drop(backend);
        Sqlite::open(dirs.borrow()[0].path(), 0, LOG, &plain_threads()).unwrap()
    };
    behaves_like_the_model(24, fresh, reopen);
}

#[test]
fn bodies_of_all_sizes_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let sizes = [0, 1, 4095, 8192, 262_143, 262_144, 3_000_000];
    let expected: Vec<Vec<u8>> = sizes.iter().map(|n| (0..*n).map(|i| (i % 251) as u8).collect()).collect();
    {
        let store = open(dir.path());
        for bytes in &expected {
            assert!(matches!(deliver(&store, "anna", bytes), Ok(Done::Appended(_))));
        }
        assert_eq!(bodies(&store, "anna"), expected);
    }
    let store = open(dir.path());
    assert_eq!(bodies(&store, "anna"), expected);
    let bytes = sizes.iter().sum::<usize>() as u64;
    assert_eq!(store.usage("anna").unwrap(), Usage { messages: sizes.len() as u64, bytes });
}

#[test]
fn a_newer_schema_and_a_stranger_are_refused_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    drop(Sqlite::open(dir.path(), 0, LOG, &plain_threads()).unwrap());
    let path = dir.path().join("mail.sqlite");
    let refused = |what: &str| {
        let Err(error) = Sqlite::open(dir.path(), 0, LOG, &plain_threads()) else { panic!("{what} was opened") };
        assert!(matches!(error, BackendError::Schema(_)), "{error}");
        let text = error.to_string();
        assert!(!text.contains('\n') && text.contains("mail.sqlite"), "{text}");
    };
    let raw = Connection::open(&path).unwrap();
    raw.pragma_update(None, "user_version", schema::SCHEMA + 1).unwrap();
    drop(raw);
    refused("a newer schema");
    std::fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    refused("another program's database");
    std::fs::write(&path, "not a database at all, but long enough to look at").unwrap();
    let Err(error) = Sqlite::open(dir.path(), 0, LOG, &plain_threads()) else { panic!("a text file was opened") };
    assert!(error.to_string().contains("mail.sqlite"), "{error}");
}

#[test]
fn the_reserve_refuses_mail_before_the_disk_is_full() {
    let dir = tempfile::tempdir().unwrap();
    let backend = Arc::new(Sqlite::open(dir.path(), u64::MAX / 2, LOG, &plain_threads()).unwrap());
    let store = Store::open(backend, Options { collect_every: 0, ..Options::default() }).unwrap();
    let error = deliver(&store, "anna", b"x").unwrap_err();
    assert!(matches!(error, StoreError::Backend(BackendError::Full { .. })), "{error}");
    assert!(error.is_temporary());
}

#[test]
fn the_log_starts_over() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let message = vec![b'x'; 200_000];
    // Five times the limit, in a log that must stay below three of them.
    for _ in 0..5 * LOG / message.len() as u64 {
        deliver(&store, "anna", &message).unwrap();
    }
    let log = std::fs::metadata(dir.path().join("mail.sqlite-wal")).unwrap().len();
    assert!(log < 3 * LOG, "the log has {log} bytes");
}
