//! Clients that people use: a message goes in by each of them and comes out by each of them, byte for byte.

mod curl;
mod openssl;
mod python;
mod swaks;

use crate::{
    harness::{Server, Setup, PASSWORD, USER},
    mail::{after_trace, assert_same, hard_message},
    tls::HOST,
};

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
