//! Clients that people use: a message goes in by each of them and comes out by each of them, byte for byte.

mod curl;
mod fetchmail;
mod imapclient;
mod imapflow;
mod imaplib;
mod letters;
mod mbsync;
mod neomutt;
mod openssl;
mod python;
mod swaks;
mod together;

use crate::{
    harness::{Server, Setup, BINARY, PASSWORD, USER},
    mail::{after_trace, assert_same, hard_message},
    tls::HOST,
};
use letters::Inbox;
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A name that leads to loopback on every machine, for clients that can't be told where a name leads.
const LOCAL: &str = "localhost";

/// How a client gets to TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Explicit,
    Implicit,
}

impl Way {
    const BOTH: [Way; 2] = [Way::Explicit, Way::Implicit];

    fn submission(self) -> &'static str {
        match self {
            Way::Explicit => "submission",
            Way::Implicit => "submissions",
        }
    }

    fn pop3(self) -> &'static str {
        match self {
            Way::Explicit => "pop3",
            Way::Implicit => "pop3s",
        }
    }

    fn imap(self) -> &'static str {
        match self {
            Way::Explicit => "imap",
            Way::Implicit => "imaps",
        }
    }
}

/// A message goes in by `send` both ways; what is in the mailbox must be it.
fn sends(send: impl Fn(&Server, Way, &[u8])) {
    let server = Setup::mail().start();
    for (at, way) in Way::BOTH.into_iter().enumerate() {
        let message = hard_message(&format!("{way:?}"));
        send(&server, way, &message);
        let mailbox = server.mailbox(USER, PASSWORD);
        assert_eq!(mailbox.len(), at + 1, "{way:?}: {}", server.log());
        assert_same(after_trace(&mailbox[at]), &message, &format!("sent {way:?}"));
        let trace = String::from_utf8_lossy(&mailbox[at][..mailbox[at].len() - message.len()]).into_owned();
        assert!(trace.contains(&format!("by {HOST} with ESMTPSA\r\n\t(TLSv1.3 ")), "{trace}");
    }
}

/// A message is fetched by `fetch` both ways; it must be what was sent.
fn fetches(fetch: impl Fn(&Server, Way) -> Vec<u8>) {
    let server = Setup::mail().start();
    let message = hard_message("fetched");
    server.leave(&message);
    for way in Way::BOTH {
        let got = fetch(&server, way);
        assert_same(after_trace(&got), &message, &format!("fetched {way:?}"));
        assert_same(&got, &server.mailbox(USER, PASSWORD)[0], &format!("fetched {way:?}, with its trace"));
    }
}

/// Every message of an [`Inbox`] is read by `read` both ways; all must be what they were.
fn reads_all(read: impl Fn(&Inbox, Way) -> Vec<Vec<u8>>) {
    let inbox = Inbox::new();
    for way in Way::BOTH {
        inbox.assert_all(read(&inbox, way), <[u8]>::to_vec, &format!("read {way:?}"));
    }
}

/// Where `.ci/run` puts the clients that Debian doesn't have (core/tests/clients): beside the builds.
fn installed() -> PathBuf {
    Path::new(BINARY).ancestors().nth(2).unwrap().join("clients")
}

/// Runs a script that says `idling` when it waits for mail; delivers this then. It must end well.
#[track_caller]
fn run_and_deliver(server: &Server, command: &mut Command, message: &[u8]) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    if line == "idling\n" {
        server.leave(message);
    }
    let status = child.wait().unwrap();
    assert!(status.success() && line == "idling\n", "{status}, {line:?}\n{}", server.log());
}
