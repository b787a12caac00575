//! An open mailbox.

use dovetail_sdk::store::{
    column, flag, Copied, Expunged, FlagAction, FlagChange, Flags, MailboxEntry, MessageColumns, Pieces, Slice,
    StoreErrorCode, UidRange,
};

use super::*;

#[tokio::test]
async fn rows_come_as_asked_for() {
    let running = start("()").await;
    let inbox = filled(&running.store, 5).await;
    let all = all_rows(&inbox);
    assert_eq!(all.uids, [1, 2, 3, 4, 5]);
    assert_eq!(inbox.uids().unwrap(), all.uids);
    assert_eq!(all.dates, [1_700_000_000_123; 5]);
    assert_eq!(all.zones, [-150; 5]);
    assert_eq!(all.flags, [u64::from(flag::FLAGGED) | 1 << flag::FIRST_KEYWORD; 5]);
    assert_eq!(all.sizes, [1; 5]);
    assert!(all.save_dates.iter().all(|seconds| *seconds > 1_700_000_000));
    let state = inbox.state().unwrap();
    assert_eq!((state.messages, state.unseen, state.uid_next, state.last_expunge), (5, 5, 6, 0));
    assert_eq!(state.keywords, ["$Forwarded"]);
    assert_eq!(state.highest_modseq, all.modseqs[4]);
    let some = inbox.rows(vec![range(2, 3), range(5, u32::MAX)], 0, column::SIZES).unwrap();
    assert_eq!((some.uids, some.sizes), (vec![2, 3, 5], vec![1; 3]));
    assert_eq!((some.flags, some.modseqs, some.dates), (vec![], vec![], vec![]));
    let since = inbox.rows(vec![], all.modseqs[2], column::MODSEQS).unwrap();
    assert_eq!((since.uids.as_slice(), since.modseqs.as_slice()), (&[4, 5][..], &all.modseqs[3..]));
    assert_eq!(inbox.rows(vec![range(6, 9)], 0, u32::MAX).unwrap(), MessageColumns::default());
}

#[tokio::test]
async fn flags_change_and_messages_go() {
    let running = start("()").await;
    let inbox = filled(&running.store, 5).await;
    let other = self::inbox(&running.store).await;
    let before = inbox.state().unwrap().highest_modseq;
    let change = |uids: &[UidRange], unchanged_since| FlagChange {
        uids: uids.to_vec(),
        action: FlagAction::Replace,
        flags: Flags { system: flag::SEEN, keywords: vec![] },
        unchanged_since,
    };
    let done = inbox.change_flags(change(&[range(2, 2), range(4, 4), range(70, 80)], 0)).await.unwrap();
    assert_eq!((done.modseq, done.refused), (before + 1, vec![]));
    let plain = u64::from(flag::FLAGGED) | 1 << flag::FIRST_KEYWORD;
    assert_eq!(all_rows(&other).flags, [plain, 1, plain, 1, plain]);
    assert_eq!(other.changed(before).await.unwrap(), before + 1);
    let done = inbox.change_flags(change(&[range(1, 2)], before)).await.unwrap();
    assert_eq!(done.refused, [range(2, 2)]);
    assert_eq!(all_rows(&other).flags, [1, 1, plain, 1, plain]);
    assert_eq!(other.state().unwrap().unseen, 2);
    let delete = FlagChange { flags: Flags { system: flag::DELETED, keywords: vec![] }, ..change(&[range(3, 4)], 0) };
    inbox.change_flags(delete).await.unwrap();
    let gone = inbox.expunge(vec![range(1, 3)], true).await.unwrap();
    assert_eq!(gone, Expunged { uids: vec![range(3, 3)], modseq: before + 4 });
    let gone = inbox.expunge(vec![range(2, 2), range(5, 99)], false).await.unwrap();
    assert_eq!(gone.uids, [range(2, 2), range(5, 5)]);
    assert_eq!(all_rows(&other).uids, [1, 4]);
    assert_eq!(other.state().unwrap().last_expunge, gone.modseq);
    assert_eq!(code(read(&inbox, 2, 0, 1, 1).await), StoreErrorCode::NotFound);
}

#[tokio::test]
async fn more_messages_change_than_the_store_takes_at_once() {
    let running = start("()").await;
    let store = &running.store;
    let body = body(store, b"x").await.unwrap();
    for _ in 0..11 {
        store.append(ANNA.into(), vec![append(&body, "INBOX", ""); 1_000]).await.unwrap();
    }
    let inbox = inbox(store).await;
    let seen = FlagChange {
        uids: vec![range(1, u32::MAX)],
        action: FlagAction::Add,
        flags: Flags { system: flag::SEEN, keywords: vec![] },
        unchanged_since: 0,
    };
    let done = inbox.change_flags(seen).await.unwrap();
    let state = inbox.state().unwrap();
    assert_eq!((state.unseen, state.highest_modseq), (0, done.modseq));
    store.create_mailbox(ANNA.into(), "All".into(), 0).await.unwrap();
    let copied = inbox.copy(vec![range(1, u32::MAX)], "All".into(), false).await.unwrap();
    assert_eq!((copied.from, copied.to), (vec![range(1, 11_000)], vec![range(1, 11_000)]));
    let gone = inbox.expunge(vec![range(1, 10_999)], false).await.unwrap();
    assert_eq!(gone.uids, [range(1, 10_999)]);
    assert_eq!(inbox.uids().unwrap(), [11_000]);
    assert_eq!(store.status(ANNA.into(), "All".into()).await.unwrap().messages, 11_000);
}

#[tokio::test]
async fn messages_are_copied_and_moved() {
    let running = start("()").await;
    let store = &running.store;
    let inbox = filled(store, 5).await;
    assert_eq!(code(inbox.copy(vec![range(1, 2)], "Nowhere".into(), false).await), StoreErrorCode::NotFound);
    store.create_mailbox(ANNA.into(), "There".into(), 0).await.unwrap();
    let there = store.open(ANNA.into(), "There".into()).await.unwrap();
    let copied = inbox.copy(vec![range(2, 2), range(4, 9)], "There".into(), false).await.unwrap();
    let uid_validity = there.state().unwrap().uid_validity;
    assert_eq!(copied, Copied { uid_validity, from: vec![range(2, 2), range(4, 5)], to: vec![range(1, 3)] });
    let moved = inbox.copy(vec![range(1, 1), range(70, 80)], "There".into(), true).await.unwrap();
    assert_eq!((moved.from, moved.to), (vec![range(1, 1)], vec![range(4, 4)]));
    assert_eq!(inbox.uids().unwrap(), [2, 3, 4, 5]);
    let rows = all_rows(&there);
    assert_eq!(rows.uids, [1, 2, 3, 4]);
    assert_eq!((rows.dates, rows.zones), (vec![1_700_000_000_123; 4], vec![-150; 4]));
    assert_eq!(there.state().unwrap().keywords, ["$Forwarded"]);
    assert_eq!(read(&there, 4, 0, 9, 9).await.unwrap(), b"x");
    let nothing = inbox.copy(vec![range(70, 80)], "There".into(), false).await.unwrap();
    assert_eq!((nothing.from, nothing.to), (vec![], vec![]));
}

#[tokio::test]
async fn recent_messages_are_told_to_one_session() {
    let running = start("()").await;
    let store = &running.store;
    let one = filled(store, 3).await;
    let two = inbox(store).await;
    assert_eq!(one.recent(false).unwrap(), 1);
    assert_eq!(store.status(ANNA.into(), "INBOX".into()).await.unwrap().recent, 3);
    assert_eq!(one.recent(true).unwrap(), 1);
    assert_eq!(two.recent(true).unwrap(), 4);
    let two = filled(store, 1).await;
    assert_eq!((two.recent(true).unwrap(), one.recent(true).unwrap()), (4, 5));
    let MailboxEntry { recent, .. } = store.status(ANNA.into(), "INBOX".into()).await.unwrap();
    assert_eq!(recent, 0);
}

#[tokio::test]
async fn slices_of_many_bodies_come_in_one_answer() {
    let running = start("()").await;
    let store = &running.store;
    let sizes = [8_192_usize, 0, 700_000, 3_000_000, 3_000_000];
    let bytes = |n: usize| (0..sizes[n]).map(|i| (i * 7 + n) as u8).collect::<Vec<u8>>();
    for n in 0..sizes.len() {
        let body = body(store, &bytes(n)).await.unwrap();
        store.append(ANNA.into(), vec![append(&body, "INBOX", "")]).await.unwrap();
    }
    let inbox = inbox(store).await;
    let slice = |uid, offset, length| Slice { uid, offset, length };
    let asked = vec![slice(3, 100, 50), slice(9, 0, 5), slice(1, 8_000, 5_000), slice(2, 0, 10), slice(1, 9_000, 1)];
    let pieces = inbox.read_slices(asked).await.unwrap();
    let found: Vec<Option<&[u8]>> = pieces.iter().collect();
    assert_eq!(found, [Some(&bytes(2)[100..150]), None, Some(&bytes(0)[8_000..]), Some(b""), Some(b"")]);
    let large = vec![slice(4, 0, u64::MAX), slice(5, 0, u64::MAX)];
    let pieces = inbox.read_slices(large.clone()).await.unwrap();
    assert_eq!(pieces.lengths, [3_000_000], "the rest is to be asked for again");
    assert!(*pieces.octets == bytes(3));
    assert_eq!(inbox.read_slices(vec![slice(2, 0, 9); 10_001]).await.unwrap().lengths.len(), 10_000);
    assert_eq!(inbox.read_slices(vec![]).await.unwrap(), Pieces::default());
    let summaries = inbox.summaries(vec![1, 77, 3]).await.unwrap();
    assert_eq!((summaries.lengths.len(), summaries.lengths[1]), (3, Pieces::GONE));
}

#[tokio::test]
async fn a_summary_goes_with_the_message_into_other_mailboxes() {
    let running = start("()").await;
    let store = &running.store;
    let body = body(store, b"Subject: hello\r\n\r\nx\r\n").await.unwrap();
    store.append(ANNA.into(), vec![append(&body, "INBOX", "")]).await.unwrap();
    let inbox = inbox(store).await;
    let summary = inbox.summaries(vec![1]).await.unwrap();
    assert!(summary.octets.windows(5).any(|octets| octets == b"hello"), "{summary:?}");
    store.create_mailbox(ANNA.into(), "There".into(), 0).await.unwrap();
    inbox.copy(vec![range(1, 1)], "There".into(), true).await.unwrap();
    let there = store.open(ANNA.into(), "There".into()).await.unwrap();
    assert_eq!(there.summaries(vec![1]).await.unwrap(), summary);
    assert_eq!(inbox.summaries(vec![1]).await.unwrap().lengths, [Pieces::GONE]);
}

#[tokio::test]
async fn waiting_for_changes_can_be_given_up_and_taken_up() {
    let running = start("()").await;
    let store = &running.store;
    let inbox = filled(store, 1).await;
    let before = inbox.state().unwrap().highest_modseq;
    drop(inbox.changed(before));
    let (heard, ()) = tokio::join!(inbox.changed(before), async {
        filled(store, 2).await;
    });
    assert!(heard.unwrap() > before);
    assert_eq!(inbox.uids().unwrap().len(), 3);
}

#[tokio::test]
async fn a_damaged_body_is_not_given_out_for_the_message() {
    let running = start("()").await;
    let store = &running.store;
    let large: Vec<u8> = (0..200_000).map(|n| n as u8).collect();
    for bytes in [b"small".as_slice(), &large, b"short"] {
        let body = body(store, bytes).await.unwrap();
        store.append(ANNA.into(), vec![append(&body, "INBOX", "")]).await.unwrap();
    }
    let disk = rusqlite::Connection::open(running.dir.path().join("store/mail.sqlite")).unwrap();
    let damage =
        "UPDATE body SET bytes = CAST(substr(bytes, 1, length(bytes) - 1) || 'x' AS BLOB) WHERE length(bytes) <> 5";
    assert_eq!(disk.execute(damage, []).unwrap(), 1);
    disk.execute("UPDATE body SET bytes = x'' WHERE bytes = CAST('short' AS BLOB)", []).unwrap();
    let inbox = inbox(store).await;
    assert_eq!(read(&inbox, 1, 0, 99, 99).await.unwrap(), b"small");
    let reader = inbox.read(2, 0, u64::MAX).await.unwrap();
    let first = reader.next(1 << 20).await.unwrap();
    assert_eq!(first.len(), 128 * 1024);
    for _ in 0..2 {
        let failure = reader.next(1 << 20).await.unwrap_err();
        assert_eq!(failure.code, StoreErrorCode::Temporary);
        assert!(failure.message.contains("is damaged"), "{failure}");
    }
    assert!(read(&inbox, 2, 1, 50, 50).await.unwrap() == large[1..51], "a part may be what was stored");
    assert_eq!(code(read(&inbox, 3, 0, 99, 99).await), StoreErrorCode::Temporary);
    // Many at once are looked at no less.
    let slice = |uid, length| Slice { uid, offset: 0, length };
    assert_eq!(*inbox.read_slices(vec![slice(1, 99)]).await.unwrap().octets, *b"small");
    assert!(*inbox.read_slices(vec![slice(2, 50)]).await.unwrap().octets == large[..50]);
    for damaged in [slice(2, 300_000), slice(3, 99)] {
        let failure = inbox.read_slices(vec![slice(1, 99), damaged]).await.unwrap_err();
        assert!(failure.message.contains("is damaged"), "{failure}");
    }
}
