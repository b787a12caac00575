//! Several connections that send letters at the same time, to the public port and by submission.

use super::{
    letters::{Ledger, Letter},
    peers::Smtp,
    random::Random,
    ACCOUNTS,
};
use crate::harness::Server;
use std::{io, net::SocketAddr};

/// One sender.
pub struct Sender {
    name: String,
    account: Option<&'static str>,
    address: SocketAddr,
    random: Random,
    sent: usize,
}

/// So many senders, half on each port. Letters' ids begin with `name`.
pub fn senders(server: &Server, name: &str, count: usize, random: &mut Random) -> Vec<Sender> {
    let make = |number: usize| {
        let account = (number % 2 == 1).then(|| ACCOUNTS[number / 2 % ACCOUNTS.len()]);
        Sender {
            name: format!("{name}-{number}"),
            account,
            address: server.address(if account.is_some() { "submission" } else { "smtp" }),
            random: Random::new(random.next()),
            sent: 0,
        }
    };
    (0..count).map(make).collect()
}

impl Sender {
    /// Connects, and logs in if that is its way.
    pub fn connect(&self) -> io::Result<Smtp> {
        match self.account {
            Some(account) => Smtp::log_in(self.address, account),
            None => Smtp::open(self.address),
        }
    }

    /// Sends one letter of a random size to one or several accounts. `step` is called after each piece.
    pub fn send(&mut self, smtp: &mut Smtp, ledger: &Ledger, step: impl FnMut()) -> io::Result<u16> {
        self.sent += 1;
        let letter = Letter::random(format!("{}-{}", self.name, self.sent), &mut self.random);
        let first = self.random.range(0, ACCOUNTS.len() as u64) as usize;
        let count = if self.random.one_in(5) { ACCOUNTS.len() - first } else { 1 };
        let recipients = &ACCOUNTS[first..first + count];
        let sender = self.account.unwrap_or("stranger@elsewhere.example");
        ledger.begin(&letter, recipients);
        let answer = smtp.mail(sender, recipients, &letter, step)?;
        ledger.answered(&letter, answer.code);
        Ok(answer.code)
    }
}
