//! What tests do with mail: hard messages, sending and fetching over the wire, and our trace lines.

use crate::{
    harness::{Client, Server, PASSWORD, USER},
    tls::Tls,
};
use data_encoding::BASE64;
use std::io::{BufRead, Read, Write};

/// A message that is hard to keep as it is: lines that begin with dots, 8-bit octets that are no UTF-8, long lines, tabs
/// and spaces at line ends, a line that looks like trace, and an empty line at the end.
pub fn hard_message(subject: &str) -> Vec<u8> {
    let mut message =
        format!("From: {USER}\r\nTo: {USER}\r\nSubject: {subject}\r\nDate: Thu, 1 Jan 2026 00:00:00 +0000\r\n")
            .into_bytes();
    message.extend_from_slice(b"Message-ID: <hard@example.test>\r\nMIME-Version: 1.0\r\n");
    message
        .extend_from_slice(b"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n");
    message.extend_from_slice(b".\r\n..\r\n...\r\n. \r\n.x\r\nx.\r\n");
    message.extend_from_slice(b"gr\xfc\xdfe \x80\xff\xfe, UTF-8 \xc3\xbc\r\n");
    message.extend_from_slice(b"\r\n\r\nFrom here\r\n>From there\r\nReceived: from nowhere\r\ntab\tand space \t \r\n");
    message.extend_from_slice(&[b"x".repeat(998), b"\r\n".to_vec(), b".y".repeat(3000), b"\r\n".to_vec()].concat());
    message.extend_from_slice(b"EHLO x\r\nQUIT\r\nlast line\r\n\r\n");
    message
}

/// A message behind our own trace lines; fails the test if they are not there.
#[track_caller]
pub fn after_trace(message: &[u8]) -> &[u8] {
    let shown = String::from_utf8_lossy(message);
    assert!(message.starts_with(b"Return-Path: <"), "no Return-Path first: {shown}");
    let rest = after_line(message);
    assert!(rest.starts_with(b"Received: from "), "no Received second: {shown}");
    let mut rest = after_line(rest);
    while rest.first() == Some(&b'\t') {
        rest = after_line(rest);
    }
    rest
}

fn after_line(bytes: &[u8]) -> &[u8] {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n").unwrap();
    &bytes[end + 2..]
}

/// Compares messages; says where they differ.
#[track_caller]
pub fn assert_same(got: &[u8], want: &[u8], what: &str) {
    let at = got.iter().zip(want).position(|(a, b)| a != b).unwrap_or(got.len().min(want.len()));
    let near = |bytes: &[u8]| {
        String::from_utf8_lossy(&bytes[at.saturating_sub(30).min(bytes.len())..bytes.len().min(at + 30)]).into_owned()
    };
    assert!(
        got == want,
        "{what}: {} octets for {}, first difference at {at}: {:?} for {:?}",
        got.len(),
        want.len(),
        near(got),
        near(want)
    );
}

/// An initial response of AUTH PLAIN.
pub fn plain(user: &str, password: &str) -> String {
    BASE64.encode(format!("\0{user}\0{password}").as_bytes())
}

/// Doubles dots at line starts and adds the end, for DATA.
pub fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(message.len() + 16);
    for line in message.split_inclusive(|&b| b == b'\n') {
        if line.first() == Some(&b'.') {
            wire.push(b'.');
        }
        wire.extend_from_slice(line);
    }
    wire.extend_from_slice(b".\r\n");
    wire
}

impl<S: Read + Write> Client<S> {
    /// Says EHLO; gives the extensions.
    #[track_caller]
    pub fn ehlo(&mut self) -> Vec<String> {
        self.send("EHLO client.test\r\n");
        let reply = self.reply();
        assert!(reply[0].starts_with("250"), "{reply:?}");
        reply[1..].iter().map(|line| line[4..].to_owned()).collect()
    }

    /// Sends a command that must be answered so.
    #[track_caller]
    pub fn expect(&mut self, command: &str, answer: &str) {
        let got = self.ask(command);
        assert!(got.starts_with(answer), "{command}: {got} instead of {answer}");
    }

    /// Sends a message; gives the last reply.
    #[track_caller]
    pub fn mail(&mut self, from: &str, to: &[&str], message: &[u8]) -> String {
        self.expect(&format!("MAIL FROM:<{from}>"), "250 ");
        for recipient in to {
            self.expect(&format!("RCPT TO:<{recipient}>"), "250 ");
        }
        self.expect("DATA", "354 ");
        self.send(stuffed(message));
        self.line()
    }

    /// Logs in by USER and PASS.
    #[track_caller]
    pub fn pop_login(&mut self, user: &str, password: &str) {
        self.expect(&format!("USER {user}"), "+OK");
        self.expect(&format!("PASS {password}"), "+OK");
    }

    /// What stands behind a `+OK` of several lines, dots undoubled.
    #[track_caller]
    pub fn pop_body(&mut self, command: &str) -> Vec<u8> {
        self.expect(command, "+OK");
        let mut body = Vec::new();
        loop {
            let mut line = Vec::new();
            self.stream.read_until(b'\n', &mut line).unwrap();
            assert!(line.ends_with(b"\r\n"), "the answer to {command} breaks off");
            match line.as_slice() {
                b".\r\n" => return body,
                line => body.extend_from_slice(line.strip_prefix(b".").unwrap_or(line)),
            }
        }
    }

    /// The same as lines of text.
    #[track_caller]
    pub fn pop_lines(&mut self, command: &str) -> Vec<String> {
        let body = String::from_utf8(self.pop_body(command)).unwrap();
        body.lines().map(str::to_owned).collect()
    }
}

impl Server {
    /// A POP3 session over implicit TLS, logged in.
    #[track_caller]
    pub fn pop(&self, user: &str, password: &str) -> Client<Tls> {
        let mut pop = self.connect_tls("pop3s");
        assert!(pop.line().starts_with("+OK"));
        pop.pop_login(user, password);
        pop
    }

    /// A submission session over implicit TLS, logged in.
    #[track_caller]
    pub fn submit(&self, user: &str, password: &str) -> Client<Tls> {
        let mut client = self.connect_tls("submissions");
        assert!(client.line().starts_with("220"));
        client.ehlo();
        client.expect(&format!("AUTH PLAIN {}", plain(user, password)), "235 2.7.0");
        client
    }

    /// Everything in a mailbox.
    #[track_caller]
    pub fn mailbox(&self, user: &str, password: &str) -> Vec<Vec<u8>> {
        let mut pop = self.pop(user, password);
        let count = pop.pop_lines("LIST").len();
        (1..=count).map(|number| pop.pop_body(&format!("RETR {number}"))).collect()
    }

    /// A message in [`USER`]'s mailbox, sent by [`USER`].
    #[track_caller]
    pub fn leave(&self, message: &[u8]) {
        let answer = self.submit(USER, PASSWORD).mail(USER, &[USER], message);
        assert!(answer.starts_with("250 2.0.0"), "{answer}");
    }
}
