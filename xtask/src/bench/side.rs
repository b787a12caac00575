//! What the load generator must know of a server that runs: its name, its ports, its processes.

use super::dovetail::{self, Running};
use super::peers::{self, Peers};
use crate::error::Error;

/// What is spoken on a port.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Proto {
    /// IMAP.
    Imap,
    /// POP3.
    Pop3,
    /// SMTP.
    Smtp,
}

/// One server of a comparison.
pub struct Side {
    /// Its name in tables.
    pub name: &'static str,
    /// Its master process.
    pub pid: u32,
    port: fn(Proto, bool) -> Option<u16>,
}

impl Proto {
    /// As the load generator calls it.
    pub fn name(self) -> &'static str {
        match self {
            Proto::Imap => "imap",
            Proto::Pop3 => "pop3",
            Proto::Smtp => "smtp",
        }
    }
}

impl Side {
    /// The server under test.
    pub fn ours(running: &Running) -> Side {
        Side { name: dovetail::NAME, pid: running.pid(), port: dovetail::port }
    }

    /// Starts Dovecot.
    pub fn dovecot(peers: &Peers) -> Result<Side, Error> {
        Ok(Side { name: peers::DOVECOT, pid: peers.start_dovecot(None)?, port: peers::dovecot_port })
    }

    /// The port, if the server has one for this.
    pub fn port(&self, proto: Proto, tls: bool) -> Option<u16> {
        (self.port)(proto, tls)
    }
}
