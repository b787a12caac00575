//! Crowds: mail comes in while several POP3 sessions of the same accounts read and delete it. Nothing is lost, nothing
//! is doubled, nothing comes back. `DOVETAIL_STRESS_SECONDS` makes the stress longer.

use super::{
    assert_sound,
    letters::{Fate, Ledger},
    load::senders,
    mailboxes, number,
    random::Random,
    setup, ACCOUNTS,
};
use crate::harness::Server;
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

/// Sends from `sending` connections until `done`, and reads and deletes from `reading` ones, some beyond that; checks all.
fn crowd(server: Server, test: &str, sending: usize, reading: usize, mut done: impl FnMut(&Ledger) -> bool + Send) {
    let mut random = Random::of_test(test);
    let (ledger, mailboxes) = (Ledger::default(), mailboxes());
    let senders = senders(&server, "crowd", sending, &mut random);
    let pop3 = server.address("pop3");
    let stop = &AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (ledger, mailboxes) = (&ledger, &mailboxes);
        let sending: Vec<_> = senders
            .into_iter()
            .map(|mut sender| {
                scope.spawn(move || {
                    // Others must not wait for ever for one who failed.
                    let _stop = StopOnPanic(stop);
                    let mut smtp = sender.connect().unwrap();
                    while !stop.load(Ordering::Relaxed) {
                        let code = sender.send(&mut smtp, ledger, || {}).unwrap();
                        assert_eq!(code, 250);
                    }
                })
            })
            .collect();
        for number in 0..reading {
            let mut random = Random::new(random.next());
            scope.spawn(move || {
                let _stop = StopOnPanic(stop);
                while !stop.load(Ordering::Relaxed) {
                    let mailbox = &mailboxes[number % ACCOUNTS.len()];
                    mailbox.visit(pop3, ledger, |_| random.one_in(3)).unwrap();
                }
            });
        }
        while !done(ledger) && !stop.load(Ordering::Relaxed) && !sending.iter().all(|thread| thread.is_finished()) {
            std::thread::park_timeout(Duration::from_millis(20));
        }
        stop.store(true, Ordering::Relaxed);
    });
    let check = |server: &Server| {
        for mailbox in &mailboxes {
            mailbox.check(server, &ledger);
            mailbox.read_again(server);
        }
        assert_sound(server);
    };
    check(&server);
    let server = server.stop().start();
    check(&server);
    let (acknowledged, unanswered) =
        (ledger.count(|fate| fate == Fate::Acknowledged), ledger.count(|fate| fate == Fate::Unanswered));
    eprintln!("{test}: {acknowledged} acknowledged; seen and left: {:?}", mailboxes.each_ref().map(|m| m.counts()));
    assert_eq!(unanswered, 0);
    let deleted: usize = mailboxes.iter().map(|mailbox| mailbox.counts().0 - mailbox.counts().1).sum();
    assert!(acknowledged > 0 && deleted > 0, "the crowd did nothing");
}

struct StopOnPanic<'a>(&'a AtomicBool);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

#[test]
fn sessions_that_delete_while_mail_comes_in_lose_and_double_nothing() {
    crowd(setup().start(), "deleting sessions", 3, 6, |ledger| ledger.count(|fate| fate == Fate::Acknowledged) >= 90);
}

#[test]
fn twenty_connections_of_mixed_work() {
    let end = Instant::now() + Duration::from_secs(number("DOVETAIL_STRESS_SECONDS", 6));
    crowd(setup().start(), "stress", 10, 10, |ledger| {
        Instant::now() >= end && ledger.count(|fate| fate == Fate::Acknowledged) > 0
    });
}
