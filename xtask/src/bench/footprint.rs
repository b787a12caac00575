//! Time from starting a server to its greeting inside TLS, and its memory: at rest and for an idle connection.

use super::dovetail;
use super::load::{Idle, Load};
use super::peers;
use super::report::{median, row, Report};
use super::Bench;
use crate::error::Error;
use std::time::Duration;

/// Measures and writes the table.
pub fn measure(report: &mut Report, bench: &Bench<'_>) -> Result<(), Error> {
    let Bench { server, options, .. } = bench;
    let load = &bench.build.load;
    let mut rows = vec![row(&[
        "server",
        "start to TLS greeting, ms",
        "PSS at rest, kB (processes)",
        "PSS an idle TLS connection, kB",
    ])];
    eprintln!("{}: start, memory", dovetail::NAME);
    let start = starts(load, dovetail::POP3S, &server.command(), options.runs)?;
    for (proto, port) in [("pop3", dovetail::POP3S), ("smtp", dovetail::SMTPS)] {
        let running = server.start(None)?;
        let memory = memory(load, proto, port, &[running.pid()], options.idle)?;
        running.stop()?;
        let name = format!("{}, {proto}", dovetail::NAME);
        rows.push(memory.row(&name, start));
    }
    if let Some(peers) = bench.peers {
        eprintln!("Dovecot: start, memory");
        let start = starts(load, peers::POP3S, &peers.dovecot_command(), options.runs)?;
        let pid = peers.start_dovecot(None)?;
        let memory = memory(load, "pop3", peers::POP3S, &[pid], options.idle)?;
        peers.stop();
        rows.push(memory.row("Dovecot, pop3, high-performance mode", start));
    }
    report.table("Start and memory", &rows);
    report.note(&format!(
        "Start: median of {}, data and certificate there already. Idle: {} connections, greeted and then silent for \
         5 s; each still answers afterwards. PSS is the proportional set size of all the server's processes; the \
         kernel's socket buffers are not in it.",
        options.runs, options.idle
    ));
    Ok(())
}

fn starts(load: &Load, port: u16, command: &[String], runs: usize) -> Result<f64, Error> {
    let mut times = Vec::new();
    for _ in 0..runs {
        times.push(load.startup(port, command)?);
    }
    Ok(median(times))
}

struct Footprint {
    rest_kb: f64,
    processes: f64,
    idle: Idle,
}

fn memory(load: &Load, proto: &str, port: u16, pids: &[u32], n: u32) -> Result<Footprint, Error> {
    // A few connections first, so that what is made once isn't charged to the thousand.
    load.idle(proto, port, 50, pids)?;
    std::thread::sleep(Duration::from_secs(1));
    let rest = load.memory(pids)?;
    let idle = load.idle(proto, port, n, pids)?;
    if idle.connections < n || idle.alive_after_hold < n {
        return Err(Error::Server(format!(
            "of {n} idle {proto} connections to port {port}, {} were opened and {} still answered",
            idle.connections, idle.alive_after_hold
        )));
    }
    Ok(Footprint { rest_kb: rest.pss_kb, processes: rest.procs, idle })
}

impl Footprint {
    fn row(&self, name: &str, start_ms: f64) -> Vec<String> {
        let idle_kb = self.idle.per_connection_after_hold.pss_kb;
        vec![
            name.to_string(),
            format!("{start_ms:.0}"),
            format!("{:.0} ({:.0})", self.rest_kb, self.processes),
            format!("{idle_kb:.1}"),
        ]
    }
}
