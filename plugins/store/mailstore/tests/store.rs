//! The store on the back end in memory: the model, and what must hold when a commit fails.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::Arc;

use dovetail_mailstore::memory::MemoryBackend;
use dovetail_mailstore::testing::behaves_like_the_model;
use dovetail_mailstore::{
    limits, Append, BackendError, Body, DateTime, DeliveryId, Done, FlagChange, FlagNames, Flags, MailOp, OpResult,
    Options, Store, StoreError, Uid, UidSet, Usage,
};

fn open(backend: &Arc<MemoryBackend>) -> Store {
    let options = Options { large_body_threshold: 1000, collect_every: 0, ..Options::default() };
    Store::open(backend.clone(), options).unwrap()
}

fn body(store: &Store, bytes: &[u8]) -> Body {
    let mut sink = store.begin_body(0).unwrap();
    sink.write(bytes).unwrap();
    sink.seal().unwrap()
}

fn append(body: &Body, delivery: Option<u8>) -> MailOp {
    MailOp::Append(vec![message_of(body, delivery)])
}

fn message_of(body: &Body, delivery: Option<u8>) -> Append {
    Append {
        mailbox: "INBOX".into(),
        body: body.clone(),
        flags: FlagNames::default(),
        internal_date: DateTime::default(),
        delivery: delivery.map(|d| DeliveryId([d; 16])),
    }
}

/// UID of a message appended alone, and whether it was there before.
fn appended(result: &OpResult) -> (Uid, bool) {
    match result {
        Ok(Done::Appended(done)) if done.len() == 1 => (done[0].uid, done[0].duplicate),
        other => panic!("{other:?}"),
    }
}

fn messages(store: &Store, account: &str) -> u64 {
    store.usage(account).unwrap().messages
}

#[test]
fn the_store_behaves_like_the_model() {
    behaves_like_the_model(256, MemoryBackend::default, |backend| backend);
}

#[test]
fn a_failed_commit_is_not_acknowledged_and_leaves_nothing() {
    let backend = Arc::new(MemoryBackend::default());
    let store = open(&backend);
    let first = body(&store, b"first");
    backend.fail_commits(1);
    let error = store.commit("anna", vec![append(&first, Some(1))]).unwrap_err();
    assert!(error.is_temporary(), "{error}");
    assert_eq!(store.usage("anna").unwrap(), Usage::default());
    // The same delivery again, as the client's retry would.
    let results = store.commit("anna", vec![append(&first, Some(1))]).unwrap();
    assert_eq!(appended(&results[0]), (1, false));
    let results = store.commit("anna", vec![append(&first, Some(1))]).unwrap();
    assert_eq!(appended(&results[0]), (1, true));
    assert_eq!(messages(&store, "anna"), 1);
}

#[test]
fn a_large_body_of_a_failed_commit_waits_for_collection() {
    let backend = Arc::new(MemoryBackend::default());
    let store = open(&backend);
    let large = body(&store, &[7; 2000]);
    backend.fail_commits(1);
    store.commit("anna", vec![append(&large, None)]).unwrap_err();
    drop(large);
    // Its answer shows that the committer has let go of the batch before.
    store.commit("bert", vec![]).unwrap();
    assert_eq!(backend.large_bodies(), 1, "the commit may come back after a crash");
}

#[test]
fn one_body_for_many_accounts_is_stored_once_and_kept_for_the_last() {
    let backend = Arc::new(MemoryBackend::default());
    let options = Options { grace: 0, collect_every: 0, clock: Arc::new(|| 1 << 40), ..Options::default() };
    let store = Store::open(backend.clone(), options).unwrap();
    let shared = body(&store, b"to all");
    for account in ["anna", "bert", "carl"] {
        store.commit(account, vec![append(&shared, Some(1))]).unwrap();
    }
    let id = shared.id();
    drop(shared);
    assert_eq!(backend.small_bodies(), 1);
    for (gone, left) in [("bert", 1), ("anna", 1), ("carl", 0)] {
        let all = MailOp::Expunge { mailbox: "INBOX".into(), uids: UidSet::all(), only_deleted: false };
        store.commit(gone, vec![all]).unwrap()[0].as_ref().unwrap();
        // Collected are those given up *before* now.
        let later = Options { grace: 0, collect_every: 0, clock: Arc::new(|| (1 << 40) + 1), ..Options::default() };
        let collecting = Store::open(backend.clone(), later).unwrap();
        assert_eq!(collecting.collect().unwrap().released, 1);
        assert_eq!(backend.small_bodies(), left, "after {gone}");
    }
    assert!(matches!(store.read(id, 0, 1), Err(StoreError::NoSuchBody(_))));
}

#[test]
fn what_waits_is_committed_together() {
    let backend = Arc::new(MemoryBackend::default());
    let store = open(&backend);
    let (entered, blocked) = channel();
    let (release, go_on) = channel::<()>();
    // The first answer holds the committer up, so that all others gather.
    store.submit("anna", vec![], move |_| {
        entered.send(()).unwrap();
        go_on.recv().unwrap();
    });
    blocked.recv().unwrap();
    let before = backend.commits();
    let (done, results) = channel();
    for n in 0..100 {
        let message = body(&store, format!("message {n}").as_bytes());
        let done = done.clone();
        let account = if n % 2 == 0 { "anna" } else { "bert" };
        store.submit(account, vec![append(&message, None)], move |r| done.send(r).unwrap());
    }
    release.send(()).unwrap();
    drop(done);
    let mut uids: Vec<Uid> = results.iter().map(|r| appended(&r.unwrap()[0]).0).collect();
    uids.sort_unstable();
    assert_eq!(uids, (1..=50).flat_map(|n| [n, n]).collect::<Vec<_>>());
    assert_eq!(backend.commits() - before, 1);
}

#[test]
fn a_commit_on_an_old_version_is_planned_anew() {
    let backend = Arc::new(MemoryBackend::default());
    let store = open(&backend);
    let message = body(&store, b"x");
    store.commit("anna", vec![append(&message, None)]).unwrap();
    backend.disturb("anna");
    backend.disturb("");
    let large = body(&store, &[1; 2000]);
    let results = store.commit("anna", vec![append(&large, None)]).unwrap();
    assert_eq!(appended(&results[0]), (2, false));
    assert_eq!(messages(&store, "anna"), 2);
}

#[test]
fn a_full_disk_refuses_mail_but_lets_it_be_removed() {
    let backend = Arc::new(MemoryBackend::default());
    let store = open(&backend);
    let message = body(&store, b"x");
    store.commit("anna", vec![append(&message, None)]).unwrap();
    backend.set_full(true);
    let full = |e: &StoreError| matches!(e, StoreError::Backend(BackendError::Full { .. })) && e.is_temporary();
    assert!(store.begin_body(0).err().as_ref().is_some_and(full));
    let all = MailOp::Expunge { mailbox: "INBOX".into(), uids: UidSet::all(), only_deleted: false };
    let results = store.commit("anna", vec![append(&message, None), all]).unwrap();
    assert!(results[0].as_ref().is_err_and(full), "{results:?}");
    assert!(results[1].is_ok(), "{results:?}");
    assert_eq!(messages(&store, "anna"), 0);
}

#[test]
fn changing_nothing_writes_nothing() {
    let backend = Arc::new(MemoryBackend::default());
    let store = open(&backend);
    store.commit("anna", vec![]).unwrap();
    let before = backend.commits();
    let op = MailOp::StoreFlags {
        mailbox: "INBOX".into(),
        uids: UidSet::all(),
        change: FlagChange::Add,
        flags: Flags::SEEN.into(),
        unchanged_since: None,
    };
    assert!(matches!(store.commit("anna", vec![op]).unwrap()[0], Ok(Done::Flagged { .. })));
    assert_eq!(backend.commits(), before);
}

#[test]
fn operations_have_a_bound_and_say_where_to_go_on() {
    let backend = Arc::new(MemoryBackend::default());
    let store = open(&backend);
    let message = body(&store, b"x");
    let count = limits::MAX_ROWS_PER_OP + 5;
    for _ in 0..count.div_ceil(limits::MAX_OPS_PER_COMMIT) {
        store.commit("anna", (0..limits::MAX_OPS_PER_COMMIT).map(|_| append(&message, None)).collect()).unwrap();
    }
    let surplus = (0..=limits::MAX_OPS_PER_COMMIT).map(|_| append(&message, None)).collect();
    assert!(matches!(store.commit("anna", surplus), Err(StoreError::Limit { .. })));
    let all = MailOp::Expunge { mailbox: "INBOX".into(), uids: UidSet::all(), only_deleted: false };
    let results = store.commit("anna", vec![all]).unwrap();
    let Ok(Done::Expunged { uids, next, .. }) = &results[0] else { panic!("{results:?}") };
    assert_eq!(uids.len(), limits::MAX_ROWS_PER_OP as u64);
    assert_eq!(*next, Some(limits::MAX_ROWS_PER_OP as Uid + 1));
}

#[test]
fn a_mailbox_takes_no_more_keywords_than_a_word_has_bits() {
    let store = open(&Arc::new(MemoryBackend::default()));
    let message = body(&store, b"x");
    let with = |keyword: String| {
        let mut op = message_of(&message, None);
        op.flags.keywords = vec![keyword];
        vec![MailOp::Append(vec![op])]
    };
    for n in 0..limits::MAX_KEYWORDS {
        store.commit("anna", with(format!("k{n}"))).unwrap()[0].as_ref().unwrap();
    }
    assert!(store.commit("anna", with("K1".into())).unwrap()[0].is_ok(), "known in another case");
    assert!(matches!(store.commit("anna", with("other".into())).unwrap()[0], Err(StoreError::Limit { .. })));
    assert!(matches!(store.commit("anna", with("a b".into())).unwrap()[0], Err(StoreError::BadKeyword { .. })));
    assert_eq!(messages(&store, "anna"), limits::MAX_KEYWORDS as u64 + 1);
}

#[test]
fn messages_of_one_operation_are_stored_all_or_none() {
    let store = open(&Arc::new(MemoryBackend::default()));
    let message = body(&store, b"x");
    let mut elsewhere = message_of(&message, None);
    elsewhere.mailbox = "Nowhere".into();
    let op = MailOp::Append(vec![message_of(&message, Some(1)), elsewhere]);
    let results = store.commit("anna", vec![op]).unwrap();
    assert!(matches!(results[0], Err(StoreError::NoSuchMailbox { .. })), "{results:?}");
    assert_eq!(messages(&store, "anna"), 0);
    let op =
        MailOp::Append(vec![message_of(&message, Some(1)), message_of(&message, Some(1)), message_of(&message, None)]);
    let results = store.commit("anna", vec![op]).unwrap();
    let Ok(Done::Appended(done)) = &results[0] else { panic!("{results:?}") };
    assert_eq!(done.iter().map(|d| (d.uid, d.duplicate)).collect::<Vec<_>>(), [(1, false), (1, true), (2, false)]);
    assert_eq!(messages(&store, "anna"), 2);
}

#[test]
fn a_body_in_someones_hands_is_not_collected_and_can_be_stored_again() {
    let backend = Arc::new(MemoryBackend::default());
    let clock = Arc::new(AtomicU64::new(1000));
    let now = clock.clone();
    let options = Options {
        grace: 10,
        collect_every: 0,
        clock: Arc::new(move || now.load(Ordering::Relaxed)),
        ..Options::default()
    };
    let store = Store::open(backend.clone(), options).unwrap();
    let expunge_and_collect = || {
        let all = MailOp::Expunge { mailbox: "INBOX".into(), uids: UidSet::all(), only_deleted: false };
        store.commit("anna", vec![all]).unwrap()[0].as_ref().unwrap();
        clock.fetch_add(20, Ordering::Relaxed);
        store.collect().unwrap()
    };
    let held = body(&store, b"held");
    let id = held.id();
    store.commit("anna", vec![append(&held, None)]).unwrap();
    assert_eq!(expunge_and_collect().released, 0);
    store.commit("anna", vec![append(&held, None)]).unwrap();
    drop(held);
    clock.fetch_add(20, Ordering::Relaxed);
    store.collect().unwrap();
    assert_eq!(store.read(id, 0, 10).unwrap(), b"held", "a message names it again");
    assert_eq!(expunge_and_collect().released, 1);
    assert_eq!(backend.small_bodies(), 0);
}

#[test]
fn uidvalidity_grows_also_within_a_second() {
    let new_account_mailboxes = Vec::new();
    let options = Options { collect_every: 0, clock: Arc::new(|| 1000), new_account_mailboxes, ..Options::default() };
    let store = Store::open(Arc::new(MemoryBackend::default()), options).unwrap();
    let make = |name: &str| MailOp::CreateMailbox { name: name.into(), special_use: 0 };
    let delete = |name: &str| MailOp::DeleteMailbox { name: name.into() };
    store.commit("anna", vec![make("a"), make("b"), delete("b"), make("b")]).unwrap();
    let validities: Vec<u32> = store.mailboxes("anna").unwrap().iter().map(|m| m.row.uid_validity).collect();
    assert_eq!(validities, [1000, 1001, 1003]);
}
