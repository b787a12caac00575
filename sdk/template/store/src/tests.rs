use super::{{Name}};
use dovetail_sdk::store::{
    column, flag, special_use, Append, Body, FlagAction, FlagChange, Flags, Mailbox, Store, StoreErrorCode,
    StoreFailure, UidRange,
};
use dovetail_testkit::TestHost;

const ANN: &str = "ann@example.org";
const ALL: UidRange = UidRange { first: 1, last: u32::MAX };

async fn store(section: &str) -> Store {
    TestHost::new().start::<{{Name}}>(section, []).await.unwrap().query::<Store>()
}

async fn body(store: &Store, octets: &[u8]) -> Result<Body, StoreFailure> {
    let sink = store.begin_body(0).await?;
    for piece in octets.chunks(3) {
        sink.write(piece.into()).await?;
    }
    sink.seal().await
}

fn append(body: &Body, keyword: &str, delivery: &str) -> Append {
    Append {
        mailbox: "INBOX".into(),
        body: body.id().unwrap(),
        flags: Flags { system: flag::FLAGGED, keywords: vec![keyword.into()] },
        internal_date: 1_700_000_000_123,
        zone: -150,
        delivery_id: delivery.into(),
    }
}

/// ann's INBOX with so many messages; the nth begins with the letter n.
async fn filled(store: &Store, messages: u8) -> Mailbox {
    for n in 0..messages {
        let body = body(store, &[b'a' + n, b' ', b'x', b'y']).await.unwrap();
        store.append(ANN.into(), vec![append(&body, "$Forwarded", "")]).await.unwrap();
    }
    store.open(ANN.into(), "inbox".into()).await.unwrap()
}

async fn names(store: &Store) -> Vec<String> {
    store.mailboxes(ANN.into()).await.unwrap().into_iter().map(|entry| entry.name).collect()
}

async fn read(mailbox: &Mailbox, uid: u32, offset: u64) -> Vec<u8> {
    let reader = mailbox.read(uid, offset, 100).await.unwrap();
    let mut all = vec![];
    loop {
        let piece = reader.next(2).await.unwrap();
        if piece.is_empty() {
            return all;
        }
        all.extend_from_slice(&piece);
    }
}

fn change(uids: UidRange, action: FlagAction, system: u32, unchanged_since: u64) -> FlagChange {
    FlagChange { uids: vec![uids], action, flags: Flags { system, keywords: vec![] }, unchanged_since }
}

fn code<T: std::fmt::Debug>(result: Result<T, StoreFailure>) -> StoreErrorCode {
    result.unwrap_err().code
}

#[tokio::test]
async fn messages_come_out_as_they_went_in() {
    let store = store("()").await;
    let inbox = filled(&store, 3).await;
    assert_eq!(inbox.uids().unwrap(), [1, 2, 3]);
    assert_eq!((read(&inbox, 2, 0).await, read(&inbox, 2, 2).await), (b"b xy".to_vec(), b"xy".to_vec()));
    let rows = inbox.rows(vec![UidRange { first: 3, last: 9 }], 0, column::SIZES | column::DATES).unwrap();
    assert_eq!(
        (rows.uids, rows.sizes, rows.dates, rows.zones),
        (vec![3], vec![4], vec![1_700_000_000_123], vec![-150])
    );
    assert_eq!(store.usage(ANN.into()).await.unwrap().octets, 12);
    let state = inbox.state().unwrap();
    assert_eq!((state.messages, state.unseen, state.uid_next, state.keywords), (3, 3, 4, vec!["$Forwarded".into()]));
    assert_eq!((inbox.recent(true).unwrap(), inbox.recent(false).unwrap()), (1, 4));
}

#[tokio::test]
async fn a_delivery_comes_once_and_an_append_is_all_or_none() {
    let store = store("()").await;
    let body = body(&store, b"x").await.unwrap();
    let first = store.append(ANN.into(), vec![append(&body, "a", "id")]).await.unwrap();
    assert_eq!(store.append(ANN.into(), vec![append(&body, "a", "id")]).await.unwrap(), first);
    let nowhere = Append { mailbox: "Nowhere".into(), ..append(&body, "a", "") };
    let both = store.append(ANN.into(), vec![append(&body, "a", ""), nowhere]).await;
    assert_eq!(code(both), StoreErrorCode::NotFound);
    assert_eq!(store.status(ANN.into(), "INBOX".into()).await.unwrap().messages, 1);
}

#[tokio::test]
async fn flags_change_and_messages_go() {
    let store = store("()").await;
    let inbox = filled(&store, 3).await;
    let before = inbox.state().unwrap().highest_modseq;
    let two = UidRange { first: 2, last: 2 };
    let done = inbox.change_flags(change(two, FlagAction::Add, flag::DELETED, 0)).await.unwrap();
    assert!(done.modseq > before && inbox.changed(before).await.unwrap() == done.modseq);
    assert_eq!(
        inbox.rows(vec![], before, column::FLAGS).unwrap().flags,
        [0x100 | u64::from(flag::FLAGGED | flag::DELETED)]
    );
    let refused = inbox.change_flags(change(ALL, FlagAction::Replace, flag::SEEN, before)).await.unwrap();
    assert_eq!(refused.refused, [two]);
    assert_eq!(inbox.state().unwrap().unseen, 1);
    assert_eq!(inbox.change_flags(change(two, FlagAction::Add, flag::DELETED, 0)).await.unwrap().modseq, 0);
    let gone = inbox.expunge(vec![ALL], true).await.unwrap();
    assert_eq!((gone.uids, inbox.uids().unwrap()), (vec![two], vec![1, 3]));
    assert_eq!(inbox.state().unwrap().last_expunge, gone.modseq);
    assert_eq!(inbox.read_slices(vec![]).await.unwrap().lengths, []);
    let summaries = inbox.summaries(vec![2, 3]).await.unwrap();
    assert_eq!(summaries.iter().collect::<Vec<_>>(), [None, Some(&b""[..])]);
}

#[tokio::test]
async fn messages_are_copied_and_moved() {
    let store = store("()").await;
    let inbox = filled(&store, 3).await;
    let there = store.open(ANN.into(), "Archive".into()).await.unwrap();
    let copied = inbox.copy(vec![UidRange { first: 2, last: 9 }], "Archive".into(), false).await.unwrap();
    assert_eq!((copied.from, copied.to), (vec![UidRange { first: 2, last: 3 }], vec![UidRange { first: 1, last: 2 }]));
    inbox.copy(vec![UidRange { first: 1, last: 1 }], "Archive".into(), true).await.unwrap();
    assert_eq!((inbox.uids().unwrap(), there.uids().unwrap()), (vec![2, 3], vec![1, 2, 3]));
    assert_eq!(
        (read(&there, 3, 0).await, there.state().unwrap().keywords),
        (b"a xy".to_vec(), vec!["$Forwarded".into()])
    );
    assert_eq!(code(inbox.copy(vec![ALL], "Nowhere".into(), false).await), StoreErrorCode::NotFound);
}

#[tokio::test]
async fn mailboxes_are_made_renamed_and_deleted() {
    let store = store("()").await;
    let inbox = filled(&store, 1).await;
    store.create_mailbox(ANN.into(), "a/b".into(), special_use::ALL).await.unwrap();
    assert_eq!(code(store.create_mailbox(ANN.into(), "a".into(), 0).await), StoreErrorCode::Exists);
    assert_eq!(code(store.create_mailbox(ANN.into(), "a//b".into(), 0).await), StoreErrorCode::Invalid);
    assert_eq!(code(store.delete_mailbox(ANN.into(), "a".into()).await), StoreErrorCode::HasChildren);
    let handle = store.open(ANN.into(), "a/b".into()).await.unwrap();
    store.rename_mailbox(ANN.into(), "a".into(), "c/d".into()).await.unwrap();
    let known = ["Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash", "c", "c/d", "c/d/b"];
    assert_eq!(names(&store).await, known);
    store.rename_mailbox(ANN.into(), "inbox".into(), "old".into()).await.unwrap();
    assert_eq!((inbox.uids().unwrap().len(), store.status(ANN.into(), "old".into()).await.unwrap().messages), (0, 1));
    store.subscribe(ANN.into(), "c/d/b".into(), true).await.unwrap();
    store.delete_mailbox(ANN.into(), "c/d/b".into()).await.unwrap();
    assert!(handle.state().unwrap().gone && handle.changed(u64::MAX - 1).await.is_ok());
    assert_eq!(code(handle.expunge(vec![ALL], false).await), StoreErrorCode::NotFound);
    let entries = store.mailboxes(ANN.into()).await.unwrap();
    let left = entries.iter().find(|entry| entry.name == "c/d/b").unwrap();
    assert!(left.subscribed && left.id == 0, "{left:?}");
}

#[tokio::test]
async fn octets_are_bounded_and_given_back() {
    let store = store("(max_message_size: 8, max_octets: 10)").await;
    assert_eq!(code(store.begin_body(9).await), StoreErrorCode::TooLarge);
    assert_eq!(code(body(&store, &[0; 9]).await), StoreErrorCode::TooLarge);
    let held = body(&store, &[0; 8]).await.unwrap();
    assert_eq!(code(body(&store, &[0; 3]).await), StoreErrorCode::Full);
    drop(held);
    assert!(body(&store, &[0; 8]).await.is_ok());
}
