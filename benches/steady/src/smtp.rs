//! A submission session.

use crate::{tally::Kind, wire::Wire, Common};
use data_encoding::BASE64;
use std::io;

/// A session in which somebody has logged in.
pub struct Smtp(pub Wire);

impl Smtp {
    /// Connects as far as the greeting inside TLS.
    pub fn open(common: &Common, kind: Kind) -> io::Result<Smtp> {
        let plan = &common.plan;
        let address = if kind.implicit { plan.submissions } else { plan.submission };
        let mut smtp = Smtp(Wire::connect(common, address, kind.implicit)?);
        smtp.expect(220)?;
        if kind.implicit {
            return Ok(smtp);
        }
        smtp.command("EHLO steady.test", 250)?;
        smtp.command("STARTTLS", 220)?;
        Ok(Smtp(smtp.0.secure(common)?))
    }

    /// Says who we are.
    pub fn log_in(&mut self, (address, password): &(String, String)) -> io::Result<()> {
        self.command("EHLO steady.test", 250)?;
        let plain = BASE64.encode(format!("\0{address}\0{password}").as_bytes());
        self.command(&format!("AUTH PLAIN {plain}"), 235)
    }

    /// Sends a message.
    pub fn send(&mut self, address: &str, message: &str) -> io::Result<()> {
        self.command(&format!("MAIL FROM:<{address}>"), 250)?;
        self.command(&format!("RCPT TO:<{address}>"), 250)?;
        self.command("DATA", 354)?;
        self.0.send(format!("{message}.\r\n").as_bytes())?;
        self.expect(250)
    }

    /// Says goodbye.
    pub fn quit(&mut self) -> io::Result<()> {
        self.command("QUIT", 221)
    }

    /// Sends a command and hears that it was answered so.
    pub fn command(&mut self, command: &str, code: u16) -> io::Result<()> {
        self.0.send(format!("{command}\r\n").as_bytes())?;
        self.expect(code)
    }

    fn expect(&mut self, code: u16) -> io::Result<()> {
        loop {
            let line = self.0.line()?;
            if !line.starts_with(&code.to_string()) {
                return Err(io::Error::other(format!("{line:?} instead of {code}")));
            }
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(());
            }
        }
    }
}
