//! An account that the first version of the store wrote: it is read, and brought up to date by the first commit.

use std::sync::Arc;

use dovetail_mailstore::memory::MemoryBackend;
use dovetail_mailstore::{Batch, BodyId, MailOp, Options, PartCommit, PartKv, Store, UidSet};

/// Spells a row out, octet by octet: these tests know the old format, not the program's.
fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// INBOX with one message, and Kept without any.
fn old_account() -> Arc<MemoryBackend> {
    let key = |kind: char, rest: &str| [vec![kind as u8], octets(rest)].concat();
    let inbox = "00000000 000003e8 00000002 0000000000000002 0000000000000000 00000001 00000001 00000000 \
        0000000000000005 00000000 00 01 0005 494e424f58 00";
    let kept = "00000000 000003e9 00000001 0000000000000001 0000000000000000 00000000 00000000 00000000 \
        0000000000000000 00000000 00 00 0004 4b657074 00";
    let message = "0000000000000002 0000000000000000 00000005 0000000000000007 0000 0000000000000008 \
        0000000000000009 0000000000000000 0000000000000000";
    let writes = vec![
        (key('H', ""), "01 00000003 000003e9 0000000000000001 0000000000000005"),
        (key('B', "00000001"), inbox),
        (key('B', "00000002"), kept),
        (key('N', "00000000 494e424f58"), "00000001"),
        (key('N', "00000000 4b657074"), "00000002"),
        (key('M', "00000001 00000001"), message),
    ];
    let writes = writes.into_iter().map(|(key, row)| (key, Some(octets(row)))).collect();
    let part = PartCommit { part: "anna".into(), expect: 0, writes };
    let put = vec![(BodyId(9), Arc::new(b"hello".to_vec()))];
    let backend = MemoryBackend::default();
    backend.commit(&Batch { put, parts: vec![part], ..Batch::default() }).unwrap();
    Arc::new(backend)
}

fn open(backend: &Arc<MemoryBackend>) -> Store {
    Store::open(backend.clone(), Options { collect_every: 0, ..Options::default() }).unwrap()
}

#[test]
fn an_old_account_is_read_as_it_is() {
    let backend = old_account();
    let store = open(&backend);
    let commits = backend.commits();
    let inbox = store.mailbox("anna", store.find("anna", "INBOX").unwrap()).unwrap();
    assert_eq!((inbox.messages, inbox.recent_from, inbox.uid_validity), (1, 1, 1000));
    assert_eq!(store.recent("anna", &inbox).unwrap(), 1);
    let message = store.list("anna", inbox.id, 1, 9, None, 9).unwrap().rows.remove(0);
    assert_eq!(store.read(message.body, 0, 9).unwrap(), b"hello");
    assert_eq!(store.summaries("anna", &[message.body]).unwrap(), [Vec::<u8>::new()]);
    assert_eq!(store.usage("anna").unwrap().bytes, 5);
    assert_eq!(backend.commits(), commits, "nothing was written for that");
}

#[test]
fn the_first_commit_brings_it_up_to_date_and_adds_no_mailboxes() {
    let backend = old_account();
    let store = open(&backend);
    let mailboxes = store.mailboxes("anna").unwrap();
    let seen: Vec<_> = mailboxes.iter().map(|m| (m.name.as_str(), m.subscribed)).collect();
    assert_eq!(seen, [("INBOX", true), ("Kept", false)]);
    assert_eq!(backend.get("anna", b"H").unwrap().unwrap()[0], 2);
    // Ended, the subscription doesn't come back.
    let end = MailOp::Subscribe { name: "INBOX".into(), subscribed: false };
    store.commit("anna", vec![end]).unwrap()[0].as_ref().unwrap();
    drop(store);
    let store = open(&backend);
    assert!(store.subscriptions("anna").unwrap().is_empty());
    let moved = MailOp::Copy { mailbox: "INBOX".into(), uids: UidSet::all(), to: "Kept".into(), remove: true };
    store.commit("anna", vec![moved]).unwrap()[0].as_ref().unwrap();
    assert_eq!(store.mailboxes("anna").unwrap()[1].row.messages, 1);
}
