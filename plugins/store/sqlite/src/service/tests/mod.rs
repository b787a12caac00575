//! The service as other plugins see it.

mod mailbox;
mod stopped;

use dovetail_sdk::store::{
    flag, special_use, Append, Body, FlagAction, FlagChange, Flags, Mailbox, MessageColumns, Store, StoreErrorCode,
    StoreFailure, UidRange,
};
use dovetail_sdk::Purpose;
use dovetail_testkit::TestHost;
use tempfile::TempDir;

use super::Service;

const ANNA: &str = "anna@example.org";

/// A running store, its host and its directory.
struct Running {
    store: Store,
    host: TestHost,
    dir: TempDir,
}

async fn start(section: &str) -> Running {
    let dir = tempfile::tempdir().unwrap();
    let host = TestHost::new().directory(dir.path());
    let started = host.start::<Service>(section, []).await.unwrap();
    Running { store: started.query::<Store>(), host, dir }
}

async fn body(store: &Store, bytes: &[u8]) -> Result<Body, StoreFailure> {
    let sink = store.begin_body(bytes.len() as u64).await?;
    for chunk in bytes.chunks(50_000) {
        sink.write(chunk.into()).await?;
    }
    sink.seal().await
}

fn append(body: &Body, mailbox: &str, delivery: &str) -> Append {
    Append {
        mailbox: mailbox.into(),
        body: body.id().unwrap(),
        flags: Flags { system: flag::FLAGGED, keywords: vec!["$Forwarded".into()] },
        internal_date: 1_700_000_000_123,
        zone: -150,
        delivery_id: delivery.into(),
    }
}

async fn inbox(store: &Store) -> Mailbox {
    store.open(ANNA.into(), "inbox".into()).await.unwrap()
}

async fn read(inbox: &Mailbox, uid: u32, offset: u64, length: u64, piece: u32) -> Result<Vec<u8>, StoreFailure> {
    let reader = inbox.read(uid, offset, length).await?;
    let mut all = Vec::new();
    loop {
        let next = reader.next(piece).await?;
        if next.is_empty() {
            return Ok(all);
        }
        assert!(next.len() <= piece as usize);
        all.extend_from_slice(&next);
    }
}

fn range(first: u32, last: u32) -> UidRange {
    UidRange { first, last }
}

fn all_rows(inbox: &Mailbox) -> MessageColumns {
    inbox.rows(vec![], 0, u32::MAX).unwrap()
}

/// An account's INBOX with so many messages of one octet.
async fn filled(store: &Store, messages: usize) -> Mailbox {
    let body = body(store, b"x").await.unwrap();
    store.append(ANNA.into(), vec![append(&body, "INBOX", ""); messages]).await.unwrap();
    inbox(store).await
}

fn code<T: std::fmt::Debug>(result: Result<T, StoreFailure>) -> StoreErrorCode {
    result.unwrap_err().code
}

#[tokio::test]
async fn a_message_goes_in_and_comes_out_byte_for_byte() {
    let running = start("()").await;
    let store = &running.store;
    // Small, larger than a piece, large enough for a file, empty.
    let sizes = [8_192, 200_000, 700_000, 0];
    let inbox = inbox(store).await;
    for (n, size) in sizes.iter().enumerate() {
        let bytes: Vec<u8> = (0..*size).map(|i: usize| (i * 17 + n) as u8).collect();
        let body = body(store, &bytes).await.unwrap();
        assert_eq!(body.size().unwrap(), *size as u64);
        let done = store.append(ANNA.into(), vec![append(&body, "INBOX", "")]).await.unwrap();
        let uid = n as u32 + 1;
        assert_eq!(done[0].uid, uid);
        drop(body);
        assert_eq!(read(&inbox, uid, 0, u64::MAX, 60_000).await.unwrap(), bytes);
        let part: Vec<u8> = bytes.iter().skip(100).take(1_000).copied().collect();
        assert_eq!(read(&inbox, uid, 100, 1_000, 300).await.unwrap(), part);
        assert_eq!(read(&inbox, uid, *size as u64 + 5, 10, 10).await.unwrap(), b"");
    }
    let usage = store.usage(ANNA.into()).await.unwrap();
    assert_eq!((usage.messages, usage.octets), (4, sizes.iter().sum::<usize>() as u64));
    assert_eq!(running.host.panics().len(), 0);
    assert!(running.dir.path().join("store/mail.sqlite").is_file());
}

#[tokio::test]
async fn mailboxes_are_made_renamed_and_deleted() {
    let running = start("()").await;
    let store = &running.store;
    let names = || async {
        let entries = store.mailboxes(ANNA.into()).await.unwrap();
        entries.into_iter().map(|entry| (entry.name, entry.id != 0, entry.subscribed)).collect::<Vec<_>>()
    };
    let status = |name: &'static str| store.status(ANNA.into(), name.into());
    let inbox = status("InBox").await.unwrap();
    assert_eq!((inbox.name.as_str(), inbox.messages, inbox.uid_next), ("INBOX", 0, 1));
    assert!(inbox.subscribed);
    assert!(store.mailboxes(ANNA.into()).await.unwrap().contains(&inbox));
    for entry in store.mailboxes(ANNA.into()).await.unwrap() {
        if entry.name != "INBOX" {
            store.delete_mailbox(ANNA.into(), entry.name.clone()).await.unwrap();
            store.subscribe(ANNA.into(), entry.name, false).await.unwrap();
        }
    }
    let create = |name: &'static str, special| store.create_mailbox(ANNA.into(), name.into(), special);
    create("Lists/rust", special_use::JUNK).await.unwrap();
    assert_eq!(status("Lists/rust").await.unwrap().special_use, special_use::JUNK);
    assert_eq!(code(create("Lists/rust", 0).await), StoreErrorCode::Exists);
    assert_eq!(code(create("a//b", 0).await), StoreErrorCode::Invalid);
    assert_eq!(code(create("a", 1 << 20).await), StoreErrorCode::Invalid);
    assert_eq!(code(status("Nowhere").await), StoreErrorCode::NotFound);
    let open = store.open(ANNA.into(), "Lists/rust".into()).await.unwrap();
    assert_eq!(code(store.delete_mailbox(ANNA.into(), "Lists".into()).await), StoreErrorCode::HasChildren);
    assert_eq!(code(store.delete_mailbox(ANNA.into(), "INBOX".into()).await), StoreErrorCode::Invalid);
    store.subscribe(ANNA.into(), "Lists/rust".into(), true).await.unwrap();
    store.rename_mailbox(ANNA.into(), "Lists".into(), "Old".into()).await.unwrap();
    assert_eq!(open.state().unwrap().id, status("Old/rust").await.unwrap().id, "a handle stays over a rename");
    assert!(!open.state().unwrap().gone);
    let since = open.state().unwrap().highest_modseq;
    store.delete_mailbox(ANNA.into(), "Old/rust".into()).await.unwrap();
    assert!(open.state().unwrap().gone);
    open.changed(since).await.unwrap();
    let seen = FlagChange {
        uids: vec![range(1, 9)],
        action: FlagAction::Add,
        flags: Flags { system: flag::SEEN, keywords: vec![] },
        unchanged_since: 0,
    };
    assert_eq!(code(open.change_flags(seen).await), StoreErrorCode::NotFound);
    let names = names().await;
    assert!(names.contains(&("INBOX".to_owned(), true, true)), "{names:?}");
    assert!(names.contains(&("Old".to_owned(), true, false)), "{names:?}");
    assert!(
        names.iter().any(|(name, there, subscribed)| name.ends_with("/rust") && !there && *subscribed),
        "{names:?}"
    );
    assert!(names.windows(2).all(|pair| pair[0].0 < pair[1].0), "{names:?}");
}

#[tokio::test]
async fn a_delivery_is_stored_once_and_a_bad_one_not_at_all() {
    let running = start("()").await;
    let store = &running.store;
    let body = body(store, b"x").await.unwrap();
    let first = store.append(ANNA.into(), vec![append(&body, "INBOX", "delivery 1")]).await.unwrap();
    let again = store.append(ANNA.into(), vec![append(&body, "INBOX", "delivery 1")]).await.unwrap();
    assert_eq!(first, again);
    let pair = vec![append(&body, "INBOX", "delivery 2"), append(&body, "Nowhere", "delivery 2")];
    assert_eq!(store.append(ANNA.into(), pair).await.unwrap_err().code, StoreErrorCode::NotFound);
    assert_eq!(inbox(store).await.uids().unwrap(), [1]);
    let id = body.id().unwrap();
    let forgotten = Append { body: id + 1, ..append(&body, "INBOX", "") };
    assert_eq!(store.append(ANNA.into(), vec![forgotten]).await.unwrap_err().code, StoreErrorCode::Invalid);
}

#[tokio::test]
async fn limits_are_kept() {
    let running = start("(max_message_size: 1000)").await;
    let store = &running.store;
    assert_eq!(store.begin_body(1001).await.unwrap_err().code, StoreErrorCode::TooLarge);
    let sink = store.begin_body(0).await.unwrap();
    sink.write(vec![0; 1000].into()).await.unwrap();
    assert_eq!(sink.write(vec![0].into()).await.unwrap_err().code, StoreErrorCode::TooLarge);
    assert_eq!(sink.seal().await.unwrap_err().code, StoreErrorCode::Invalid, "the rest is not the whole");
    let full = start("(reserve: 9000000000000000)").await;
    assert_eq!(full.store.begin_body(0).await.unwrap_err().code, StoreErrorCode::Full);
}

#[tokio::test]
async fn mail_is_there_after_a_restart_and_a_stopped_store_refuses() {
    let dir = tempfile::tempdir().unwrap();
    let host = TestHost::new().directory(dir.path());
    let started = host.start::<Service>("(dir: \"mail\")", []).await.unwrap();
    let store = started.query::<Store>();
    let body = body(&store, b"still here").await.unwrap();
    store.append(ANNA.into(), vec![append(&body, "INBOX", "")]).await.unwrap();
    started.stop().await.unwrap();
    assert_eq!(store.usage(ANNA.into()).await.unwrap_err().code, StoreErrorCode::Stopped);
    drop((body, store));
    let started = host.start::<Service>("(dir: \"mail\")", []).await.unwrap();
    let store = started.query::<Store>();
    let inbox = inbox(&store).await;
    assert_eq!(read(&inbox, 1, 0, 100, 100).await.unwrap(), b"still here");
}

#[tokio::test]
async fn sections_are_checked() {
    let host = TestHost::new();
    for (section, word) in [
        ("(max_message_size: 5000000000)", "max_message_size"),
        ("(dir: \"\")", "dir"),
        ("(large_body_threshold: 100000000)", "large_body_threshold"),
        ("(larg: 1)", "larg"),
    ] {
        let problems = host.check::<Service>(section).unwrap_err();
        assert!(problems.iter().any(|p| p.message.contains(word)), "{section}: {problems:?}");
    }
    assert_eq!(host.check::<Service>("(memory_for_bodies: 1)").unwrap().len(), 1);
    assert!(host.check::<Service>("()").unwrap().is_empty());
}

#[tokio::test]
async fn standing_alone_it_touches_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let host = TestHost::new().directory(dir.path()).purpose(Purpose::Standalone);
    let started = host.start::<Service>("()", []).await.unwrap();
    assert_eq!(started.query::<Store>().usage(ANNA.into()).await.unwrap_err().code, StoreErrorCode::Temporary);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn mail_that_is_refused_for_want_of_room_is_counted() {
    let running = start("(reserve: 9000000000000000000)").await;
    let refusals = || running.host.metric("store_full_refusals_total");
    assert_eq!(refusals(), Some(0));
    let refused = running.store.begin_body(100).await.err().unwrap();
    assert_eq!(refused.code, StoreErrorCode::Full);
    assert_eq!(refusals(), Some(1));
    assert_eq!(running.host.metric("store_commits_total{outcome=\"failed\"}"), Some(0));
}
