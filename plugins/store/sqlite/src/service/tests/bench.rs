//! What an open mailbox answers, and how fast. `cargo test --release -p dovetail-store-sqlite -- --ignored --nocapture
//! answers_a_second`.

use std::sync::Arc;
use std::time::Instant;

use dovetail_mailstore::{plain_threads, BodyId, Options};
use dovetail_sdk::store::{column, Slice};

use super::*;
use crate::engine::Sqlite;

/// Prints how long one of `count` takes.
fn report(what: &str, count: u32, start: Instant) {
    println!("{what}: {:?}", start.elapsed() / count);
}

#[tokio::test]
#[ignore = "a measurement"]
async fn answers_a_second() {
    const READS: u32 = 5_000;
    let running = start("()").await;
    let store = &running.store;
    let sizes = [2_048_usize, 8_192, 65_536, 131_072];
    for size in sizes {
        for n in 0..200 {
            let body = body(store, &vec![b'x'; size]).await.unwrap();
            store.append(ANNA.into(), vec![append(&body, "INBOX", &format!("{size}-{n}"))]).await.unwrap();
        }
    }
    let inbox = inbox(store).await;
    for (n, size) in sizes.iter().enumerate() {
        let uid = |read: u32| n as u32 * 200 + 1 + read % 200;
        let begun = Instant::now();
        for read in 0..READS {
            let reader = inbox.read(uid(read), 0, u64::MAX).await.unwrap();
            assert_eq!(reader.next(1 << 20).await.unwrap().len(), *size);
        }
        report(&format!("read of {size}"), READS, begun);
        let begun = Instant::now();
        for read in 0..READS {
            let slices = vec![Slice { uid: uid(read), offset: 0, length: 1_000 }];
            assert_eq!(inbox.read_slices(slices).await.unwrap().octets.len(), 1_000);
        }
        report(&format!("slice of {size}"), READS, begun);
        if n < 2 {
            let begun = Instant::now();
            for _ in 0..READS / 200 {
                let slices = (0..200).map(|read| Slice { uid: uid(read), offset: 0, length: u64::MAX });
                assert_eq!(inbox.read_slices(slices.collect()).await.unwrap().lengths.len(), 200);
            }
            report(&format!("one of 200 slices of {size}"), READS / 200 * 200, begun);
        }
    }
    let uids: Vec<u32> = (1..=800).collect();
    let begun = Instant::now();
    for _ in 0..50 {
        assert_eq!(inbox.summaries(uids.clone()).await.unwrap().lengths.len(), 800);
    }
    report("summary, 800 at once", 50 * 800, begun);
    let begun = Instant::now();
    for _ in 0..READS {
        inbox.summaries(vec![1]).await.unwrap();
    }
    report("summary, alone", READS, begun);

    let dir = tempfile::tempdir().unwrap();
    let backend = Sqlite::open(dir.path(), 0, 1 << 26, &plain_threads()).unwrap();
    let direct = dovetail_mailstore::Store::open(Arc::new(backend), Options::default()).unwrap();
    for size in sizes {
        for _ in 0..200 {
            crate::engine::tests::deliver(&direct, ANNA, &vec![b'x'; size]).unwrap();
        }
    }
    let bodies: Vec<BodyId> = {
        let view = direct.open_mailbox(ANNA, "INBOX").unwrap();
        view.look(|_, columns| columns.bodies.iter().map(|body| BodyId(*body)).collect())
    };
    for (n, size) in sizes.iter().enumerate() {
        let begun = Instant::now();
        for read in 0..READS as usize {
            assert_eq!(direct.read(bodies[n * 200 + read % 200], 0, 1 << 20).unwrap().len(), *size);
        }
        report(&format!("the library's read of {size}"), READS, begun);
    }

    for _ in 0..100 {
        let body = body(store, b"x").await.unwrap();
        store.append(ANNA.into(), vec![append(&body, "INBOX", ""); 1_000]).await.unwrap();
    }
    let messages = inbox.uids().unwrap().len() as u32;
    for (what, columns) in [("uids", 0), ("flags", column::FLAGS), ("all columns", u32::MAX)] {
        let begun = Instant::now();
        for _ in 0..20 {
            assert_eq!(inbox.rows(vec![], 0, columns).unwrap().uids.len(), messages as usize);
        }
        report(&format!("{what} of a message, {messages} at once"), 20 * messages, begun);
    }
    let begun = Instant::now();
    for _ in 0..20 {
        assert!(inbox.rows(vec![], u64::MAX, column::FLAGS).unwrap().uids.is_empty());
    }
    report("a message that has not changed", 20 * messages, begun);
    let odd: Vec<UidRange> = (1..messages).step_by(2).map(|uid| range(uid, uid)).collect();
    let begun = Instant::now();
    for _ in 0..20 {
        assert_eq!(inbox.rows(odd.clone(), 0, column::FLAGS).unwrap().uids.len(), odd.len());
    }
    report("flags of every other message, by ranges", 20 * odd.len() as u32, begun);
}
