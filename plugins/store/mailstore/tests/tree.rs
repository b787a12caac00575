//! Mailboxes made, deleted, renamed, subscribed to, and messages moved between them: what the model is too small for.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use dovetail_mailstore::memory::MemoryBackend;
use dovetail_mailstore::{
    limits, Append, Body, DateTime, Done, FlagNames, MailOp, Options, Store, StoreError, Summariser, Uid, UidSet, Usage,
};

/// A store on a clock of its own, without default mailboxes.
fn open(backend: &Arc<MemoryBackend>, clock: &Arc<AtomicU64>) -> Store {
    let now = clock.clone();
    let options = Options {
        collect_every: 0,
        grace: 10,
        clock: Arc::new(move || now.load(Ordering::Relaxed)),
        new_account_mailboxes: Vec::new(),
        ..Options::default()
    };
    Store::open(backend.clone(), options).unwrap()
}

fn fresh() -> Store {
    open(&Arc::default(), &Arc::new(AtomicU64::new(1000)))
}

fn body(store: &Store) -> Body {
    let mut sink = store.begin_body(0).unwrap();
    sink.write(b"x").unwrap();
    sink.seal().unwrap()
}

fn append(body: &Body, mailbox: &str, keywords: &[&str]) -> Append {
    Append {
        mailbox: mailbox.into(),
        body: body.clone(),
        flags: FlagNames { keywords: keywords.iter().map(|k| k.to_string()).collect(), ..FlagNames::default() },
        internal_date: DateTime::default(),
        delivery: None,
    }
}

/// Stores `count` messages with one body.
fn fill(store: &Store, mailbox: &str, count: usize) {
    let body = body(store);
    for start in (0..count).step_by(limits::MAX_OPS_PER_COMMIT) {
        let some = limits::MAX_OPS_PER_COMMIT.min(count - start);
        run(store, MailOp::Append(vec![append(&body, mailbox, &[]); some])).unwrap();
    }
}

fn run(store: &Store, op: MailOp) -> Result<Done, StoreError> {
    store.commit("anna", vec![op]).unwrap().remove(0)
}

fn create(name: &str) -> MailOp {
    MailOp::CreateMailbox { name: name.into(), special_use: 0 }
}

fn delete(name: &str) -> MailOp {
    MailOp::DeleteMailbox { name: name.into() }
}

fn rename(name: &str, to: &str) -> MailOp {
    MailOp::RenameMailbox { name: name.into(), to: to.into() }
}

fn copy(from: &str, to: &str, remove: bool) -> MailOp {
    MailOp::Copy { mailbox: from.into(), uids: UidSet::all(), to: to.into(), remove }
}

fn names(store: &Store) -> Vec<String> {
    store.mailboxes("anna").unwrap().into_iter().map(|mailbox| mailbox.name).collect()
}

fn messages(store: &Store, mailbox: &str) -> u32 {
    store.mailbox("anna", store.find("anna", mailbox).unwrap()).unwrap().messages
}

#[test]
fn a_large_mailbox_is_gone_at_once_and_its_rows_step_by_step_even_after_a_crash() {
    let (backend, clock) = (Arc::new(MemoryBackend::default()), Arc::new(AtomicU64::new(1000)));
    let store = open(&backend, &clock);
    run(&store, create("Big")).unwrap();
    fill(&store, "Big", 2_500);
    let id = store.find("anna", "Big").unwrap();
    let validity = store.mailbox("anna", id).unwrap().uid_validity;
    let commits = backend.commits();
    assert!(matches!(run(&store, delete("Big")), Ok(Done::Deleted { mailbox }) if mailbox == id));
    assert_eq!(backend.commits() - commits, 1);
    let is_gone = |store: &Store| {
        assert_eq!(names(store), ["INBOX"]);
        assert_eq!(store.usage("anna").unwrap(), Usage::default());
        assert!(matches!(store.find("anna", "Big"), Err(StoreError::NoSuchMailbox { .. })));
        let listed = store.list("anna", id, 1, Uid::MAX, None, 10);
        assert!(matches!(listed, Err(StoreError::NoSuchMailbox { .. })), "{listed:?}");
    };
    is_gone(&store);
    assert_eq!(rows(&backend, b'M'), 1_500, "the rest is for later");
    // The process ends; the next one's collection fails at first.
    drop(store);
    let store = open(&backend, &clock);
    is_gone(&store);
    backend.fail_commits(1);
    store.collect().unwrap_err();
    assert_eq!((rows(&backend, b'M'), rows(&backend, b'X')), (1_500, 1));
    // A new mailbox of that name is another one.
    run(&store, create("Big")).unwrap();
    fill(&store, "Big", 3);
    let new = store.mailbox("anna", store.find("anna", "Big").unwrap()).unwrap();
    assert!(new.id > id && new.uid_validity > validity, "{new:?}");
    store.collect().unwrap();
    assert_eq!((rows(&backend, b'M'), rows(&backend, b'X')), (3, 0));
    assert_eq!(backend.small_bodies(), 2);
    clock.fetch_add(20, Ordering::Relaxed);
    store.collect().unwrap();
    assert_eq!((backend.small_bodies(), rows(&backend, b'R')), (1, 1), "three messages share the body that is left");
    assert_eq!(messages(&store, "Big"), 3);
}

fn rows(backend: &MemoryBackend, kind: u8) -> usize {
    use dovetail_mailstore::PartKv;
    let mut count = 0;
    let counted = &mut |_: &[u8], _: &[u8]| {
        count += 1;
        Ok(())
    };
    backend.scan("anna", &[kind], &[kind + 1], 1_000_000, counted).unwrap();
    count
}

#[test]
fn what_cannot_be_deleted_says_why() {
    let store = fresh();
    run(&store, create("a/b")).unwrap();
    assert!(matches!(run(&store, delete("a")), Err(StoreError::HasChildren { .. })));
    assert!(matches!(run(&store, delete("inbox")), Err(StoreError::IsInbox)));
    assert!(matches!(run(&store, delete("c")), Err(StoreError::NoSuchMailbox { .. })));
    run(&store, delete("a/b")).unwrap();
    run(&store, delete("a")).unwrap();
    assert_eq!(names(&store), ["INBOX"]);
}

#[test]
fn a_rename_takes_along_what_is_below_and_keeps_numbers() {
    let store = fresh();
    run(&store, create("a/b/c")).unwrap();
    fill(&store, "a/b/c", 2);
    let before = store.mailbox("anna", store.find("anna", "a/b/c").unwrap()).unwrap();
    run(&store, rename("a/b", "x/y")).unwrap();
    assert_eq!(names(&store), ["INBOX", "a", "x", "x/y", "x/y/c"]);
    let after = store.mailbox("anna", store.find("anna", "x/y/c").unwrap()).unwrap();
    assert_eq!(after, before);
    assert!(matches!(run(&store, rename("x", "a")), Err(StoreError::MailboxExists { .. })));
    assert!(matches!(run(&store, rename("x", "inbox")), Err(StoreError::MailboxExists { .. })));
    assert!(matches!(run(&store, rename("x", "x")), Err(StoreError::MailboxExists { .. })));
    assert!(matches!(run(&store, rename("x", "x/z")), Err(StoreError::BadMailboxName { .. })));
    assert!(matches!(run(&store, rename("z", "q")), Err(StoreError::NoSuchMailbox { .. })));
    // Not below, only with the same beginning.
    run(&store, rename("x", "xx/z")).unwrap();
    assert_eq!(names(&store), ["INBOX", "a", "xx", "xx/z", "xx/z/y", "xx/z/y/c"]);
}

#[test]
fn names_below_a_renamed_mailbox_keep_their_bounds() {
    let store = fresh();
    let deep = vec!["d"; limits::MAX_DEPTH - 1].join("/");
    run(&store, create(&deep)).unwrap();
    let too_deep = run(&store, rename("d", "a/b/c"));
    assert!(matches!(too_deep, Err(StoreError::Limit { .. })), "{too_deep:?}");
    run(&store, rename("d", "a/b")).unwrap();
    run(&store, create(&format!("l/{}", "m".repeat(600)))).unwrap();
    let too_long = run(&store, rename("l", &"n".repeat(400)));
    assert!(matches!(too_long, Err(StoreError::Limit { .. })), "{too_long:?}");
    run(&store, rename("l", &"n".repeat(399))).unwrap();
    assert!(names(&store).iter().all(|name| name.len() <= limits::MAX_NAME_BYTES));
}

#[test]
fn inbox_gives_its_messages_away_and_stays() {
    let store = fresh();
    fill(&store, "INBOX", 3);
    run(&store, create("Inbox/below")).unwrap();
    let before = store.mailbox("anna", store.find("anna", "INBOX").unwrap()).unwrap();
    run(&store, rename("inbox", "INBOX/old/mail")).unwrap();
    assert_eq!(names(&store), ["INBOX", "INBOX/below", "INBOX/old", "INBOX/old/mail"]);
    assert_eq!((messages(&store, "INBOX"), messages(&store, "INBOX/old/mail")), (0, 3));
    let after = store.mailbox("anna", store.find("anna", "INBOX").unwrap()).unwrap();
    assert_eq!((after.id, after.uid_validity, after.uid_next), (before.id, before.uid_validity, 4));
    assert!(after.highest_modseq > before.highest_modseq);
}

#[test]
fn subscriptions_are_to_names() {
    let store = fresh();
    let subscribe = |name: &str, subscribed| run(&store, MailOp::Subscribe { name: name.into(), subscribed });
    run(&store, create("a")).unwrap();
    for name in ["a", "nowhere/b", "iNbOx/c"] {
        subscribe(name, true).unwrap();
    }
    assert_eq!(store.subscriptions("anna").unwrap(), ["INBOX", "INBOX/c", "a", "nowhere/b"]);
    run(&store, rename("a", "z")).unwrap();
    let subscribed: Vec<bool> = store.mailboxes("anna").unwrap().iter().map(|m| m.subscribed).collect();
    assert_eq!(subscribed, [true, false], "the name a, not the mailbox, is subscribed to");
    run(&store, create("a")).unwrap();
    run(&store, delete("a")).unwrap();
    subscribe("inbox", false).unwrap();
    subscribe("never", false).unwrap();
    assert_eq!(store.subscriptions("anna").unwrap(), ["INBOX/c", "a", "nowhere/b"]);
    assert!(matches!(subscribe("a//b", true), Err(StoreError::BadMailboxName { .. })));
}

#[test]
fn subscriptions_have_a_bound() {
    let store = fresh();
    let subscribe = |n: usize| MailOp::Subscribe { name: format!("n{n}"), subscribed: true };
    // INBOX is the first.
    let count = limits::MAX_SUBSCRIPTIONS - 1;
    for start in (0..count).step_by(limits::MAX_OPS_PER_COMMIT) {
        let some = (start..count.min(start + limits::MAX_OPS_PER_COMMIT)).map(subscribe).collect();
        store.commit("anna", some).unwrap().into_iter().for_each(|done| assert_eq!(done.unwrap(), Done::Subscribed));
    }
    assert!(matches!(run(&store, subscribe(count)), Err(StoreError::Limit { .. })));
    assert!(run(&store, subscribe(0)).is_ok(), "known already");
    assert_eq!(store.subscriptions("anna").unwrap().len(), limits::MAX_SUBSCRIPTIONS);
}

#[test]
fn a_new_account_has_the_mailboxes_it_shall_have() {
    let options = Options { collect_every: 0, ..Options::default() };
    let store = Store::open(Arc::new(MemoryBackend::default()), options).unwrap();
    // Whichever question comes first.
    assert!(store.find("bert", "Sent").is_ok());
    let mailboxes = store.mailboxes("anna").unwrap();
    let seen: Vec<_> = mailboxes.iter().map(|m| (m.name.as_str(), m.row.special_use, m.subscribed)).collect();
    let expected = [("Archive", 2), ("Drafts", 4), ("INBOX", 0), ("Junk", 16), ("Sent", 32), ("Trash", 64)]
        .map(|m| (m.0, m.1, true));
    assert_eq!(seen, expected);
    // They are made once.
    run(&store, delete("Junk")).unwrap();
    assert_eq!(names(&store), ["Archive", "Drafts", "INBOX", "Sent", "Trash"]);
}

#[test]
fn a_default_mailbox_with_a_bad_name_keeps_no_mail_away() {
    let new_account_mailboxes = vec![("a//b".to_owned(), 0), ("Mine/Sent".to_owned(), 32)];
    let options = Options { collect_every: 0, new_account_mailboxes, ..Options::default() };
    let store = Store::open(Arc::new(MemoryBackend::default()), options).unwrap();
    fill(&store, "INBOX", 1);
    let seen: Vec<_> = store.mailboxes("anna").unwrap().into_iter().map(|m| (m.name, m.row.special_use)).collect();
    assert_eq!(seen, [("INBOX".into(), 0), ("Mine".into(), 0), ("Mine/Sent".into(), 32)]);
}

#[test]
fn a_copy_is_not_bounded_like_other_operations_and_done_whole_or_not_at_all() {
    let store = fresh();
    run(&store, create("Other")).unwrap();
    fill(&store, "INBOX", limits::MAX_ROWS_PER_OP + 5);
    let all = limits::MAX_ROWS_PER_OP as u32 + 5;
    let Done::Copied { uids, .. } = run(&store, copy("INBOX", "Other", false)).unwrap() else { panic!() };
    assert_eq!((uids.len() as u32, messages(&store, "Other")), (all, all));
    run(&store, copy("INBOX", "Other", true)).unwrap();
    assert_eq!((messages(&store, "INBOX"), messages(&store, "Other")), (0, 2 * all));
    // Doubled until it is too much.
    let mut count = 2 * all;
    while count <= limits::MAX_COPY as u32 {
        run(&store, copy("Other", "Other", false)).unwrap();
        count *= 2;
    }
    for remove in [false, true] {
        let refused = run(&store, copy("Other", "INBOX", remove));
        assert!(matches!(refused, Err(StoreError::Limit { .. })), "{refused:?}");
    }
    assert_eq!((messages(&store, "INBOX"), messages(&store, "Other")), (0, count));
}

#[test]
fn without_room_for_a_keyword_nothing_is_copied_or_stored() {
    let store = fresh();
    run(&store, create("Other")).unwrap();
    let body = body(&store);
    let own: Vec<String> = (0..limits::MAX_KEYWORDS - 1).map(|n| format!("k{n}")).collect();
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    run(&store, MailOp::Append(vec![append(&body, "Other", &own)])).unwrap();
    run(&store, MailOp::Append(vec![append(&body, "INBOX", &["fits"]), append(&body, "INBOX", &["fits", "not"])]))
        .unwrap();
    let before = store.mailbox("anna", store.find("anna", "Other").unwrap()).unwrap();
    for remove in [false, true] {
        assert!(matches!(run(&store, copy("INBOX", "Other", remove)), Err(StoreError::Limit { .. })));
    }
    let both = vec![append(&body, "Other", &["fits"]), append(&body, "Other", &["not"])];
    assert!(matches!(run(&store, MailOp::Append(both)), Err(StoreError::Limit { .. })));
    assert_eq!(store.mailbox("anna", before.id).unwrap(), before);
    assert_eq!(messages(&store, "INBOX"), 2);
    // Keywords get other bits there, and keep their names.
    let first = MailOp::Copy { mailbox: "INBOX".into(), uids: UidSet::range(1, 1), to: "Other".into(), remove: false };
    run(&store, first).unwrap();
    let row = store.list("anna", before.id, 2, 2, None, 1).unwrap().rows.remove(0);
    assert_eq!(row.flags.0, 1 << 63);
    assert_eq!(store.mailbox("anna", before.id).unwrap().keywords.last().unwrap(), "fits");
}

#[test]
fn a_full_disk_refuses_copies_but_not_moves_and_deletions() {
    let backend = Arc::new(MemoryBackend::default());
    let store = open(&backend, &Arc::new(AtomicU64::new(1000)));
    run(&store, create("Other")).unwrap();
    fill(&store, "INBOX", 1);
    backend.set_full(true);
    assert!(run(&store, copy("INBOX", "Other", false)).unwrap_err().is_temporary());
    run(&store, copy("INBOX", "Other", true)).unwrap();
    run(&store, delete("Other")).unwrap();
    assert_eq!(names(&store), ["INBOX"]);
}

#[test]
fn operations_of_one_commit_see_one_another() {
    let backend = Arc::new(MemoryBackend::default());
    let store = open(&backend, &Arc::new(AtomicU64::new(1000)));
    fill(&store, "INBOX", 2);
    let inbox = store.open_mailbox("anna", "INBOX").unwrap();
    let commits = backend.commits();
    let body = body(&store);
    let all = MailOp::Expunge { mailbox: "INBOX".into(), uids: UidSet::all(), only_deleted: false };
    let ops = vec![
        create("a/b"),
        MailOp::Append(vec![append(&body, "a/b", &["k"]), append(&body, "INBOX", &["k"])]),
        copy("INBOX", "a/b", false),
        rename("a", "c"),
        create("a"),
        copy("c/b", "a", true),
        copy("a", "a", true),
        delete("c/b"),
        delete("c"),
        all,
        copy("a", "INBOX", false),
    ];
    store.commit("anna", ops).unwrap().into_iter().for_each(|done| assert!(done.is_ok(), "{done:?}"));
    assert_eq!(backend.commits() - commits, 1);
    assert_eq!(names(&store), ["INBOX", "a"]);
    assert_eq!((messages(&store, "INBOX"), messages(&store, "a")), (4, 4));
    assert_eq!(store.usage("anna").unwrap(), Usage { messages: 8, bytes: 8 });
    let listed = store.list("anna", inbox.mailbox(), 1, Uid::MAX, None, 10).unwrap().rows;
    assert_eq!(listed.iter().map(|row| row.uid).collect::<Vec<_>>(), [4, 5, 6, 7]);
    inbox.look(|state, columns| {
        assert_eq!((columns.uids.as_slice(), state.uid_next), (&[4, 5, 6, 7][..], 8));
        assert_eq!(columns.flags, listed.iter().map(|row| row.flags.0).collect::<Vec<_>>());
    });
    assert_eq!(rows(&backend, b'X'), 0);
    for mailbox in ["INBOX", "a"] {
        let all = MailOp::Expunge { mailbox: mailbox.into(), uids: UidSet::all(), only_deleted: false };
        run(&store, all).unwrap();
    }
    assert_eq!(store.usage("anna").unwrap(), Usage::default());
}

#[test]
fn an_open_mailbox_follows_its_renaming_and_hears_of_its_deletion() {
    let store = fresh();
    run(&store, create("a/b")).unwrap();
    let open = store.open_mailbox("anna", "a/b").unwrap();
    run(&store, rename("a", "z")).unwrap();
    fill(&store, "z/b", 1);
    assert_eq!(open.look(|state, columns| (state.gone, columns.uids.len())), (false, 1));
    run(&store, delete("z/b")).unwrap();
    assert_eq!(open.look(|state, columns| (state.gone, columns.uids.len())), (true, 0));
}

#[test]
fn summaries_come_in_bounded_portions() {
    struct Big;
    impl Summariser for Big {
        fn push(&mut self, _: &[u8]) {}
        fn finish(self: Box<Self>) -> Vec<u8> {
            vec![1; limits::MAX_SUMMARY_BYTES]
        }
    }
    let options = Options { collect_every: 0, summarise: Some(Arc::new(|| Box::new(Big))), ..Options::default() };
    let store = Store::open(Arc::new(MemoryBackend::default()), options).unwrap();
    let message = body(&store);
    run(&store, MailOp::Append(vec![append(&message, "INBOX", &[])])).unwrap();
    let fits = limits::MAX_SUMMARIES_BYTES / limits::MAX_SUMMARY_BYTES;
    let asked = vec![message.id(); fits + 1];
    assert_eq!(store.summaries("anna", &asked).unwrap().len(), fits);
    assert_eq!(store.summaries("bert", &asked).unwrap(), vec![Vec::<u8>::new(); fits + 1], "it is anna's");
}
