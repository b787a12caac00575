//! The test that every back end runs on itself: random operations, and after each the store must show what a simple
//! model in memory shows; in the end, with everything expunged and collected, no body may be left.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::{
    Append, Appended, Backend, BlobWriter, Blobs, BodyId, DateTime, DeliveryId, Done, FlagChange, FlagNames, Flags,
    MailOp, MailboxRow, MessageRow, Options, Store, Uid, UidSet, Vanished,
};

const ACCOUNTS: [&str; 2] = ["anna", "bert"];
const NAMES: [&str; 3] = ["INBOX", "Lists/rust", "Lists"];
const KEYWORDS: [&str; 3] = ["$Forwarded", "urgent", "work"];
const LARGE: usize = 600;

/// One step of the test.
#[derive(Debug, Clone)]
enum Step {
    Deliver { accounts: usize, mailbox: usize, size: usize, flags: u8, delivery: Option<u8> },
    Flags { at: (usize, usize), uids: (Uid, Uid), change: FlagChange, flags: u8, stale: bool },
    Expunge { at: (usize, usize), uids: (Uid, Uid), only_deleted: bool },
    Copy { at: (usize, usize), uids: (Uid, Uid), to: usize, remove: bool },
    Create { account: usize, mailbox: usize },
    Collect,
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let at = || (0..ACCOUNTS.len(), 0..NAMES.len());
    let uids = || (1u32..8, 0u32..6).prop_map(|(first, more)| (first, first + more));
    let change = prop_oneof![Just(FlagChange::Add), Just(FlagChange::Remove), Just(FlagChange::Replace)];
    let size = prop_oneof![0usize..LARGE, Just(LARGE), LARGE..3 * LARGE];
    let deliver = (1usize..4, 0..NAMES.len(), size, any::<u8>(), prop::option::of(0u8..6)).prop_map(
        |(accounts, mailbox, size, flags, delivery)| Step::Deliver { accounts, mailbox, size, flags, delivery },
    );
    let step = prop_oneof![
        6 => deliver,
        2 => (at(), uids(), change, any::<u8>(), any::<bool>())
            .prop_map(|(at, uids, change, flags, stale)| Step::Flags { at, uids, change, flags, stale }),
        2 => (at(), uids(), any::<bool>()).prop_map(|(at, uids, only_deleted)| Step::Expunge { at, uids, only_deleted }),
        2 => (at(), uids(), 0..NAMES.len(), any::<bool>())
            .prop_map(|(at, uids, to, remove)| Step::Copy { at, uids, to, remove }),
        1 => at().prop_map(|(account, mailbox)| Step::Create { account, mailbox }),
        1 => Just(Step::Collect),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..40)
}

/// Runs `cases` random sequences of operations, each on a fresh back end from `fresh`; `reopen` closes one and opens
/// it again.
///
/// # Panics
/// If the store and the model differ.
pub fn behaves_like_the_model<B: Backend>(cases: u32, fresh: impl Fn() -> B, reopen: impl Fn(B) -> B) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&steps(), |steps| {
        let mut run = Run::new(fresh());
        for step in &steps {
            run.step(step, &reopen);
        }
        run.finish();
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Message {
    bytes: Vec<u8>,
    flags: BTreeSet<String>,
    modseq: u64,
}

#[derive(Debug, Default)]
struct Box_ {
    uid_next: Uid,
    messages: BTreeMap<Uid, Message>,
    /// Modification sequences of expunges.
    gone: Vec<(u64, Uid)>,
    highest: u64,
}

#[derive(Debug)]
struct Account {
    boxes: BTreeMap<String, Box_>,
    delivered: BTreeMap<(u8, String), Uid>,
}

impl Default for Account {
    fn default() -> Self {
        Account { boxes: BTreeMap::from([("INBOX".to_owned(), Box_::default())]), delivered: BTreeMap::new() }
    }
}

struct Run<B: Backend> {
    store: Option<Store>,
    backend: Option<Arc<B>>,
    clock: Arc<AtomicU64>,
    accounts: Vec<Account>,
    bodies: BTreeSet<BodyId>,
    counter: usize,
}

impl<B: Backend> Run<B> {
    fn new(backend: B) -> Self {
        let mut run = Run {
            store: None,
            backend: None,
            clock: Arc::new(AtomicU64::new(1_000_000)),
            accounts: ACCOUNTS.iter().map(|_| Account::default()).collect(),
            bodies: BTreeSet::new(),
            counter: 0,
        };
        run.open(backend);
        run
    }

    fn open(&mut self, backend: B) {
        let backend = Arc::new(backend);
        let clock = self.clock.clone();
        let options = Options {
            max_message_size: 10_000,
            large_body_threshold: LARGE,
            grace: 100,
            collect_every: 0,
            clock: Arc::new(move || clock.load(Ordering::Relaxed)),
            ..Options::default()
        };
        self.store = Some(Store::open(backend.clone(), options).expect("the store opens"));
        self.backend = Some(backend);
    }

    fn store(&self) -> &Store {
        self.store.as_ref().expect("the store is open")
    }

    fn commit(&self, account: usize, op: MailOp) -> Option<Done> {
        let results = self.store().commit(ACCOUNTS[account], vec![op]).expect("the commit is done");
        assert_eq!(results.len(), 1);
        results.into_iter().next().and_then(Result::ok)
    }

    fn step(&mut self, step: &Step, reopen: &impl Fn(B) -> B) {
        self.clock.fetch_add(30, Ordering::Relaxed);
        match step.clone() {
            Step::Deliver { accounts, mailbox, size, flags, delivery } => {
                self.deliver(accounts, mailbox, size, flags, delivery);
            }
            Step::Flags { at, uids, change, flags, stale } => self.flags(at, uids, change, flags, stale),
            Step::Expunge { at, uids, only_deleted } => self.expunge(at, uids, only_deleted),
            Step::Copy { at, uids, to, remove } => self.copy(at, uids, to, remove),
            Step::Create { account, mailbox } => {
                let name = NAMES[mailbox];
                let made = self.commit(account, MailOp::CreateMailbox { name: name.into() }).is_some();
                let boxes = &mut self.accounts[account].boxes;
                assert_eq!(made, !boxes.contains_key(name), "creating {name}");
                if name == "Lists/rust" {
                    boxes.entry("Lists".into()).or_default();
                }
                boxes.entry(name.into()).or_default();
            }
            Step::Collect => {
                self.store().collect().expect("bodies are collected");
            }
            Step::Reopen => {
                self.store = None;
                let backend = self.backend.take().and_then(|b| Arc::try_unwrap(b).ok());
                let backend = backend.expect("a closed store keeps nothing of its back end");
                self.open(reopen(backend));
            }
        }
        self.compare();
    }

    fn deliver(&mut self, accounts: usize, mailbox: usize, size: usize, flags: u8, delivery: Option<u8>) {
        self.counter += 1;
        let bytes: Vec<u8> = (0..size).map(|n| (n * 7 + self.counter) as u8).collect();
        let mut sink = self.store().begin_body(size as u64).expect("a body begins");
        bytes.chunks(97).for_each(|chunk| sink.write(chunk).expect("the body is taken"));
        let body = sink.seal().expect("the body is sealed");
        self.bodies.insert(body.id());
        let name = NAMES[mailbox];
        for account in (0..ACCOUNTS.len()).filter(|n| accounts & 1 << n != 0) {
            let op = MailOp::Append(vec![Append {
                mailbox: name.into(),
                body: body.clone(),
                flags: flag_names(flags),
                internal_date: DateTime { milliseconds: self.counter as i64, offset: -60 },
                delivery: delivery.map(|d| DeliveryId([d; 16])),
            }]);
            let done = self.commit(account, op);
            let account = &mut self.accounts[account];
            let Some(model) = account.boxes.get_mut(name) else {
                assert_eq!(done, None, "there is no {name}");
                continue;
            };
            let Some(Done::Appended(done)) = done else { panic!("not appended: {done:?}") };
            let Appended { uid, duplicate, .. } = done[0];
            let before = delivery.and_then(|d| account.delivered.get(&(d, name.to_owned())).copied());
            assert_eq!(duplicate, before.is_some());
            if let Some(before) = before {
                assert_eq!(uid, before);
                continue;
            }
            model.uid_next += 1;
            assert_eq!(uid, model.uid_next);
            model.highest += 1;
            let message = Message { bytes: bytes.clone(), flags: flag_set(flags), modseq: model.highest };
            model.messages.insert(uid, message);
            if let Some(delivery) = delivery {
                account.delivered.insert((delivery, name.to_owned()), uid);
            }
        }
    }

    fn flags(&mut self, at: (usize, usize), uids: (Uid, Uid), change: FlagChange, flags: u8, stale: bool) {
        let model = self.accounts[at.0].boxes.get(NAMES[at.1]);
        let since = model.filter(|_| stale).map(|m| m.highest / 2);
        let done = self.commit(
            at.0,
            MailOp::StoreFlags {
                mailbox: NAMES[at.1].into(),
                uids: UidSet::range(uids.0, uids.1),
                change,
                flags: flag_names(flags),
                // The store starts counting at 1.
                unchanged_since: since.map(|s| s + 1),
            },
        );
        let Some(model) = self.model(at) else {
            return assert_eq!(done, None);
        };
        let Some(Done::Flagged { changed, refused, next: None }) = done else { panic!("not flagged: {done:?}") };
        let named = flag_set(flags);
        let (mut expected, mut expected_refused) = (Vec::new(), UidSet::new());
        for (uid, message) in model.messages.range_mut(uids.0..=uids.1) {
            if since.is_some_and(|s| message.modseq > s) {
                expected_refused.insert(*uid);
                continue;
            }
            let new: BTreeSet<String> = match change {
                FlagChange::Add => message.flags.union(&named).cloned().collect(),
                FlagChange::Remove => message.flags.difference(&named).cloned().collect(),
                FlagChange::Replace => named.clone(),
            };
            if new != message.flags {
                message.flags = new;
                message.modseq = model.highest + 1;
                expected.push(*uid);
            }
        }
        model.highest += u64::from(!expected.is_empty());
        assert_eq!(changed.iter().map(|c| c.uid).collect::<Vec<_>>(), expected);
        assert_eq!(refused, expected_refused);
    }

    fn expunge(&mut self, at: (usize, usize), uids: (Uid, Uid), only_deleted: bool) {
        let uids_set = UidSet::range(uids.0, uids.1);
        let done = self.commit(at.0, MailOp::Expunge { mailbox: NAMES[at.1].into(), uids: uids_set, only_deleted });
        let Some(model) = self.model(at) else {
            return assert_eq!(done, None);
        };
        let Some(Done::Expunged { uids: gone, next: None, .. }) = done else { panic!("not expunged: {done:?}") };
        let expected: UidSet = model
            .messages
            .range(uids.0..=uids.1)
            .filter(|(_, m)| !only_deleted || m.flags.contains("\\Deleted"))
            .map(|(uid, _)| *uid)
            .collect();
        assert_eq!(gone, expected);
        model.bury(&gone);
    }

    fn copy(&mut self, at: (usize, usize), uids: (Uid, Uid), to: usize, remove: bool) {
        let op = MailOp::Copy {
            mailbox: NAMES[at.1].into(),
            uids: UidSet::range(uids.0, uids.1),
            to: NAMES[to].into(),
            remove,
        };
        let done = self.commit(at.0, op);
        if self.model(at).is_none() || self.model((at.0, to)).is_none() {
            return assert_eq!(done, None);
        }
        let Some(Done::Copied { uids: pairs, next: None, .. }) = done else { panic!("not copied: {done:?}") };
        let Some(source) = self.model(at) else { return };
        let messages: Vec<(Uid, Message)> =
            source.messages.range(uids.0..=uids.1).map(|(uid, m)| (*uid, m.clone())).collect();
        if let Some(target) = self.model((at.0, to)) {
            assert_eq!(pairs.iter().map(|p| p.0).collect::<Vec<_>>(), messages.iter().map(|m| m.0).collect::<Vec<_>>());
            for ((_, message), (_, uid)) in messages.iter().zip(&pairs) {
                target.uid_next += 1;
                target.highest += 1;
                assert_eq!(*uid, target.uid_next);
                target.messages.insert(*uid, Message { modseq: target.highest, ..message.clone() });
            }
        }
        if let Some(source) = self.model(at).filter(|_| remove) {
            source.bury(&messages.iter().map(|m| m.0).collect());
        }
    }

    /// The model of a mailbox.
    fn model(&mut self, at: (usize, usize)) -> Option<&mut Box_> {
        self.accounts[at.0].boxes.get_mut(NAMES[at.1])
    }

    fn compare(&mut self) {
        for (name, model) in ACCOUNTS.iter().zip(&self.accounts) {
            let mailboxes = self.store().mailboxes(name).expect("mailboxes are listed");
            let names: BTreeSet<&str> = mailboxes.iter().map(|m| m.name.as_str()).collect();
            assert_eq!(names, model.boxes.keys().map(String::as_str).collect());
            let usage = self.store().usage(name).expect("usage is known");
            let all = || model.boxes.values().flat_map(|b| b.messages.values());
            assert_eq!(usage.messages, all().count() as u64);
            assert_eq!(usage.bytes, all().map(|m| m.bytes.len() as u64).sum::<u64>());
            for mailbox in &mailboxes {
                assert_eq!(self.store().find(name, &mailbox.name).ok(), Some(mailbox.row.id));
                compare_mailbox(self.store(), name, &mailbox.row, &model.boxes[&mailbox.name]);
            }
        }
    }

    /// Expunges everything: then nothing may be left.
    fn finish(mut self) {
        for account in 0..ACCOUNTS.len() {
            for mailbox in 0..NAMES.len() {
                self.expunge((account, mailbox), (1, Uid::MAX), false);
            }
        }
        self.compare();
        self.clock.fetch_add(101, Ordering::Relaxed);
        self.store().collect().expect("bodies are collected");
        for body in &self.bodies {
            assert!(self.store().read(*body, 0, 1).is_err(), "body {body:?} is left");
        }
        let backend = self.backend.as_ref().expect("the store is open");
        assert_eq!(backend.list(BodyId(0), 10).expect("bodies are listed"), []);
        orphans_are_collected_late(self.store(), &**backend, &self.clock);
    }
}

impl Box_ {
    fn bury(&mut self, uids: &UidSet) {
        self.highest += u64::from(!uids.is_empty());
        for uid in uids.iter() {
            self.messages.remove(&uid);
            self.gone.push((self.highest, uid));
        }
    }
}

fn compare_mailbox(store: &Store, account: &str, row: &MailboxRow, model: &Box_) {
    assert_eq!(row.uid_next, model.uid_next + 1);
    assert_eq!(row.messages as usize, model.messages.len());
    assert_eq!(row.bytes, model.messages.values().map(|m| m.bytes.len() as u64).sum::<u64>());
    let with = |flag: &str| model.messages.values().filter(|m| m.flags.contains(flag)).count();
    assert_eq!(row.unseen as usize, model.messages.len() - with("\\Seen"));
    assert_eq!(row.deleted as usize, with("\\Deleted"));
    assert_eq!(row.highest_modseq, model.highest + 1);
    let mut listed = Vec::new();
    let mut next = Some(1);
    while let Some(first) = next {
        let part = store.list(account, row.id, first, Uid::MAX, None, 3).expect("messages are listed");
        listed.extend(part.rows);
        next = part.next;
    }
    assert_eq!(listed.iter().map(|m| m.uid).collect::<Vec<_>>(), model.messages.keys().copied().collect::<Vec<_>>());
    for message in &listed {
        let expected = &model.messages[&message.uid];
        assert_eq!(message.size as usize, expected.bytes.len());
        assert_eq!(message.modseq, expected.modseq + 1);
        assert_eq!(names_of(row, message), expected.flags);
        assert_eq!(store.read(message.body, 0, 100_000).expect("a body is read"), expected.bytes);
        let part = store.read(message.body, 10, 20).expect("a part of a body is read");
        assert_eq!(part, expected.bytes.iter().skip(10).take(20).copied().collect::<Vec<_>>());
    }
    let since = model.highest / 2;
    let gone = model.gone.iter().filter(|g| g.0 > since).map(|g| g.1).collect();
    assert_eq!(store.vanished(account, row.id, since + 1).expect("expunges are listed"), Vanished::Uids(gone));
}

/// A large body whose writer died with the process stays for the grace period only.
fn orphans_are_collected_late(store: &Store, backend: &impl Blobs, clock: &AtomicU64) {
    let id = BodyId((clock.load(Ordering::Relaxed) * 1000) << BodyId::COUNTER_BITS);
    let mut writer: Box<dyn BlobWriter> = backend.create(id).expect("a body begins");
    writer.write(b"half a message").expect("the body is taken");
    writer.seal().expect("the body is sealed");
    assert_eq!(store.collect().expect("bodies are collected").orphans, 0);
    clock.fetch_add(101, Ordering::Relaxed);
    assert_eq!(store.collect().expect("bodies are collected").orphans, 1);
    assert_eq!(backend.list(BodyId(0), 10).expect("bodies are listed"), []);
}

fn flag_names(flags: u8) -> FlagNames {
    let keywords = KEYWORDS.iter().enumerate().filter(|(n, _)| flags & 32 << n != 0);
    FlagNames { system: Flags(u64::from(flags & 31)), keywords: keywords.map(|(_, k)| k.to_string()).collect() }
}

fn flag_set(flags: u8) -> BTreeSet<String> {
    let system = ["\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft"];
    let all = system.iter().chain(&KEYWORDS);
    all.enumerate().filter(|(n, _)| flags & 1 << n != 0).map(|(_, name)| name.to_string()).collect()
}

fn names_of(mailbox: &MailboxRow, message: &MessageRow) -> BTreeSet<String> {
    let mut set = flag_set((message.flags.0 & Flags::SYSTEM.0) as u8);
    let has = |n: &usize| message.flags.0 & 1 << (Flags::FIRST_KEYWORD as usize + n) != 0;
    set.extend((0..mailbox.keywords.len()).filter(has).map(|n| mailbox.keywords[n].clone()));
    set
}
