//! Time from starting a server to its IMAP greeting inside TLS, the part of it that goes into plugins, and its memory at rest.

use super::compare::{take_turns, Aim, Pair, Sample, Table};
use super::load::Rest;
use super::report::Report;
use super::side::Side;
use super::{dovetail, peers, Bench};
use crate::error::Error;
use std::time::Duration;

/// Measures and writes the table.
pub fn measure(report: &mut Report, bench: &Bench<'_>) -> Result<(), Error> {
    let runs = bench.options.runs;
    let mut names = vec![dovetail::NAME];
    names.extend(bench.peers.map(|_| peers::DOVECOT));
    let name = |name: &&'static str| *name;
    let mut table = Table::new("Start and memory at rest", false);
    take_turns(&mut table, ("start to IMAP greeting inside TLS, ms", Aim::AtMost(36.0)), runs, &names, name, |name| {
        Ok(Some(Sample { value: start(bench, name)?, cpu_us: None }))
    });
    let check = ("plugins probed, loaded, prepared and wired (`dovetail check`), ms", Aim::AtMost(60.0));
    take_turns(&mut table, check, runs, &[dovetail::NAME], name, |_| {
        let value = bench.server.check()?.as_secs_f64() * 1000.0;
        Ok(Some(Sample { value, cpu_us: None }))
    });
    let mut rested = Vec::new();
    take_turns(&mut table, ("memory at rest (PSS), MB", Aim::AtMost(12.0)), runs, &names, name, |name| {
        let memory = rest(bench, name)?;
        let value = memory.pss_kb / 1000.0;
        rested.push((*name, memory));
        Ok(Some(Sample { value, cpu_us: None }))
    });
    let mut anonymous = Pair::new("of it no file's, MB", Aim::None);
    for (name, memory) in &rested {
        anonymous.add(name, Sample { value: memory.anon_kb / 1000.0, cpu_us: None });
    }
    table.add(&anonymous);
    let processes: Vec<String> = names
        .iter()
        .filter_map(|name| rested.iter().find(|(n, _)| n == name))
        .map(|(name, memory)| format!("{name} {:.0}", memory.procs))
        .collect();
    let note = format!(
        "Medians of {runs} runs, servers taking turns. Start: data and certificate are there already. At rest: a \
         second after the start, all plugins loaded and all ports open; the rest of it is mapped code. Processes: {}.",
        processes.join(", ")
    );
    table.finish(report, &note);
    Ok(())
}

fn start(bench: &Bench<'_>, name: &str) -> Result<f64, Error> {
    let load = &bench.build.load;
    match bench.peers {
        Some(peers) if name == peers::DOVECOT => {
            let started = load.startup(peers::IMAPS, &peers.dovecot_command());
            // It is asked to stop and waited for, but its children may be slower.
            peers.stop();
            started
        }
        _ => load.startup(dovetail::IMAPS, &bench.server.command()),
    }
}

fn rest(bench: &Bench<'_>, name: &str) -> Result<Rest, Error> {
    let load = &bench.build.load;
    let settle = || std::thread::sleep(Duration::from_secs(1));
    match bench.peers {
        Some(peers) if name == peers::DOVECOT => {
            let side = Side::dovecot(peers)?;
            settle();
            let memory = load.memory(&[side.pid]);
            peers.stop();
            memory
        }
        _ => {
            let running = bench.server.start(None)?;
            settle();
            let memory = load.memory(&[running.pid()])?;
            running.stop()?;
            Ok(memory)
        }
    }
}
