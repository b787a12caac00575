//! Views against what is on the disk: after every commit, among commits, and when commits fail.

mod meddled;
mod race;

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use proptest::prelude::*;

use super::*;
use crate::memory::MemoryBackend;
use crate::store::Store;
use crate::types::{Append, DateTime, FlagChange, FlagNames, Flags, MailOp};
use crate::uidset::UidSet;
use crate::{Body, Options};

const ANNA: &str = "anna";

struct World {
    store: Store,
    backend: Arc<MemoryBackend>,
    body: Body,
}

fn world(view_messages: usize) -> World {
    let backend = Arc::new(MemoryBackend::default());
    let options = Options { view_messages, collect_every: 0, ..Options::default() };
    let store = Store::open(backend.clone(), options).unwrap();
    let mut sink = store.begin_body(0).unwrap();
    sink.write(b"Subject: x\r\n\r\n").unwrap();
    World { body: sink.seal().unwrap(), store, backend }
}

impl World {
    fn append(&self, mailbox: &str, count: usize) -> MailOp {
        append_of(&self.body, mailbox, count)
    }

    fn commit(&self, op: MailOp) {
        self.store.commit(ANNA, vec![op]).unwrap().into_iter().for_each(|result| drop(result.unwrap()));
    }

    fn create(&self, name: &str) {
        self.commit(MailOp::CreateMailbox { name: name.into(), special_use: 0 });
    }

    fn open(&self, name: &str) -> Arc<View> {
        self.store.open_mailbox(ANNA, name).unwrap()
    }

    fn count(&self) -> usize {
        self.store.inner.views.count()
    }
}

fn append_of(body: &Body, mailbox: &str, count: usize) -> MailOp {
    let append = Append {
        mailbox: mailbox.into(),
        body: body.clone(),
        flags: FlagNames::default(),
        internal_date: DateTime { milliseconds: -5, offset: -60 },
        delivery: None,
    };
    MailOp::Append(vec![append; count])
}

fn flags(mailbox: &str, uids: UidSet, change: FlagChange, system: Flags, keywords: &[&str]) -> MailOp {
    let keywords = keywords.iter().map(|keyword| keyword.to_string()).collect();
    MailOp::StoreFlags {
        mailbox: mailbox.into(),
        uids,
        change,
        flags: FlagNames { system, keywords },
        unchanged_since: None,
    }
}

fn expunge(mailbox: &str, uids: UidSet, only_deleted: bool) -> MailOp {
    MailOp::Expunge { mailbox: mailbox.into(), uids, only_deleted }
}

/// The view shows what a fresh one would.
fn assert_true(backend: &MemoryBackend, view: &View) {
    let (row, columns) = read(backend, &view.account, view.mailbox).unwrap().unwrap();
    view.look(|state, mine| {
        assert_eq!(*mine, columns);
        let mut fresh = ViewState { last_expunge: state.last_expunge, ..ViewState::default() };
        fresh.take_over(row);
        fresh.recent_from = state.recent_from;
        assert_eq!(*state, fresh);
    });
}

/// Counts wakes.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[derive(Debug, Clone)]
enum Step {
    Append { at: usize, count: usize },
    Flags { at: usize, uids: (Uid, Uid), change: FlagChange, system: u64, keyword: usize },
    Expunge { at: usize, uids: (Uid, Uid), only_deleted: bool },
    Copy { at: usize, uids: (Uid, Uid), to: usize, remove: bool },
    Open { at: usize },
    Close,
    Claim { at: usize },
    Fail,
    Disturb,
}

const NAMES: [&str; 2] = ["INBOX", "Lists"];
const KEYWORDS: [&str; 4] = ["a", "b", "c", "d"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let at = 0..NAMES.len();
    let uids = (1u32..12, 0u32..8).prop_map(|(first, more)| (first, first + more));
    let change = prop_oneof![Just(FlagChange::Add), Just(FlagChange::Remove), Just(FlagChange::Replace)];
    let step = prop_oneof![
        4 => (at.clone(), 1usize..4).prop_map(|(at, count)| Step::Append { at, count }),
        3 => (at.clone(), uids.clone(), change, 0u64..32, 0..KEYWORDS.len())
            .prop_map(|(at, uids, change, system, keyword)| Step::Flags { at, uids, change, system, keyword }),
        2 => (at.clone(), uids.clone(), any::<bool>())
            .prop_map(|(at, uids, only_deleted)| Step::Expunge { at, uids, only_deleted }),
        2 => (at.clone(), uids, at.clone(), any::<bool>())
            .prop_map(|(at, uids, to, remove)| Step::Copy { at, uids, to, remove }),
        2 => at.clone().prop_map(|at| Step::Open { at }),
        1 => Just(Step::Close),
        1 => at.prop_map(|at| Step::Claim { at }),
        1 => Just(Step::Fail),
        1 => Just(Step::Disturb),
    ];
    prop::collection::vec(step, 1..40)
}

proptest! {
    #[test]
    fn a_view_is_what_is_on_the_disk_after_each_commit(steps in steps()) {
        let world = world(1_000);
        world.create("Lists");
        let mut open: Vec<Arc<View>> = Vec::new();
        for step in steps {
            let range = |uids: (Uid, Uid)| UidSet::range(uids.0, uids.1);
            match step {
                Step::Append { at, count } => world.commit(world.append(NAMES[at], count)),
                Step::Flags { at, uids, change, system, keyword } => {
                    world.commit(flags(NAMES[at], range(uids), change, Flags(system), &KEYWORDS[..keyword]));
                }
                Step::Expunge { at, uids, only_deleted } => {
                    world.commit(expunge(NAMES[at], range(uids), only_deleted));
                }
                Step::Copy { at, uids, to, remove } => world.commit(MailOp::Copy {
                    mailbox: NAMES[at].into(),
                    uids: range(uids),
                    to: NAMES[to].into(),
                    remove,
                }),
                Step::Open { at } => open.push(world.open(NAMES[at])),
                Step::Close => open.clear(),
                Step::Claim { at } => {
                    let view = world.open(NAMES[at]);
                    view.recent(true);
                    if let Some(recent_from) = view.unsaved_claim() {
                        world.commit(MailOp::Claim { mailbox: NAMES[at].into(), recent_from });
                    }
                    prop_assert_eq!(view.recent(true), view.look(|state, _| state.uid_next));
                    prop_assert_eq!(view.unsaved_claim(), None);
                }
                Step::Fail => {
                    world.backend.fail_commits(1);
                    world.store.commit(ANNA, vec![world.append("INBOX", 1)]).unwrap_err();
                }
                Step::Disturb => world.backend.disturb(ANNA),
            }
            open.iter().for_each(|view| assert_true(&world.backend, view));
        }
    }
}

#[test]
fn all_who_open_a_mailbox_share_one_view() {
    let world = world(1_000);
    let (one, two) = (world.open("INBOX"), world.open("inbox"));
    assert!(Arc::ptr_eq(&one, &two));
    assert!(matches!(world.store.open_mailbox(ANNA, "Nowhere"), Err(StoreError::NoSuchMailbox { .. })));
}

#[test]
fn what_went_is_known_by_its_modseq() {
    let world = world(1_000);
    let view = world.open("INBOX");
    world.commit(world.append("INBOX", 3));
    assert_eq!(view.look(|state, _| state.last_expunge), 0);
    world.commit(expunge("INBOX", UidSet::range(2, 2), false));
    let expunged = view.look(|state, _| (state.last_expunge, state.highest_modseq));
    assert_eq!(expunged.0, expunged.1);
    world.commit(flags("INBOX", UidSet::all(), FlagChange::Add, Flags::SEEN, &[]));
    assert_eq!(view.look(|state, _| (state.last_expunge, state.unseen)), (expunged.0, 0));
}

#[test]
fn ten_thousand_flags_change_at_once() {
    let world = world(1_000_000);
    for _ in 0..10 {
        world.commit(world.append("INBOX", 1_000));
    }
    let view = world.open("INBOX");
    world.commit(flags("INBOX", UidSet::all(), FlagChange::Add, Flags::SEEN, &["work"]));
    assert_true(&world.backend, &view);
    assert!(view.look(|_, columns| columns.flags.iter().all(|word| *word == 0x101)));
    let odd: UidSet = (1..=10_000).filter(|uid| uid % 2 == 1).collect();
    world.commit(expunge("INBOX", odd, false));
    assert_true(&world.backend, &view);
    assert_eq!(view.look(|_, columns| columns.uids.len()), 5_000);
}

#[test]
fn a_deleted_mailbox_is_gone_for_those_who_hold_it() {
    let world = world(1_000);
    world.create("Lists");
    world.commit(world.append("Lists", 2));
    let view = world.open("Lists");
    let before = view.look(|state, _| state.highest_modseq);
    world.commit(MailOp::DeleteMailbox { name: "Lists".into() });
    view.look(|state, columns| {
        assert!(state.gone && columns.uids.is_empty());
        assert!(state.highest_modseq > before && state.last_expunge > before);
    });
    let mut context = Context::from_waker(Waker::noop());
    assert!(pin!(view.changed(u64::MAX)).poll(&mut context).is_ready());
    world.create("Lists");
    assert!(!Arc::ptr_eq(&view, &world.open("Lists")));
    assert!(world.open("Lists").look(|state, _| !state.gone));
}

#[test]
fn a_waiter_is_woken_when_the_rows_show_the_change() {
    let world = world(1_000);
    let view = world.open("INBOX");
    let since = view.look(|state, _| state.highest_modseq);
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(wakes.clone());
    let mut context = Context::from_waker(&waker);
    let mut changed = pin!(view.changed(since));
    assert!(changed.as_mut().poll(&mut context).is_pending());
    // Nothing changes for a waiter by what changes nothing, or elsewhere.
    world.create("Lists");
    world.commit(world.append("Lists", 1));
    world.backend.fail_commits(1);
    world.store.commit(ANNA, vec![world.append("INBOX", 1)]).unwrap_err();
    assert!(changed.as_mut().poll(&mut context).is_pending());
    world.commit(world.append("INBOX", 1));
    assert!(wakes.0.load(Ordering::SeqCst) > 0);
    let Poll::Ready(highest) = changed.poll(&mut context) else { panic!("still waiting") };
    assert_eq!(view.look(|state, columns| (state.highest_modseq, columns.modseqs[0])), (highest, highest));
    // Whoever asks with what is past needs no wake.
    assert!(pin!(view.changed(since)).poll(&mut context).is_ready());
}

#[test]
fn a_waiter_is_small() {
    let view = View::new(ANNA, 1);
    let size = std::mem::size_of_val(&view.changed(0));
    assert!(size < 300, "{size}");
}

#[test]
fn a_claim_is_for_one() {
    let world = world(1_000);
    world.commit(world.append("INBOX", 3));
    let view = world.open("INBOX");
    assert_eq!((view.recent(false), view.unsaved_claim()), (1, None));
    assert_eq!((view.recent(true), view.recent(true)), (1, 4));
    // What comes before the claim is on the disk doesn't take it back.
    world.commit(world.append("INBOX", 1));
    assert_eq!(view.recent(true), 4);
    assert_eq!((view.unsaved_claim(), view.unsaved_claim()), (Some(5), None));
}

#[test]
fn views_that_nobody_holds_are_dropped_when_there_are_too_many() {
    let world = world(100);
    let names: Vec<String> = (0..10).map(|n| format!("box{n}")).collect();
    for name in &names {
        world.create(name);
        world.commit(world.append(name, 20));
    }
    let held = world.open(&names[0]);
    for name in &names[1..] {
        world.open(name);
    }
    // Each takes 20 messages and a little.
    assert!((2..=4).contains(&world.count()), "{}", world.count());
    assert!(Arc::ptr_eq(&held, &world.open(&names[0])));
    let last = Arc::downgrade(&world.open(&names[9]));
    assert!(last.upgrade().is_some(), "the one opened last is kept");
    world.commit(world.append(&names[1], 1));
    assert_true(&world.backend, &world.open(&names[1]));
    assert_true(&world.backend, &held);
}
