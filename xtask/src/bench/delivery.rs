//! SMTP messages a second into the mailbox, what each costs, and how often the disk is asked to keep one.
//!
//! A server's clock stops when the last message is in its mailbox: at its 250 for ours, when its queue is empty
//! for Postfix. The last run of each server is looked up message by message by POP3.

use super::dovetail::{self, Running};
use super::load::{Load, Sent, Smtp};
use super::peers::{self, Peers};
use super::report::{median, row, Report};
use super::syncs::Trace;
use super::Bench;
use crate::error::Error;
use std::path::{Path, PathBuf};

/// Connections at once, and the messages of a run that counts syncs.
const LEVELS: [(u32, u32); 3] = [(1, 200), (16, 1600), (64, 3200)];

/// One server as the load generator sees it.
struct Target {
    name: &'static str,
    port: u16,
    pop3: u16,
    pids: Vec<u32>,
    queues: Vec<PathBuf>,
}

/// Measures and writes the table.
pub fn measure(report: &mut Report, bench: &Bench<'_>) -> Result<(), Error> {
    let options = bench.options;
    let (rates, checked) = rates(bench)?;
    let ours = our_syncs(bench)?;
    let theirs = match bench.peers {
        Some(peers) => Some(their_syncs(bench, peers)?),
        None => None,
    };
    let mut rows = vec![row(&[
        "connections",
        "server",
        "messages/s in the mailbox",
        "server CPU µs/message",
        "p99 of the 250, ms",
        "syncs/message",
    ])];
    for (level, (connections, _)) in LEVELS.iter().enumerate() {
        for (name, sent) in &rates[level] {
            let syncs = match *name {
                dovetail::NAME => Some(ours[level]),
                _ => theirs.as_ref().map(|t| t[level]),
            };
            let of = |figure: fn(&Sent) -> f64| median(sent.iter().map(figure).collect());
            rows.push(vec![
                connections.to_string(),
                name.to_string(),
                format!("{:.0}", of(|s| s.delivered.per_s)),
                format!("{:.0}", of(|s| s.server_cpu_us_per_op)),
                format!("{:.1}", of(|s| s.accepted.p99_ms)),
                syncs.map_or("?".to_string(), |s| format!("{s:.2}")),
            ]);
        }
    }
    report.table("SMTP into the mailbox, durable, 8 KiB messages", &rows);
    report.note(&format!(
        "Medians of {} runs of {} s, servers taking turns; {} accounts. Postfix is timed until its queue is empty, and \
         its CPU includes Dovecot's; its 250 says only that the message is queued. Syncs are counted by strace in \
         runs of their own. {checked}",
        options.runs,
        options.seconds,
        super::load::USERS
    ));
    Ok(())
}

type Rates = Vec<Vec<(&'static str, Vec<Sent>)>>;

fn rates(bench: &Bench<'_>) -> Result<(Rates, String), Error> {
    let Bench { peers, options, .. } = bench;
    let load = &bench.build.load;
    let acks = &bench.acks();
    let running = bench.server.start(None)?;
    let mut targets = vec![Target::ours(&running)];
    if let Some(peers) = peers {
        targets.push(Target::theirs(peers, None)?);
    }
    let mut rates: Rates = Vec::new();
    let mut checked = String::new();
    for (connections, _) in LEVELS {
        let mut level: Vec<_> = targets.iter().map(|t| (t.name, Vec::new())).collect();
        for run in 0..options.runs {
            for (target, (name, sent)) in targets.iter().zip(&mut level) {
                eprintln!("{name}, {connections} connections, run {}", run + 1);
                sent.push(load.smtp(&target.run(connections, options.seconds, 0, acks))?);
                // The largest run of each server is looked up whole: a figure for lost mail is worth nothing.
                if run + 1 == options.runs && connections == LEVELS[LEVELS.len() - 1].0 {
                    checked.push_str(&format!("{name}: {}. ", load.verify(target.pop3, acks, false)?));
                }
            }
        }
        rates.push(level);
    }
    if let Some(peers) = peers {
        peers.stop();
    }
    running.stop()?;
    Ok((rates, checked))
}

fn our_syncs(bench: &Bench<'_>) -> Result<Vec<f64>, Error> {
    let trace = bench.trace()?;
    let running = bench.server.start(Some(&trace))?;
    let target = Target::ours(&running);
    let syncs = syncs(&bench.build.load, &target, &trace, &bench.acks())?;
    running.stop()?;
    Ok(syncs)
}

fn their_syncs(bench: &Bench<'_>, peers: &Peers) -> Result<Vec<f64>, Error> {
    let trace = bench.trace()?;
    let target = Target::theirs(peers, Some(&trace))?;
    let syncs = syncs(&bench.build.load, &target, &trace, &bench.acks())?;
    peers.stop();
    Ok(syncs)
}

fn syncs(load: &Load, target: &Target, trace: &Trace, acks: &Path) -> Result<Vec<f64>, Error> {
    // The first message of a user may make its mailbox, which isn't what is asked here.
    load.smtp(&target.run(1, 0, super::load::USERS as u32, acks))?;
    let mut each = Vec::new();
    for (connections, messages) in LEVELS {
        eprintln!("{}, {connections} connections, counting syncs", target.name);
        let before = trace.calls()?;
        let sent = load.smtp(&target.run(connections, 0, messages, acks))?;
        each.push((trace.calls()? - before) as f64 / sent.delivered.n as f64);
    }
    Ok(each)
}

impl Bench<'_> {
    fn acks(&self) -> PathBuf {
        self.dir.join("acks")
    }

    fn trace(&self) -> Result<Trace, Error> {
        Trace::new(&self.build.workspace_root, &self.dir.join("trace"))
    }
}

impl Target {
    fn ours(running: &Running) -> Target {
        Target {
            name: dovetail::NAME,
            port: dovetail::SMTP,
            pop3: dovetail::POP3,
            pids: vec![running.pid()],
            queues: Vec::new(),
        }
    }

    /// Starts the peers.
    fn theirs(peers: &Peers, trace: Option<&Trace>) -> Result<Target, Error> {
        Ok(Target {
            name: peers::NAME,
            port: peers::SMTP,
            pop3: peers::POP3,
            pids: peers.start_both(trace)?,
            queues: peers.queues(),
        })
    }

    fn run<'a>(&'a self, connections: u32, seconds: u32, count: u32, acks: &'a Path) -> Smtp<'a> {
        Smtp { port: self.port, connections, seconds, count, pids: &self.pids, acks, queues: &self.queues }
    }
}
