//! SIGTERM in the middle of it: a transaction completes or hears `421`, what got its `250` is there, the exit code is 0.

use super::{
    assert_sound,
    letters::{Fate, Ledger, Letter},
    load::senders,
    mailbox::Mailbox,
    mailboxes,
    peers::Smtp,
    random::Random,
    setup, setup_with,
};
use crate::harness::{Server, DEADLINE, USER};
use std::sync::mpsc::sync_channel;

#[track_caller]
fn ends_well(mut server: Server) -> Server {
    let status = server.wait();
    assert_eq!(status.code(), Some(0), "{}", server.log());
    assert_sound(&server);
    server.into_setup().start()
}

fn term(server: &Server) {
    server.signal("TERM");
    server.wait_for_log("stopping: no new connections");
}

#[test]
fn a_message_under_way_is_completed() {
    let (ledger, [mailbox, ..]) = (Ledger::default(), mailboxes());
    let server = setup().start();
    let mut in_data = Smtp::open(server.address("smtp")).unwrap();
    assert_eq!(in_data.offer("", &[USER]).unwrap().code, 354);
    let mut before_data = Smtp::open(server.address("smtp")).unwrap();
    before_data.0.send(format!("MAIL FROM:<>\r\nRCPT TO:<{USER}>\r\n")).unwrap();
    before_data.expect(250).unwrap();
    before_data.expect(250).unwrap();
    let mut idle = Smtp::open(server.address("smtp")).unwrap();
    let letter = Letter::new("in-data", 600_000);
    ledger.begin(&letter, &[USER]);
    let wire = letter.wire();
    in_data.0.send(&wire[..400_000]).unwrap();

    term(&server);
    assert_eq!(idle.answer().unwrap().code, 421);
    in_data.0.send(&wire[400_000..]).unwrap();
    in_data.0.send(".\r\n").unwrap();
    let answer = in_data.answer().unwrap();
    ledger.answered(&letter, answer.code);
    assert_eq!(answer.code, 250, "{}", answer.text);
    assert_eq!(in_data.answer().unwrap().code, 421, "and then it hears that this was all");

    let letter = Letter::new("before-data", 2000);
    ledger.begin(&letter, &[USER]);
    before_data.0.send("DATA\r\n").unwrap();
    let answer = before_data.answer().unwrap();
    assert_eq!(answer.code, 354, "{}", answer.text);
    before_data.0.send([letter.wire(), b".\r\n".to_vec()].concat()).unwrap();
    let answer = before_data.answer().unwrap();
    ledger.answered(&letter, answer.code);
    assert_eq!(answer.code, 250, "{}", answer.text);

    let server = ends_well(server);
    mailbox.check(&server, &ledger);
    assert_eq!(mailbox.counts(), (2, 2));
}

#[test]
fn a_message_that_never_ends_is_cut_and_not_delivered() {
    let (ledger, [mailbox, ..]) = (Ledger::default(), mailboxes());
    let server = setup_with("drain_seconds: 1,").start();
    let mut smtp = Smtp::open(server.address("smtp")).unwrap();
    assert_eq!(smtp.offer("", &[USER]).unwrap().code, 354);
    let letter = Letter::new("never-ends", 400_000);
    smtp.0.send(letter.wire()).unwrap();
    term(&server);
    let server = ends_well(server);
    mailbox.check(&server, &ledger);
    assert_eq!(mailbox.counts(), (0, 0));
}

#[test]
fn under_load_every_message_is_completed_or_put_off() {
    let mut random = Random::of_test("SIGTERM under load");
    let (ledger, mailboxes) = (Ledger::default(), mailboxes());
    let mut server = setup().start();
    for round in 0..3 {
        let senders = senders(&server, &format!("round{round}"), 8, &mut random);
        let steps = random.range(40, 400);
        std::thread::scope(|scope| {
            let (step, stepped) = sync_channel(100_000);
            for mut sender in senders {
                let step = step.clone();
                let ledger = &ledger;
                scope.spawn(move || {
                    let Ok(mut smtp) = sender.connect() else { return };
                    while let Ok(code) = sender.send(&mut smtp, ledger, || {
                        // Nobody counts any more: the signal was sent.
                        let _ = step.send(());
                    }) {
                        assert_eq!(code, 250);
                    }
                });
            }
            for _ in 0..steps {
                stepped.recv_timeout(DEADLINE).expect("the load goes on");
            }
            server.signal("TERM");
            drop(stepped);
        });
        server = ends_well(server);
        mailboxes.iter().for_each(|mailbox: &Mailbox| mailbox.check(&server, &ledger));
    }
    mailboxes.iter().for_each(|mailbox| mailbox.read_again(&server));
    let acknowledged = ledger.count(|fate| fate == Fate::Acknowledged);
    eprintln!("SIGTERM under load: {acknowledged} acknowledged");
    assert!(acknowledged > 0);
}
