//! Many threads: commits of all kinds while views come and go, and what is read while it changes.

use std::sync::atomic::AtomicBool;
use std::sync::Mutex;

use super::*;

/// Few views stay, so that they are loaded again and again.
const FEW: usize = 40;

#[test]
fn views_that_come_and_go_among_commits_miss_nothing() {
    let world = world(FEW);
    world.create("Lists");
    let held = [world.open("INBOX"), world.open("Lists")];
    let ended = AtomicBool::new(false);
    let seen = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..3)
            .map(|writer| {
                let world = &world;
                scope.spawn(move || {
                    for n in 0..120u32 {
                        let mailbox = NAMES[(n % 2) as usize];
                        let uids = UidSet::range(n, n + 10);
                        world.commit(match (n + writer) % 4 {
                            0 | 1 => world.append(mailbox, 2),
                            2 => flags(mailbox, uids, FlagChange::Add, Flags(u64::from(n % 32)), &[]),
                            _ => expunge(mailbox, UidSet::range(n / 2, n / 2 + 2), false),
                        });
                    }
                })
            })
            .collect();
        for _ in 0..2 {
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    for name in NAMES {
                        let view = world.open(name);
                        view.look(|state, columns| {
                            assert!(columns.uids.windows(2).all(|pair| pair[0] < pair[1]));
                            assert!(columns.uids.last().is_none_or(|last| *last < state.uid_next));
                            assert!(columns.modseqs.iter().all(|modseq| *modseq <= state.highest_modseq));
                            let unseen = columns.flags.iter().filter(|word| **word & 1 == 0).count();
                            assert_eq!(unseen, state.unseen as usize);
                        });
                        seen.lock().unwrap().push(Arc::downgrade(&view));
                    }
                    // Others of the account push these out.
                    for n in 0..4 {
                        let _ = world.store.open_mailbox(&format!("other{n}"), "INBOX");
                    }
                }
            });
        }
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        ended.store(true, Ordering::Relaxed);
    });
    held.iter().for_each(|view| assert_true(&world.backend, view));
    seen.into_inner().unwrap().iter().filter_map(std::sync::Weak::upgrade).for_each(|view| {
        assert_true(&world.backend, &view);
    });
    NAMES.iter().for_each(|name| assert_true(&world.backend, &world.open(name)));
}

#[test]
fn a_mailbox_loaded_while_it_is_not_held_is_loaded_among_commits() {
    // Views are dropped as soon as nobody holds them: each opening is a load.
    let world = world(0);
    let rounds = 60;
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| (0..rounds).for_each(|_| world.commit(world.append("INBOX", 3))));
        let mut opened = 0;
        while !writer.is_finished() || opened == 0 {
            let view = world.open("INBOX");
            view.look(|state, columns| assert_eq!(columns.uids.len() as u32 + 1, state.uid_next));
            opened += 1;
        }
    });
    let view = world.open("INBOX");
    assert_true(&world.backend, &view);
    assert_eq!(view.look(|_, columns| columns.uids.len()), 3 * rounds);
}
