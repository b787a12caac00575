//! Rates of what clients do with mail that is there: a table of works, each run against both servers in turns.
//!
//! Both servers run all the time, with data of their own and the same mailboxes in them. Before its first run each
//! work is done a few times by each server, so that caches that are made once are there.

use super::compare::{take_turns, Aim, Sample, Table};
use super::load::Work;
use super::report::Report;
use super::side::{Proto, Side};
use super::Bench;
use crate::error::Error;

/// One work: what the load generator is told to do.
pub struct Row {
    /// What the table calls it, with the unit of its figures.
    pub work: &'static str,
    /// The load generator's command.
    pub command: &'static str,
    /// What is spoken.
    pub proto: Proto,
    /// Inside TLS?
    pub tls: bool,
    /// At once.
    pub connections: u32,
    /// Whose mailboxes.
    pub users: Users,
    /// More of the command line.
    pub words: &'static [&'static str],
    /// Which figure.
    pub unit: Unit,
    /// What is to be reached.
    pub aim: Aim,
}

/// Which accounts take part.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Users {
    /// The first one, with the large mailbox.
    Large,
    /// Sixteen, with a smaller mailbox each; a connection has one of its own.
    Sixteen,
    /// Some whose mailboxes are empty at first.
    Empty,
    /// All.
    All,
}

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Operations a second.
    PerSecond,
    /// Megabytes (10^6) of message text a second.
    Megabytes,
}

/// One table.
pub struct Section {
    /// Its heading.
    pub title: &'static str,
    /// Its works.
    pub rows: &'static [Row],
}

/// Octets of a message.
const SIZE: &str = "8k";
/// How often a work is done before it is timed.
const BEFORE: u32 = 200;

impl Users {
    /// The first one's number, and how many.
    pub fn range(self) -> (u32, u32) {
        match self {
            Users::Large => (0, 1),
            Users::Sixteen => (1, 16),
            Users::Empty => (20, 60),
            Users::All => (0, super::load::USERS as u32),
        }
    }

    /// Messages that each has to begin with.
    fn messages(self, large: u32) -> u32 {
        match self {
            Users::Large => large,
            Users::Sixteen => large / 10,
            Users::Empty | Users::All => 0,
        }
    }
}

/// Measures the sections and writes their tables.
pub fn measure(report: &mut Report, bench: &Bench<'_>, sections: &[Section]) -> Result<(), Error> {
    let Bench { server, peers, options, .. } = bench;
    let load = &bench.build.load;
    let running = server.start(None)?;
    let mut sides = vec![Side::ours(&running)];
    if let Some(peers) = peers {
        sides.push(Side::dovecot(peers)?);
    }
    let rows = || sections.iter().flat_map(|section| section.rows);
    for users in [Users::Large, Users::Sixteen] {
        let messages = users.messages(options.messages);
        if messages > 0 && rows().any(|row| row.users == users) {
            for side in &sides {
                eprintln!("{}: {} x {messages} messages", side.name, users.range().1);
                load.fill(side, users.range(), messages, SIZE)?;
            }
        }
    }
    for section in sections {
        let mut table = Table::new(section.title, true);
        let mut others: f64 = 0.0;
        for row in section.rows {
            for side in &sides {
                if let Err(error) = load.work(side, row, Work::Count(BEFORE)) {
                    table.trouble(side.name, row.work, &error.to_string());
                }
            }
            take_turns(
                &mut table,
                (row.work, row.aim),
                options.runs,
                &sides,
                |side| side.name,
                |side| {
                    let done = load.work(side, row, Work::Seconds(options.seconds))?;
                    others = others.max(done.others_cpu_share);
                    let value = match row.unit {
                        Unit::PerSecond => Some(done.rate.per_s),
                        Unit::Megabytes => done.rate.mb_per_s,
                    };
                    Ok(value.map(|value| Sample { value, cpu_us: Some(done.server_cpu_us_per_op) }))
                },
            );
        }
        let note = format!(
            "Medians of {} runs of {} s, servers taking turns; messages of 8 KiB, {} of them in the large mailbox. \
             Dovecot in high-performance mode, {}. CPU time of one operation: of one command, a FETCH of 100 bodies \
             included, of one login, of one RETR. In no run did other programs use more than {:.0} % of the machine.",
            options.runs,
            options.seconds,
            options.messages,
            std::env::var("FORMAT").unwrap_or_else(|_| "maildir".to_string()),
            others * 100.0,
        );
        table.finish(report, &note);
    }
    if let Some(peers) = peers {
        peers.stop();
    }
    running.stop()
}
