//! The spool's limits, and what is left of it.

use super::{greeted, messages, rules, setup, LETTER};
use crate::{
    harness::{Client, USER},
    mail::stuffed,
};
use std::{collections::BTreeSet, io::Write, net::TcpStream, sync::Mutex};

const POLICY: &str = "(stage: EndOfMessage, text: \"not in any message\", says: Reject)";

#[test]
fn limits_make_clients_wait_and_lose_nothing() {
    let spool = "\"spool\": (config: (memory_kib: 1, max_message_size: 100000, max_messages: 2, max_octets: 150000)),";
    let server = setup("(instance: \"p\")", &(rules("p", POLICY) + spool)).start();
    let begin = |octets: usize| {
        let mut client = greeted(&server);
        client.expect("MAIL FROM:<x@remote.test>", "250 ");
        client.expect(&format!("RCPT TO:<{USER}>"), "250 ");
        client.expect("DATA", "354 ");
        let text = format!("Subject: x\r\n\r\n{}", format!("{}\r\n", "x".repeat(98)).repeat(octets / 100));
        client.send(text);
        client
    };
    let (mut first, mut second) = (begin(90_000), begin(0));
    // As many messages as there may be.
    let mut third = greeted(&server);
    third.expect("MAIL FROM:<x@remote.test>", "250 ");
    third.expect(&format!("RCPT TO:<{USER}>"), "250 ");
    third.expect("DATA", "452 4.3.1 ");
    // What could never fit is refused for good, and at once.
    third.expect("MAIL FROM:<x@remote.test> SIZE=100001", "250 ");
    third.expect(&format!("RCPT TO:<{USER}>"), "250 ");
    third.expect("DATA", "552 5.3.4 ");
    // More octets than all may have.
    second.send(format!("{}\r\n", "y".repeat(98)).repeat(950));
    second.send(".\r\n");
    assert!(second.line().starts_with("452 4.3.1 "), "{}", server.log());
    second.expect("NOOP", "250 ");
    // There is room again: each is taken when it comes back.
    assert!(third.mail("x@remote.test", &[USER], LETTER).starts_with("250 2.0.0 "));
    first.send(".\r\n");
    assert!(first.line().starts_with("250 2.0.0 "));
    second.expect("MAIL FROM:<x@remote.test>", "250 ");
    second.expect(&format!("RCPT TO:<{USER}>"), "250 ");
    second.expect("DATA", "354 ");
    second.send(stuffed(LETTER));
    assert!(second.line().starts_with("250 2.0.0 "));
    assert_eq!(messages(&server, "INBOX").len(), 3);
}

#[test]
fn nothing_is_left_after_a_kill_in_the_middle_of_a_message() {
    let spool = "\"spool\": (config: (memory_kib: 0)),";
    let server = setup("(instance: \"p\")", &(rules("p", POLICY) + spool)).start();
    let mut client = greeted(&server);
    client.expect("MAIL FROM:<x@remote.test>", "250 ");
    client.expect(&format!("RCPT TO:<{USER}>"), "250 ");
    client.expect("DATA", "354 ");
    client.send("Subject: x\r\n\r\n");
    client.send(format!("{}\r\n", "x".repeat(98)).repeat(2000));
    let setup = server.kill();
    let spool = setup.data_dir().join("spool");
    assert_eq!(std::fs::read_dir(&spool).unwrap().count(), 0);
    // What a file system without files without names may leave is swept.
    std::fs::write(spool.join(".tmpAbCdEf"), "x").unwrap();
    let server = setup.start();
    assert_eq!(std::fs::read_dir(&spool).unwrap().count(), 0);
    assert!(messages(&server, "INBOX").is_empty());
    assert!(greeted(&server).mail("x@remote.test", &[USER], LETTER).starts_with("250 2.0.0 "));
}

/// Every message that got its `250` was moved from the spool into the store before.
#[test]
fn what_was_acknowledged_is_there_after_kill_9() {
    let rule = "(stage: EndOfMessage, says: Accept, add: [(\"X-Seen\", \"yes\")])";
    let mut setup = setup("(instance: \"p\")", &(rules("p", rule) + "\"spool\": (config: (memory_kib: 1)),"));
    let told = Mutex::new(BTreeSet::new());
    for round in 0..3 {
        let mut server = setup.start();
        let address = server.address("smtp");
        std::thread::scope(|scope| {
            for session in 0..6 {
                let told = &told;
                scope.spawn(move || {
                    let mut client = Client::new(TcpStream::connect(address).unwrap());
                    client.line();
                    client.ehlo();
                    for number in 0.. {
                        let id = format!("<{round}.{session}.{number}>");
                        let filler = format!("{}\r\n", "x".repeat(78)).repeat(number % 40);
                        let mail = format!(
                            "MAIL FROM:<>\r\nRCPT TO:<{USER}>\r\nDATA\r\nMessage-ID: {id}\r\n\r\n{filler}.\r\n"
                        );
                        // The kill may come before this is sent, or before it is answered.
                        if client.stream.get_mut().write_all(mail.as_bytes()).is_err() {
                            return;
                        }
                        for answer in ["250 ", "250 ", "354 ", "250 2.0.0 Delivered as "] {
                            if !client.line().starts_with(answer) {
                                return;
                            }
                        }
                        told.lock().unwrap().insert(id);
                    }
                });
            }
            while told.lock().unwrap().len() < (round + 1) * 60 {
                std::thread::yield_now();
            }
            server.child.kill().unwrap();
        });
        server.wait();
        setup = server.into_setup();
    }
    let server = setup.start();
    let mut seen = BTreeSet::new();
    for message in messages(&server, "INBOX") {
        let id = message.split("Message-ID: ").nth(1).and_then(|rest| rest.split("\r\n").next()).unwrap().to_owned();
        assert!(message.contains("\r\nX-Seen: yes\r\nMessage-ID: "), "{message}");
        assert!(seen.insert(id), "a message is there twice: {message}");
    }
    let told = told.lock().unwrap();
    assert!(told.is_subset(&seen), "{:?} are lost", told.difference(&seen).collect::<Vec<_>>());
}
