//! What is printed: each line with what it must be.

use super::{builds::Builds, Options};
use crate::error::Error;
use std::collections::BTreeSet;
use steady::Outcome;

/// A retired library may leave so many octets.
const MAX_PER_LIBRARY: u64 = 5 << 20;
/// A thousand reloads that change nothing may leave so many.
const MAX_PER_THOUSAND: u64 = 1 << 20;

/// See the module.
pub struct Report {
    bad: u32,
    imap: BTreeSet<String>,
    tls: BTreeSet<String>,
    swaps: [u32; 2],
}

impl Report {
    /// Says what will be done.
    pub fn new(options: &Options, builds: &Builds) -> Report {
        let [first, second] = &builds.providers;
        println!(
            "{} connections; {} swaps {} <-> {}, {} swaps between two builds of the imap plugin",
            options.connections, options.swaps, first.name, second.name, options.swaps
        );
        Report { bad: 0, imap: BTreeSet::new(), tls: BTreeSet::new(), swaps: [0; 2] }
    }

    /// A swap was done.
    pub fn swapped(&mut self, is_tls: bool, now: &steady::Builds) {
        self.swaps[usize::from(!is_tls)] += 1;
        self.imap.insert(now.imap.clone());
        self.tls.insert(now.tls.clone());
    }

    /// What came of the load.
    pub fn load(&mut self, outcome: Outcome) {
        let [tls, imap] = self.swaps;
        self.line("swaps under load", &format!("{tls} of the TLS provider, {imap} of imap"), true);
        let list = |builds: &BTreeSet<String>| builds.iter().cloned().collect::<Vec<_>>().join(" ");
        let (imap, tls) = (list(&self.imap), list(&self.tls));
        self.line("builds of imap", &imap, self.imap.len() >= 2);
        self.line("builds of TLS", &tls, !self.tls.is_empty());
        self.line("sessions opened", &outcome.sessions.to_string(), outcome.sessions > 0);
        self.zero("refused connections", outcome.refused);
        self.zero("dropped sessions", outcome.dropped);
        let held = format!("{} of {}", outcome.answered, outcome.held);
        let all = outcome.held > 0 && outcome.answered == outcome.held;
        self.line("sessions from before the first swap that answer after the last", &held, all);
        self.line("times a session told the build of its time by ID", &outcome.told.to_string(), outcome.told > 0);
        self.line(
            "times `status` told build and provider of a session's time",
            &outcome.listed.to_string(),
            outcome.listed > 0,
        );
        self.zero("times either told another one", outcome.wrong);
        self.line("messages accepted", &outcome.accepted.to_string(), outcome.accepted > 0);
        self.zero("messages lost or damaged", outcome.lost);
        self.zero("messages twice", outcome.doubled);
        for note in &outcome.notes {
            println!("    {note}");
        }
    }

    /// What each retired library left.
    pub fn retired(&mut self, name: &str, octets: u64) {
        self.line(&format!("memory per retired library ({name})"), &megabytes(octets), octets <= MAX_PER_LIBRARY);
    }

    /// What reloads left.
    pub fn reloads(&mut self, count: u32, octets: u64) {
        let allowed = MAX_PER_THOUSAND * u64::from(count.max(1000)) / 1000;
        self.line(&format!("memory of {count} reloads that change nothing"), &megabytes(octets), octets <= allowed);
    }

    /// Memory before and after what was done at rest.
    pub fn whole(&mut self, before: u64, after: u64) {
        println!(
            "    the server's memory (PSS): {} after the load, {} at the end",
            megabytes(before),
            megabytes(after)
        );
    }

    /// Fails if a line did not hold.
    pub fn finish(self) -> Result<(), Error> {
        match self.bad {
            0 => Ok(()),
            bad => Err(Error::Server(format!("{bad} line(s) do not hold"))),
        }
    }

    fn zero(&mut self, what: &str, count: u64) {
        self.line(what, &count.to_string(), count == 0);
    }

    fn line(&mut self, what: &str, value: &str, holds: bool) {
        self.bad += u32::from(!holds);
        println!("{}  {what}: {value}", if holds { "ok " } else { "BAD" });
    }
}

fn megabytes(octets: u64) -> String {
    format!("{:.2} MB", octets as f64 / f64::from(1 << 20))
}
