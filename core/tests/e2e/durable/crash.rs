//! `kill -9` during a load of submissions: every message that got its `250` is there after a restart, once, whole.
//!
//! The kill comes at a random step of the load (a piece of a message sent, or an answer read), so it meets the server
//! in the middle of messages, between their end and their answer, and in commits. `DOVETAIL_CRASH_ROUNDS` makes it longer.

use super::{
    assert_sound,
    letters::{Fate, Ledger},
    load::senders,
    mailboxes, number,
    random::Random,
    setup,
};
use crate::harness::{Server, DEADLINE};
use std::sync::mpsc::{sync_channel, SyncSender};

const CONNECTIONS: usize = 8;

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let mut random = Random::of_test("kill -9");
    let (ledger, mailboxes) = (Ledger::default(), mailboxes());
    let mut setup = setup();
    let rounds = number("DOVETAIL_CRASH_ROUNDS", 10);
    for round in 0..rounds {
        let mut server = setup.start();
        for mailbox in &mailboxes {
            // What is deleted before a kill stays deleted.
            mailbox.check(&server, &ledger);
            mailbox.visit(server.address("pop3"), &ledger, |_| random.one_in(2)).unwrap();
        }
        load_until_killed(&mut server, round, &ledger, &mut random);
        assert_sound(&server);
        setup = server.kill();
    }
    let server = setup.start();
    for mailbox in &mailboxes {
        mailbox.check(&server, &ledger);
        mailbox.read_again(&server);
    }
    assert_sound(&server);
    let acknowledged = ledger.count(|fate| fate == Fate::Acknowledged);
    let unanswered = ledger.count(|fate| fate == Fate::Unanswered);
    let refused = ledger.count(|fate| matches!(fate, Fate::Refused(_)));
    eprintln!("kill -9: {rounds} rounds, {acknowledged} acknowledged, {unanswered} cut off");
    assert_eq!(refused, 0, "nothing stood in the way of any message");
    assert!(acknowledged as u64 >= rounds && unanswered as u64 >= rounds, "the kills did not meet a load");
}

/// Sends from all connections until the server is killed at a random step.
fn load_until_killed(server: &mut Server, round: u64, ledger: &Ledger, random: &mut Random) {
    let senders = senders(server, &format!("round{round}"), CONNECTIONS, random);
    let steps = random.range(40, 800);
    std::thread::scope(|scope| {
        // Nobody waits for the one who counts.
        let (step, stepped) = sync_channel(100_000);
        for mut sender in senders {
            let step: SyncSender<()> = step.clone();
            scope.spawn(move || {
                let count = || {
                    // Whoever counted has killed the server; its end is noticed by the connection.
                    let _ = step.send(());
                };
                let Ok(mut smtp) = sender.connect() else { return };
                while sender.send(&mut smtp, ledger, &count).is_ok() {
                    count();
                }
            });
        }
        for _ in 0..steps {
            if stepped.recv_timeout(DEADLINE).is_err() {
                server.child.kill().unwrap();
                panic!("the load stands still\n{}", server.log());
            }
        }
        server.child.kill().unwrap();
        drop(stepped);
    });
}
