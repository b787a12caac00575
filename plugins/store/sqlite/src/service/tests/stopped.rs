//! A store that is stopped under those who use it, and started again in the same place.

use super::*;
use dovetail_testkit::Started;
use std::future::Future;

async fn again(host: &TestHost) -> (Started<Service>, Store) {
    let started = host.start::<Service>("(large_body_threshold: 1000)", []).await.unwrap();
    let store = started.query();
    (started, store)
}

/// The names of all files in a folder and below it.
fn files(dir: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(files(&entry.path())),
            false => found.push(entry.file_name().into_string().unwrap()),
        }
    }
    found
}

#[tokio::test]
async fn handles_of_a_stopped_store_say_so_and_keep_nothing_open() {
    let dir = tempfile::tempdir().unwrap();
    let host = TestHost::new().directory(dir.path());
    let (started, store) = again(&host).await;
    let first = body(&store, b"one").await.unwrap();
    store.append(ANNA.into(), vec![append(&first, "INBOX", "d1")]).await.unwrap();
    let open = inbox(&store).await;
    let reader = open.read(1, 0, 100).await.unwrap();
    let modseq = open.state().unwrap().highest_modseq;
    let mut waiting = std::pin::pin!(open.changed(modseq));
    assert!(std::task::Poll::is_pending(
        &waiting.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
    ));
    // In memory, in a file, and complete.
    let small = store.begin_body(0).await.unwrap();
    small.write(b"x"[..].into()).await.unwrap();
    let large = store.begin_body(0).await.unwrap();
    large.write(vec![0; 5000].into()).await.unwrap();
    assert_eq!(files(&dir.path().join("store/bodies")).len(), 1);
    let sealed = body(&store, b"never named").await.unwrap();

    started.stop().await.unwrap();
    let left = files(&dir.path().join("store"));
    assert!(!left.iter().any(|name| name.ends_with("-wal")), "the log is folded into the database: {left:?}");
    assert!(files(&dir.path().join("store/bodies")).is_empty(), "{left:?}");

    let stopped = StoreErrorCode::Stopped;
    assert_eq!(code(waiting.await), stopped, "who waits is woken");
    assert_eq!(code(open.state()), stopped);
    assert_eq!(code(open.uids()), stopped);
    assert_eq!(code(open.rows(vec![], 0, 0)), stopped);
    assert_eq!(code(open.recent(false)), stopped);
    assert_eq!(code(open.changed(0).await), stopped);
    assert_eq!(code(open.read(1, 0, 1).await), stopped);
    assert_eq!(code(open.read_slices(vec![]).await), stopped);
    assert_eq!(code(open.summaries(vec![]).await), stopped);
    assert_eq!(code(open.expunge(vec![range(1, 1)], false).await), stopped);
    assert_eq!(code(open.copy(vec![range(1, 1)], "INBOX".into(), false).await), stopped);
    assert_eq!(reader.next(100).await.unwrap(), b"one"[..].into(), "what was read is given out");
    assert_eq!(code(small.write(b"y"[..].into()).await), stopped);
    assert_eq!(code(small.seal().await), stopped);
    assert_eq!(code(large.seal().await), stopped);
    assert_eq!(code(sealed.id()), stopped);
    assert_eq!(code(store.begin_body(0).await), stopped);

    // All those handles live, and the next one has the place to itself.
    let (_started, store) = again(&host).await;
    let inbox = inbox(&store).await;
    assert_eq!(read(&inbox, 1, 0, 100, 100).await.unwrap(), b"one");
    assert_eq!(inbox.uids().unwrap(), [1]);
    assert_eq!(inbox.state().unwrap().highest_modseq, modseq);
    assert_eq!(inbox.recent(false).unwrap(), 1);
    assert!(host.panics().is_empty());
}

#[tokio::test]
async fn what_was_claimed_as_recent_stays_so() {
    let dir = tempfile::tempdir().unwrap();
    let host = TestHost::new().directory(dir.path());
    let (started, store) = again(&host).await;
    let open = filled(&store, 3).await;
    assert_eq!(open.recent(true).unwrap(), 1);
    started.stop().await.unwrap();
    let (_started, store) = again(&host).await;
    assert_eq!(inbox(&store).await.recent(true).unwrap(), 4);
    drop(open);
}

#[tokio::test]
async fn what_is_under_way_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let host = TestHost::new().directory(dir.path());
    let (started, store) = again(&host).await;
    let open = inbox(&store).await;
    let before = started.holders();
    let sink = store.begin_body(0).await.unwrap();
    sink.write(b"x"[..].into()).await.unwrap();
    assert_eq!(started.holders(), before + 1, "a body that is written");
    let body = sink.seal().await.unwrap();
    assert_eq!(started.holders(), before + 1, "the same, complete");
    store.append(ANNA.into(), vec![append(&body, "INBOX", "")]).await.unwrap();
    drop((body, sink));
    // A mailbox that is open, or a body that is being read, can be so for hours.
    let reader = open.read(1, 0, 1).await.unwrap();
    assert_eq!(started.holders(), before);
    drop((reader, open, store));
    assert_eq!(started.holders(), before - 1);
}
