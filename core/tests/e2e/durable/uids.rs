//! Unique-ids: the same over restarts, and never used again.

use super::{
    letters::{Ledger, Letter},
    mailboxes,
    peers::{Pop, Smtp},
    setup,
};
use crate::harness::{Server, USER};

fn send(server: &Server, ledger: &Ledger, id: &str) {
    let letter = Letter::new(id, 2000);
    ledger.begin(&letter, &[USER]);
    let answer =
        Smtp::open(server.address("smtp")).unwrap().mail("x@elsewhere.example", &[USER], &letter, || {}).unwrap();
    assert_eq!(answer.code, 250, "{}", answer.text);
    ledger.answered(&letter, answer.code);
}

fn list(server: &Server) -> Vec<(usize, String)> {
    Pop::log_in(server.address("pop3"), USER).unwrap().list().unwrap()
}

#[test]
fn uidl_is_stable_over_restarts_and_uids_are_never_used_again() {
    let (ledger, [mailbox, ..]) = (Ledger::default(), mailboxes());
    let mut server = setup().start();
    for n in 0..5 {
        send(&server, &ledger, &format!("first{n}"));
    }
    mailbox.check(&server, &ledger);
    let before = list(&server);
    server = server.stop().start();
    assert_eq!(list(&server), before, "after a stop");
    server = server.kill().start();
    assert_eq!(list(&server), before, "after a kill");

    // The newest is deleted, then all; the mailbox model knows every place that was ever given.
    for (round, kill) in [(1, false), (2, true), (3, false), (4, true)] {
        let newest = ledger.acknowledged(USER).pop().unwrap();
        mailbox.visit(server.address("pop3"), &ledger, |id| round > 2 || id == newest).unwrap();
        server = if kill { server.kill().start() } else { server.stop().start() };
        send(&server, &ledger, &format!("round{round}"));
        mailbox.check(&server, &ledger);
    }
    assert_eq!(mailbox.counts(), (9, 1), "of nine, the last is left");
}
