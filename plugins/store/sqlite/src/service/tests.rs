//! The service as other plugins see it.

use dovetail_sdk::store::{
    flag, Append, Body, FlagAction, FlagChange, Flags, MessageColumns, Store, StoreErrorCode, StoreFailure,
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
        sink.write(chunk.to_vec()).await?;
    }
    sink.seal().await
}

fn append(body: &Body, mailbox: &str, delivery: &str) -> Append {
    Append {
        mailbox: mailbox.into(),
        body: body.id().unwrap(),
        flags: Flags { system: flag::FLAGGED, keywords: vec!["$Forwarded".into()] },
        internal_date: 1_700_000_000_123,
        delivery_id: delivery.into(),
    }
}

async fn read(store: &Store, uid: u32, offset: u64, length: u64, piece: u32) -> Result<Vec<u8>, StoreFailure> {
    let reader = store.read(ANNA.into(), "INBOX".into(), uid, offset, length).await?;
    let mut all = Vec::new();
    loop {
        let next = reader.next(piece).await?;
        if next.is_empty() {
            return Ok(all);
        }
        assert!(next.len() <= piece as usize);
        all.extend(next);
    }
}

async fn list(store: &Store, first: u32, max: u32) -> MessageColumns {
    store.list(ANNA.into(), "inbox".into(), first, max).await.unwrap()
}

#[tokio::test]
async fn a_message_goes_in_and_comes_out_byte_for_byte() {
    let running = start("()").await;
    let store = &running.store;
    // Small, larger than a piece, large enough for a file, empty.
    let sizes = [8_192, 200_000, 700_000, 0];
    for (n, size) in sizes.iter().enumerate() {
        let bytes: Vec<u8> = (0..*size).map(|i: usize| (i * 17 + n) as u8).collect();
        let body = body(store, &bytes).await.unwrap();
        assert_eq!(body.size().unwrap(), *size as u64);
        let done = store.append(ANNA.into(), vec![append(&body, "INBOX", "")]).await.unwrap();
        let uid = n as u32 + 1;
        assert_eq!(done[0].uid, uid);
        drop(body);
        assert_eq!(read(store, uid, 0, u64::MAX, 60_000).await.unwrap(), bytes);
        let part: Vec<u8> = bytes.iter().skip(100).take(1_000).copied().collect();
        assert_eq!(read(store, uid, 100, 1_000, 300).await.unwrap(), part);
        assert_eq!(read(store, uid, *size as u64 + 5, 10, 10).await.unwrap(), b"");
    }
    let usage = store.usage(ANNA.into()).await.unwrap();
    assert_eq!((usage.messages, usage.octets), (4, sizes.iter().sum::<usize>() as u64));
    assert_eq!(running.host.panics().len(), 0);
    assert!(running.dir.path().join("store/mail.sqlite").is_file());
}

#[tokio::test]
async fn a_new_account_has_an_inbox_and_mailboxes_can_be_made() {
    let running = start("()").await;
    let store = &running.store;
    let inbox = store.status(ANNA.into(), "InBox".into()).await.unwrap();
    assert_eq!((inbox.name.as_str(), inbox.messages, inbox.uid_next), ("INBOX", 0, 1));
    assert_eq!(store.mailboxes(ANNA.into()).await.unwrap(), [inbox]);
    let made = store.create_mailbox(ANNA.into(), "Lists/rust".into()).await.unwrap();
    assert_eq!(made.name, "Lists/rust");
    let code = |result: Result<_, StoreFailure>| result.unwrap_err().code;
    assert_eq!(code(store.create_mailbox(ANNA.into(), "Lists/rust".into()).await), StoreErrorCode::Exists);
    assert_eq!(code(store.create_mailbox(ANNA.into(), "a//b".into()).await), StoreErrorCode::Invalid);
    assert_eq!(code(store.status(ANNA.into(), "Nowhere".into()).await), StoreErrorCode::NotFound);
    let names: Vec<String> = store.mailboxes(ANNA.into()).await.unwrap().into_iter().map(|m| m.name).collect();
    assert_eq!(names, ["INBOX", "Lists", "Lists/rust"]);
}

#[tokio::test]
async fn flags_change_and_messages_go() {
    let running = start("()").await;
    let store = &running.store;
    let body = body(store, b"x").await.unwrap();
    store.append(ANNA.into(), vec![append(&body, "INBOX", ""); 5]).await.unwrap();
    let all = list(store, 1, 100).await;
    assert_eq!(all.uids, [1, 2, 3, 4, 5]);
    assert_eq!(all.dates, [1_700_000_000_123; 5]);
    assert_eq!(all.flags, [flag::FLAGGED; 5]);
    assert_eq!(all.sizes, [1; 5]);
    assert_eq!(list(store, 1, 2).await.uids, [1, 2]);
    assert_eq!(list(store, 3, 2).await.uids, [3, 4]);
    assert_eq!(list(store, 6, 2).await.uids, []);
    let change = |uids: &[u32], unchanged_since| FlagChange {
        mailbox: "INBOX".into(),
        uids: uids.to_vec(),
        action: FlagAction::Replace,
        flags: Flags { system: flag::SEEN, keywords: vec![] },
        unchanged_since,
    };
    assert_eq!(store.change_flags(ANNA.into(), change(&[4, 2, 77, 2], 0)).await.unwrap(), []);
    assert_eq!(list(store, 1, 100).await.flags, [4, 1, 4, 1, 4]);
    assert_eq!(store.change_flags(ANNA.into(), change(&[1, 2], all.modseqs[4])).await.unwrap(), [2]);
    assert_eq!(list(store, 1, 100).await.flags, [1, 1, 4, 1, 4]);
    assert_eq!(store.expunge(ANNA.into(), "INBOX".into(), vec![5, 2, 2, 99]).await.unwrap(), 2);
    assert_eq!(list(store, 1, 100).await.uids, [1, 3, 4]);
    let gone = read(store, 2, 0, 1, 1).await.unwrap_err();
    assert_eq!(gone.code, StoreErrorCode::NotFound);
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
    assert_eq!(list(store, 1, 10).await.uids, [1]);
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
    sink.write(vec![0; 1000]).await.unwrap();
    assert_eq!(sink.write(vec![0]).await.unwrap_err().code, StoreErrorCode::TooLarge);
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
    assert_eq!(store.usage(ANNA.into()).await.unwrap_err().code, StoreErrorCode::Temporary);
    drop((body, store));
    let started = host.start::<Service>("(dir: \"mail\")", []).await.unwrap();
    let store = started.query::<Store>();
    assert_eq!(read(&store, 1, 0, 100, 100).await.unwrap(), b"still here");
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
