//! An IMAP client for tests: sends a command, reads responses with their literals up to the tagged line.

use crate::harness::DEADLINE;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
};

/// A connection.
pub struct Imap {
    stream: BufReader<TcpStream>,
    tags: u32,
}

/// One response line with the literals that it had; each stands in `text` as `{}`.
#[derive(Debug, Clone)]
pub struct Response {
    /// The line without CRLF.
    pub text: String,
    /// The literals in their order.
    pub literals: Vec<Vec<u8>>,
}

/// The answer to a command.
#[derive(Debug)]
pub struct Answer {
    /// The untagged responses, in order.
    pub untagged: Vec<Response>,
    /// `OK ...`, `NO ...` or `BAD ...`.
    pub status: String,
}

impl Answer {
    /// The answer, if it is `OK`.
    #[track_caller]
    pub fn ok(self) -> Answer {
        assert!(self.status.starts_with("OK"), "{self:?}");
        self
    }

    /// The texts of the untagged responses.
    pub fn texts(&self) -> Vec<&str> {
        self.untagged.iter().map(|response| response.text.as_str()).collect()
    }
}

impl Imap {
    /// Connects and hears the greeting.
    pub fn connect(address: SocketAddr) -> Imap {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut imap = Imap { stream: BufReader::new(stream), tags: 0 };
        let greeting = imap.response();
        assert!(greeting.text.starts_with("* OK"), "{greeting:?}");
        imap
    }

    /// Connects and logs in.
    pub fn login(address: SocketAddr, account: &str, password: &str) -> Imap {
        let mut imap = Imap::connect(address);
        imap.command(&format!("LOGIN {account} \"{password}\"")).ok();
        imap
    }

    /// Sends a command; gives its tag.
    pub fn send(&mut self, command: &str) -> String {
        self.tags += 1;
        let tag = format!("t{}", self.tags);
        self.raw(format!("{tag} {command}\r\n").as_bytes());
        tag
    }

    /// Sends octets.
    pub fn raw(&mut self, octets: &[u8]) {
        self.stream.get_mut().write_all(octets).unwrap();
    }

    /// Sends a command and reads its answer.
    pub fn command(&mut self, command: &str) -> Answer {
        let tag = self.send(command);
        self.answer(&tag)
    }

    /// Appends a message with a non-synchronizing literal.
    pub fn append(&mut self, mailbox: &str, flags: &str, message: &[u8]) -> Answer {
        self.tags += 1;
        let tag = format!("t{}", self.tags);
        let mut bytes = format!("{tag} APPEND {mailbox} ({flags}) {{{}+}}\r\n", message.len()).into_bytes();
        bytes.extend_from_slice(message);
        bytes.extend_from_slice(b"\r\n");
        self.raw(&bytes);
        self.answer(&tag)
    }

    /// Reads responses up to the tagged line.
    pub fn answer(&mut self, tag: &str) -> Answer {
        let mut untagged = Vec::new();
        loop {
            let response = self.response();
            match response.text.strip_prefix(tag).and_then(|rest| rest.strip_prefix(' ')) {
                Some(status) => return Answer { untagged, status: status.to_owned() },
                None => untagged.push(response),
            }
        }
    }

    /// Reads one response.
    #[track_caller]
    pub fn response(&mut self) -> Response {
        let mut response = Response { text: String::new(), literals: Vec::new() };
        loop {
            let mut line = Vec::new();
            self.stream.read_until(b'\n', &mut line).unwrap();
            assert!(line.ends_with(b"\r\n"), "the connection ended after {response:?} {line:?}");
            let line = String::from_utf8_lossy(&line[..line.len() - 2]).into_owned();
            let literal = line.strip_suffix('}').and_then(|line| line.rsplit_once('{'));
            match literal.and_then(|(before, size)| Some((before, size.parse::<usize>().ok()?))) {
                Some((before, size)) => {
                    let mut octets = vec![0; size];
                    self.stream.read_exact(&mut octets).unwrap();
                    response.text.push_str(before);
                    response.text.push_str("{}");
                    response.literals.push(octets);
                }
                None => {
                    response.text.push_str(&line);
                    return response;
                }
            }
        }
    }
}
