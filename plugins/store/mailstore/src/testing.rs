//! The test that every back end runs on itself: random operations, and after each the store must show what a simple
//! model in memory shows; in the end, with everything expunged and collected, no body may be left.

mod compare;
mod model;
mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use proptest::test_runner::{Config, TestRunner};

use crate::{
    Append, Appended, Backend, BlobWriter, Blobs, BodyId, DateTime, DeliveryId, Done, FlagChange, MailOp, Options,
    Store, Summariser, Uid, UidSet,
};
use compare::compare_account;
use model::{flag_names, flag_set, Account, Mailbox, Message, DEFAULT};
use steps::{steps, Step, ACCOUNTS, LARGE, NAMES};

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
            new_account_mailboxes: vec![(DEFAULT.0.to_owned(), DEFAULT.1)],
            summarise: Some(Arc::new(|| Box::new(Beginning(Vec::new())))),
            ..Options::default()
        };
        self.store = Some(Store::open(backend.clone(), options).expect("the store opens"));
        self.backend = Some(backend);
    }

    fn store(&self) -> &Store {
        self.store.as_ref().expect("the store is open")
    }

    fn now(&self) -> u64 {
        self.clock.load(Ordering::Relaxed)
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
            Step::Expunge { at, uids, only_deleted } => self.expunge(at.0, NAMES[at.1], uids, only_deleted),
            Step::Copy { at, uids, to, remove } => self.copy(at, uids, to, remove),
            Step::Create { .. } | Step::Delete { .. } | Step::Rename { .. } | Step::Subscribe { .. } => self.tree(step),
            Step::Claim { at, recent_from } => self.claim(at, recent_from),
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
        let (name, saved, date) = (NAMES[mailbox], self.now(), self.counter as i64);
        for account in (0..ACCOUNTS.len()).filter(|n| accounts & 1 << n != 0) {
            let op = MailOp::Append(vec![Append {
                mailbox: name.into(),
                body: body.clone(),
                flags: flag_names(flags),
                internal_date: DateTime { milliseconds: date, offset: -60 },
                delivery: delivery.map(|d| DeliveryId([d; 16])),
            }]);
            let done = self.commit(account, op);
            let Some(model) = self.accounts[account].mailboxes.get_mut(name) else {
                assert_eq!(done, None, "there is no {name}");
                continue;
            };
            let Some(Done::Appended(done)) = done else { panic!("not appended: {done:?}") };
            let Appended { uid, duplicate, .. } = done[0];
            model.learn(&flag_set(flags));
            let before = delivery.and_then(|d| model.delivered.get(&d).copied());
            assert_eq!(duplicate, before.is_some());
            if let Some(before) = before {
                assert_eq!(uid, before);
                continue;
            }
            let message = Message { bytes: bytes.clone(), flags: flag_set(flags), modseq: 0, date, saved };
            assert_eq!(uid, model.add(message));
            if let Some(delivery) = delivery {
                model.delivered.insert(delivery, uid);
            }
        }
    }

    fn flags(&mut self, at: (usize, usize), uids: (Uid, Uid), change: FlagChange, flags: u8, stale: bool) {
        let since = self.model(at).filter(|_| stale).map(|m| m.highest / 2);
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
        if change != FlagChange::Remove {
            model.learn(&named);
        }
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

    fn expunge(&mut self, account: usize, name: &str, uids: (Uid, Uid), only_deleted: bool) {
        let op = MailOp::Expunge { mailbox: name.into(), uids: UidSet::range(uids.0, uids.1), only_deleted };
        let done = self.commit(account, op);
        let Some(model) = self.accounts[account].mailboxes.get_mut(name) else {
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
        let (from, to) = (NAMES[at.1], NAMES[to]);
        let set = UidSet::range(uids.0, uids.1);
        let done = self.commit(at.0, MailOp::Copy { mailbox: from.into(), uids: set, to: to.into(), remove });
        let now = self.now();
        let expected = self.accounts[at.0].copy(from, uids, to, remove, now);
        let pairs = done.map(|done| match done {
            Done::Copied { uids, .. } => uids,
            other => panic!("not copied: {other:?}"),
        });
        assert_eq!(pairs, expected);
    }

    fn tree(&mut self, step: &Step) {
        let (account, op, expected) = match *step {
            Step::Create { at, special_use } => {
                let op = MailOp::CreateMailbox { name: NAMES[at.1].into(), special_use };
                (at.0, op, self.accounts[at.0].create(NAMES[at.1], special_use))
            }
            Step::Delete { at } => {
                let op = MailOp::DeleteMailbox { name: NAMES[at.1].into() };
                (at.0, op, self.accounts[at.0].delete(NAMES[at.1]))
            }
            Step::Rename { at, to } => {
                let op = MailOp::RenameMailbox { name: NAMES[at.1].into(), to: NAMES[to].into() };
                let now = self.now();
                (at.0, op, self.accounts[at.0].rename(NAMES[at.1], NAMES[to], now))
            }
            Step::Subscribe { at, subscribed } => {
                let names = &mut self.accounts[at.0].subscribed;
                match subscribed {
                    true => names.insert(NAMES[at.1].to_owned()),
                    false => names.remove(NAMES[at.1]),
                };
                (at.0, MailOp::Subscribe { name: NAMES[at.1].into(), subscribed }, true)
            }
            _ => return,
        };
        let done = self.commit(account, op.clone());
        assert_eq!(done.is_some(), expected, "{op:?} came to {done:?}");
    }

    fn claim(&mut self, at: (usize, usize), recent_from: Uid) {
        let done = self.commit(at.0, MailOp::Claim { mailbox: NAMES[at.1].into(), recent_from });
        let model = self.model(at);
        assert_eq!(done.is_some(), model.is_some());
        if let Some(model) = model {
            model.recent_from = model.recent_from.max(recent_from.min(model.uid_next + 1));
        }
    }

    /// The model of a mailbox.
    fn model(&mut self, at: (usize, usize)) -> Option<&mut Mailbox> {
        self.accounts[at.0].mailboxes.get_mut(NAMES[at.1])
    }

    fn compare(&mut self) {
        let Some(store) = &self.store else { return };
        for (name, model) in ACCOUNTS.iter().zip(&mut self.accounts) {
            compare_account(store, name, model);
        }
    }

    /// Expunges everything: then nothing may be left.
    fn finish(mut self) {
        for account in 0..ACCOUNTS.len() {
            let names: Vec<String> = self.accounts[account].mailboxes.keys().cloned().collect();
            names.iter().for_each(|name| self.expunge(account, name, (1, Uid::MAX), false));
        }
        self.compare();
        self.clock.fetch_add(101, Ordering::Relaxed);
        self.store().collect().expect("bodies are collected");
        let bodies: Vec<BodyId> = self.bodies.iter().copied().collect();
        for body in &bodies {
            assert!(self.store().read(*body, 0, 1).is_err(), "body {body:?} is left");
        }
        let backend = self.backend.as_ref().expect("the store is open");
        assert_eq!(backend.list(BodyId(0), 10).expect("bodies are listed"), []);
        for (account, model) in ACCOUNTS.into_iter().zip(&self.accounts) {
            let kinds = kinds_of_rows(&**backend, account);
            let count = |kind| kinds.get(&kind).copied().unwrap_or(0);
            assert_eq!(
                (count('B'), count('N')),
                (model.mailboxes.len(), model.mailboxes.len()),
                "{account}: {kinds:?}"
            );
            assert_eq!(count('S'), model.subscribed.len(), "{account}: {kinds:?}");
            let left: Vec<char> = kinds.keys().filter(|kind| !"HBNSQD".contains(**kind)).copied().collect();
            assert_eq!(left, [], "{account} keeps rows: {kinds:?}");
        }
        orphans_are_collected_late(self.store(), &**backend, &self.clock);
    }
}

/// How many rows of each kind a partition has.
fn kinds_of_rows(backend: &impl Backend, account: &str) -> BTreeMap<char, usize> {
    let mut kinds = BTreeMap::new();
    let count = &mut |key: &[u8], _: &[u8]| {
        *kinds.entry(key.first().map_or('?', |kind| char::from(*kind))).or_default() += 1;
        Ok(())
    };
    backend.scan(account, &[0], &[255], 1_000_000, count).expect("rows are read");
    kinds
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

/// A summary for tests: the body's first bytes.
struct Beginning(Vec<u8>);

impl Summariser for Beginning {
    fn push(&mut self, bytes: &[u8]) {
        let room = SUMMARY - self.0.len();
        self.0.extend(bytes.iter().take(room));
    }

    fn finish(self: Box<Self>) -> Vec<u8> {
        self.0
    }
}

const SUMMARY: usize = 8;

fn summary_of(body: &[u8]) -> Vec<u8> {
    body.iter().take(SUMMARY).copied().collect()
}
