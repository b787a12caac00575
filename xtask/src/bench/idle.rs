//! Memory that idle connections inside TLS cost, greeted or in IDLE.
//!
//! A server is started anew for each sample, as what an allocator keeps would be missing from the next one.

use super::compare::{take_turns, Aim, Pair, Sample, Table};
use super::load::{Held, Idle, Load};
use super::report::Report;
use super::side::{Proto, Side};
use super::{dovetail, peers, Bench};
use crate::error::Error;
use std::time::Duration;

/// A kind of idle connection.
struct Row {
    work: &'static str,
    proto: Proto,
    idle: bool,
    aim: Aim,
}

const ROWS: &[Row] = &[
    Row { work: "IMAP, greeted", proto: Proto::Imap, idle: false, aim: Aim::AtMost(12.0) },
    Row { work: "IMAP, in IDLE", proto: Proto::Imap, idle: true, aim: Aim::AtMost(16.0) },
    Row { work: "POP3, greeted", proto: Proto::Pop3, idle: false, aim: Aim::AtMost(12.0) },
    Row { work: "SMTP, greeted", proto: Proto::Smtp, idle: false, aim: Aim::AtMost(12.0) },
];

/// Dovecot hibernates a connection after 5 s in IDLE, one after the other.
const HOLD_IDLE: u32 = 15;
const HOLD_GREETED: u32 = 3;
/// Connections before those that are measured.
const FIRST: u32 = 4;

/// Measures and writes the table.
pub fn measure(report: &mut Report, bench: &Bench<'_>) -> Result<(), Error> {
    let options = bench.options;
    let mut names = vec![dovetail::NAME];
    names.extend(bench.peers.map(|_| peers::DOVECOT));
    let mut table = Table::new("Memory of an idle connection inside TLS, kB", false);
    for (i, &n) in options.idle.iter().enumerate() {
        for row in ROWS {
            if row.proto != Proto::Imap && i > 0 {
                continue;
            }
            let work = format!("{}, {n} connections", row.work);
            let mut trees: Vec<(&str, f64)> = Vec::new();
            take_turns(
                &mut table,
                (&work, row.aim),
                options.runs,
                &names,
                |name| name,
                |name| {
                    let idle = sample(bench, name, row, n)?;
                    if let Some(idle) = &idle {
                        trees.push((name, idle.after_hold.pss_kb / 1000.0));
                    }
                    Ok(idle.map(|idle| Sample { value: idle.per_connection_after_hold.pss_kb, cpu_us: None }))
                },
            );
            let mut whole = Pair::new(format!("{work}: the whole server, MB"), Aim::None);
            for (name, value) in trees {
                whole.add(name, Sample { value, cpu_us: None });
            }
            table.add(&whole);
        }
    }
    let note = format!(
        "Medians of {} runs, servers taking turns and started anew each time. Growth of the proportional set size \
         (PSS) of all the server's processes, divided by connections; the kernel's socket buffers are not in it. \
         Greeted: silent for {} s afterwards; in IDLE: {} s, 100 accounts, empty mailboxes, and Dovecot hibernates \
         after 5 s; all of them have been logged in once before. Each connection still answers afterwards.",
        options.runs,
        HOLD_GREETED + 2,
        HOLD_IDLE + 2,
    );
    table.finish(report, &note);
    Ok(())
}

fn sample(bench: &Bench<'_>, name: &str, row: &Row, n: u32) -> Result<Option<Idle>, Error> {
    let load = &bench.build.load;
    if name == dovetail::NAME {
        let running = bench.server.start(None)?;
        let idle = hold(load, &Side::ours(&running), row, n)?;
        running.stop()?;
        return Ok(idle);
    }
    let Some(peers) = bench.peers else { return Ok(None) };
    let idle = Side::dovecot(peers).and_then(|side| hold(load, &side, row, n));
    peers.stop();
    idle
}

/// Opens that many; nothing if the server has no such port.
fn hold(load: &Load, side: &Side, row: &Row, n: u32) -> Result<Option<Idle>, Error> {
    let Some(port) = side.port(row.proto, true) else { return Ok(None) };
    let held = |n, hold| Held { proto: row.proto, port, pid: side.pid, n, hold, idle: row.idle };
    // What is made once, for the server or for an account, isn't charged to the connections. Few at a time: what an
    // allocator keeps of these would be missing from the others.
    if row.idle {
        load.log_all_in(port)?;
    }
    load.idle(&held(FIRST, 0))?;
    std::thread::sleep(Duration::from_secs(1));
    let idle = load.idle(&held(n, if row.idle { HOLD_IDLE } else { HOLD_GREETED }))?;
    if idle.connections < n || idle.alive_after_hold < n {
        return Err(Error::Server(format!(
            "of {n} connections to port {port}, {} were opened and {} still answered ({})",
            idle.connections, idle.alive_after_hold, idle.last_error
        )));
    }
    Ok(Some(idle))
}
