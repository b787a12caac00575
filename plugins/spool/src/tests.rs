//! The plugin as others see it.

use dovetail_sdk::spool::{Spool, SpoolErrorCode, SpoolFailure, SpoolWriter, Spooled};
use dovetail_testkit::{Started, TestHost};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::sealed::{MAX_READ, MAX_SEGMENTS};
use crate::MessageSpool;

struct Scene {
    host: TestHost,
    dir: TempDir,
    started: Started<MessageSpool>,
}

async fn scene(section: &str) -> Scene {
    let dir = tempfile::tempdir().unwrap();
    let host = TestHost::new().directory(dir.path());
    let started = host.start::<MessageSpool>(section, []).await.unwrap();
    Scene { host, dir, started }
}

impl Scene {
    async fn begin(&self, size: u64) -> Result<SpoolWriter, SpoolFailure> {
        self.started.query::<Spool>().begin(size).await
    }

    async fn message(&self, pieces: &[&[u8]]) -> Spooled {
        let writer = self.begin(0).await.unwrap();
        for &piece in pieces {
            writer.write(piece.into()).await.unwrap();
        }
        writer.seal().await.unwrap()
    }
}

/// All of it, in pieces of at most `max`.
async fn read(message: &Spooled, max: u32) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let piece = message.read(all.len() as u64, max).await.unwrap();
        if piece.is_empty() {
            assert_eq!(message.length(), Ok(all.len() as u64));
            return all;
        }
        assert!(piece.len() <= max as usize);
        all.extend_from_slice(&piece);
    }
}

#[tokio::test]
async fn in_memory_and_in_a_file_it_is_the_same_message() {
    let scene = scene("(memory_kib: 1)").await;
    let body = "x".repeat(700);
    let pieces = [&b"A: b\r\n\r"[..], b"\n", body.as_bytes()];
    let small = scene.message(&pieces).await;
    let large = scene.message(&[&pieces[..], &[body.as_bytes(), b"end"]].concat()).await;
    assert_eq!(read(&small, 100).await, pieces.concat());
    assert_eq!(read(&large, 100).await, [pieces.concat(), body.clone().into(), b"end".to_vec()].concat());
    assert_eq!((small.header_length(), large.header_length()), (Ok(8), Ok(8)));
    let large_again = scene.message(&[&vec![b'y'; 3 * MAX_READ as usize]]).await;
    assert_eq!(large_again.read(5, u32::MAX).await.unwrap().len(), MAX_READ as usize);
    assert!(large_again.read(u64::MAX, 1).await.unwrap().is_empty());
    // Files have no names, so that nothing can be left of them.
    assert_eq!(std::fs::read_dir(scene.dir.path().join("spool")).unwrap().count(), 0);
    assert!(scene.host.panics().is_empty());
}

#[tokio::test]
async fn an_edited_message_shares_what_is_not_new() {
    let scene = scene("(memory_kib: 0)").await;
    let first = scene.message(&[b"A: 1\r\nB: 2\r\n\r\nbody"]).await;
    let before = scene.host.metric("spool_octets");
    let second = first.edited(b"C: 3\r\nB: 2\r\n\r\n".as_slice().into(), 14).await.unwrap();
    let third = second.edited(b"D: 4\r\n".as_slice().into(), 6).await.unwrap();
    drop(second);
    assert_eq!(read(&third, 7).await, b"D: 4\r\nB: 2\r\n\r\nbody");
    assert_eq!(third.header_length(), Ok(14));
    assert_eq!(read(&first, 7).await, b"A: 1\r\nB: 2\r\n\r\nbody");
    // Only the prefixes are new; that of the one in the middle is still used in part.
    assert_eq!((before, scene.host.metric("spool_octets")), (Some(18), Some(18 + 14 + 6)));
    drop(first);
    assert_eq!(read(&third, 7).await, b"D: 4\r\nB: 2\r\n\r\nbody");
    drop(third);
    assert_eq!((scene.host.metric("spool_octets"), scene.host.metric("spool_messages")), (Some(0), Some(0)));
}

#[tokio::test]
async fn editing_has_its_bounds() {
    let scene = scene("(max_message_size: 65536, max_octets: 65536)").await;
    let message = scene.message(&[b"A: 1\r\n\r\n"]).await;
    assert_eq!(message.edited(vec![].into(), 9).await.map(drop).unwrap_err().code, SpoolErrorCode::Failed);
    let full = message.edited(vec![b'x'; 65536].into(), 0).await.map(drop).unwrap_err();
    assert_eq!(full.code, SpoolErrorCode::Full);
    let empty = message.edited(vec![].into(), 8).await.unwrap();
    assert_eq!((read(&empty, 1).await.len(), empty.header_length()), (0, Ok(0)));
    let mut message = message;
    for _ in 1..MAX_SEGMENTS {
        message = message.edited(b"B: 2\r\n".as_slice().into(), 0).await.unwrap();
    }
    let often = message.edited(b"B: 2\r\n".as_slice().into(), 0).await.map(drop).unwrap_err();
    assert!(often.message.contains("too often"), "{often}");
}

#[tokio::test]
async fn limits_end_a_message_and_give_its_room_back() {
    let scene = scene("(memory_kib: 1, max_message_size: 65536, max_messages: 2, max_octets: 100000)").await;
    assert_eq!(scene.begin(65537).await.map(drop).unwrap_err().code, SpoolErrorCode::TooLarge);
    let (first, second) = (scene.begin(1).await.unwrap(), scene.begin(0).await.unwrap());
    let third = scene.begin(0).await.map(drop).unwrap_err();
    assert!(third.code == SpoolErrorCode::Full && third.message.contains("max_messages"), "{third}");
    first.write(vec![b'x'; 60_000].into()).await.unwrap();
    let full = second.write(vec![b'x'; 50_000].into()).await.unwrap_err();
    assert!(full.code == SpoolErrorCode::Full && full.message.contains("max_octets"), "{full}");
    assert_eq!(second.write(vec![b'x'].into()).await.unwrap_err().code, SpoolErrorCode::Failed);
    assert_eq!(second.seal().await.map(drop).unwrap_err().code, SpoolErrorCode::Failed);
    assert_eq!(first.write(vec![b'x'; 6000].into()).await.unwrap_err().code, SpoolErrorCode::TooLarge);
    // A writer that failed keeps nothing.
    assert_eq!(scene.host.metric("spool_octets"), Some(0));
    assert_eq!(scene.host.metric("spool_refused_total"), Some(2));
    drop((first, second));
    let whole = scene.message(&[&[b'x'; 65536]]).await;
    assert_eq!(whole.length(), Ok(65536));
}

#[tokio::test]
async fn a_sealed_message_takes_nothing_more_and_outlives_the_instance() {
    let scene = scene("(memory_kib: 0)").await;
    let writer = scene.begin(0).await.unwrap();
    writer.write(b"x".as_slice().into()).await.unwrap();
    let message = writer.seal().await.unwrap();
    assert!(writer.write(b"y".as_slice().into()).await.is_err() && writer.seal().await.is_err());
    drop(writer);
    scene.started.stop().await.unwrap();
    assert_eq!(read(&message, 5).await, b"x");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn edits_come_to_what_they_say(
        text in "[a-z\r\n]{0,80}",
        edits in proptest::collection::vec(("[A-Z]{0,9}", 0usize..90), 0..6),
        memory in 0usize..2,
        max in 1u32..50,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let scene = scene(&format!("(memory_kib: {memory})")).await;
            let mut message = scene.message(&[text.as_bytes()]).await;
            let mut expected = text.clone().into_bytes();
            for (prefix, skip) in edits {
                let skip = skip.min(expected.len());
                message = message.edited(prefix.as_bytes().into(), skip as u64).await.unwrap();
                expected = [prefix.as_bytes(), &expected[skip..]].concat();
            }
            assert_eq!(read(&message, max).await, expected);
        });
    }
}
