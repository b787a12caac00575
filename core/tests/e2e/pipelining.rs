//! Pipelined commands are answered in one write.

use crate::harness::{Client, Setup, PASSWORD, USER};
use std::io::{Read, Write};

/// So often in a row the answers must come in one piece: answers in several writes would sometimes be seen apart.
const ROUNDS: usize = 200;

/// Sends `commands` at once; all answers must come with the first read.
#[track_caller]
fn answered_at_once<S: Read + Write>(client: &mut Client<S>, commands: &str, answers: &str) {
    assert!(client.stream.buffer().is_empty());
    for round in 0..ROUNDS {
        client.send(commands);
        let mut got = [0; 8192];
        let count = client.stream.get_mut().read(&mut got).unwrap();
        assert_eq!(String::from_utf8_lossy(&got[..count]), answers, "in round {round}");
    }
}

#[test]
fn smtp_answers_a_batch_in_one_write() {
    let server = Setup::mail().start();
    let mut client = server.connect("smtp");
    client.line();
    client.ehlo();
    let commands =
        format!("MAIL FROM:<x@remote.test>\r\nRCPT TO:<{USER}>\r\nRCPT TO:<no@example.test>\r\nNOOP\r\nRSET\r\n");
    client.send(&commands);
    let answers: Vec<String> = (0..5).map(|_| client.line()).collect();
    let codes: Vec<&str> = answers.iter().map(|answer| &answer[..9]).collect();
    assert_eq!(codes, ["250 2.1.0", "250 2.1.5", "550 5.1.1", "250 2.0.0", "250 2.0.0"]);
    // Refusals are counted, so the rounds have none.
    let commands = format!("MAIL FROM:<x@remote.test>\r\nRCPT TO:<{USER}>\r\nNOOP\r\nRSET\r\n");
    let answers = [0, 1, 3, 4].map(|at| format!("{}\r\n", answers[at])).concat();
    answered_at_once(&mut client, &commands, &answers);
}

#[test]
fn pop3_answers_a_batch_in_one_write() {
    let server = Setup::mail().start();
    let mut pop = server.pop(USER, PASSWORD);
    let commands = "STAT\r\nNOOP\r\nLIST\r\nRSET\r\n";
    pop.send(commands);
    let answers: Vec<String> = (0..5).map(|_| pop.line() + "\r\n").collect();
    assert_eq!(answers[3], ".\r\n", "{answers:?}");
    answered_at_once(&mut pop, commands, &answers.concat());
}

#[test]
fn imap_answers_a_batch_in_one_write() {
    let server = Setup::mail().start();
    server.leave(b"Subject: one\r\n\r\ntext\r\n");
    let mut imap = server.connect_tls("imaps");
    assert!(imap.line().starts_with("* OK"));
    imap.expect(&format!("a LOGIN {USER} \"{PASSWORD}\""), "a OK");
    imap.send("b SELECT INBOX\r\n");
    while !imap.line().starts_with("b OK") {}
    let commands =
        "c NOOP\r\nd FETCH 1 (FLAGS BODY.PEEK[TEXT])\r\ne UID SEARCH ALL\r\nf STATUS INBOX (UIDNEXT)\r\ng CHECK\r\n";
    imap.send(commands);
    let mut answers = Vec::new();
    while !answers.last().is_some_and(|line: &String| line.starts_with("g OK")) {
        answers.push(imap.line() + "\r\n");
    }
    let tagged: Vec<&str> =
        answers.iter().map(|line| &line[..2]).filter(|tag| tag.ends_with(' ') && *tag != "* ").collect();
    assert_eq!(tagged, ["c ", "d ", "e ", "f ", "g "], "{answers:?}");
    answered_at_once(&mut imap, commands, &answers.concat());
}
