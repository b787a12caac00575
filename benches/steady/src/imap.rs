//! An IMAP session.

use crate::{tally::Kind, wire::Wire, Common};
use std::io;

/// A session.
pub struct Imap {
    wire: Wire,
    tags: u32,
}

impl Imap {
    /// Connects as far as TLS.
    pub fn open(common: &Common, kind: Kind) -> io::Result<Imap> {
        let plan = &common.plan;
        let address = if kind.implicit { plan.imaps } else { plan.imap };
        let mut imap = Imap { wire: Wire::connect(common, address, kind.implicit)?, tags: 0 };
        let greeting = imap.wire.line()?;
        if !greeting.starts_with("* OK ") {
            return Err(io::Error::other(format!("greeted with {greeting:?}")));
        }
        if !kind.implicit {
            imap.command("STARTTLS")?;
            imap.wire = imap.wire.secure(common)?;
        }
        Ok(imap)
    }

    /// Our end.
    pub fn from(&self) -> std::net::SocketAddr {
        self.wire.from
    }

    /// Says who we are.
    pub fn log_in(&mut self, (address, password): &(String, String)) -> io::Result<()> {
        self.command(&format!("LOGIN \"{address}\" \"{password}\"")).map(drop)
    }

    /// The build that the server says it is.
    pub fn build(&mut self) -> io::Result<Option<String>> {
        let lines = self.command("ID NIL")?;
        let words: Vec<&str> = lines.iter().flat_map(|(line, _)| line.split('"')).collect();
        let at = words.iter().position(|word| *word == "build");
        Ok(at.and_then(|at| words.get(at + 2)).map(|build| (*build).to_owned()))
    }

    /// Sends a command that must be answered with OK; gives the lines before that, each with the literal that it ends with.
    pub fn command(&mut self, command: &str) -> io::Result<Vec<(String, Vec<u8>)>> {
        self.tags += 1;
        let tag = format!("a{} ", self.tags);
        self.wire.send(format!("{tag}{command}\r\n").as_bytes())?;
        let mut lines = Vec::new();
        loop {
            let line = self.wire.line()?;
            if let Some(status) = line.strip_prefix(&tag) {
                return match status.starts_with("OK") {
                    true => Ok(lines),
                    false => {
                        Err(io::Error::other(format!("{status:?} to {}", command.split(' ').next().unwrap_or(""))))
                    }
                };
            }
            if line.starts_with("* BYE") && command != "LOGOUT" {
                return Err(io::Error::other(line));
            }
            let length =
                line.strip_suffix('}').and_then(|line| line.rsplit_once('{')).and_then(|(_, n)| n.parse().ok());
            let literal = length.map(|length| self.wire.bytes(length)).transpose()?.unwrap_or_default();
            lines.push((line, literal));
        }
    }
}
