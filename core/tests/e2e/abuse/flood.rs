//! Peers that send without end, or never read: memory stays where it was.

use super::{assert_sound, ends, greeted, push, server, settled};
use crate::harness::{Server, PASSWORD, USER};
use std::{io::Write, time::Duration};

/// So much more the server may hold while somebody floods it. Far less than what is sent.
const MORE: u64 = 16 << 20;

/// What the server's process holds in memory, in octets.
fn memory(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[test]
fn a_line_without_end_is_thrown_away_as_it_comes() {
    let server = server("");
    assert_sound(&server);
    let before = memory(&server);
    let piece = vec![b'x'; 1 << 20];
    for (listener, answer) in [("smtp", "500 5.5.6 "), ("pop3", "-ERR Line is too long"), ("imap", "* BYE [TOOBIG]")] {
        let mut client = greeted(&server, listener);
        for _ in 0..64 {
            client.send(&piece);
        }
        assert!(memory(&server) < before + MORE, "{} octets, before {before}", memory(&server));
        client.send("\r\n");
        assert!(client.line().starts_with(answer));
    }
    assert_sound(&server);
}

#[test]
fn a_header_and_a_line_of_data_without_end() {
    let server = server("");
    assert_sound(&server);
    let before = memory(&server);
    let mut client = greeted(&server, "smtp");
    client.ehlo();
    client.expect("MAIL FROM:<x@remote.test>", "250");
    client.expect(&format!("RCPT TO:<{USER}>"), "250");
    client.expect("DATA", "354");
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..64 {
        if !push(&mut client, &piece) {
            break;
        }
    }
    assert!(memory(&server) < before + MORE, "{} octets, before {before}", memory(&server));
    push(&mut client, b"\r\n.\r\n");
    let said = client.line();
    assert!(said.starts_with('5'), "{said}");
    assert_eq!(server.mailbox(USER, PASSWORD).len(), 1, "only the one that shows that it works");
    assert_sound(&server);
}

#[test]
fn a_client_that_never_reads_is_not_served_from_memory() {
    let server = server(", idle_seconds: 2");
    for _ in 0..20 {
        server.leave(&[b"Subject: big\r\n\r\n".as_slice(), &b"0123456789abcdef\r\n".repeat(4000)].concat());
    }
    let before = memory(&server);
    for (listener, command) in [("pop3", "RETR 1\r\n"), ("imap", "c FETCH 1 BODY.PEEK[]\r\n")] {
        let mut client = greeted(&server, listener);
        if listener == "pop3" {
            client.pop_login(USER, PASSWORD);
        } else {
            client.expect(&format!("a LOGIN {USER} \"{PASSWORD}\""), "a OK");
            client.send("b SELECT INBOX\r\n");
            while !client.line().starts_with("b OK") {}
        }
        client.stream.get_ref().set_write_timeout(Some(Duration::from_millis(300))).unwrap();
        // Each of these asks for 72 kB; all of them for far more than sockets hold.
        let asked = command.repeat(1000);
        let mut sent = 0_u64;
        while client.stream.get_mut().write_all(asked.as_bytes()).is_ok() {
            sent += asked.len() as u64;
            assert!(sent < 1 << 30, "the server takes commands without end");
            assert!(memory(&server) < before + MORE, "{} octets, before {before}", memory(&server));
        }
        assert!(memory(&server) < before + MORE, "{} octets, before {before}", memory(&server));
        // Without progress the idle time-out ends it.
        settled(&server);
        assert!(ends(&mut client));
    }
    assert_sound(&server);
}
