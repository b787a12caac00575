//! The load generator: its command lines, and the figures it prints as JSON.

use super::rates::{Row, Users};
use super::side::{Proto, Side};
use crate::error::Error;
use crate::run;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The accounts that every server under test has: u0@bench.test and following.
pub const USERS: usize = 100;
/// Their password.
pub const PASSWORD: &str = "benchpass";

/// The program.
pub struct Load {
    program: PathBuf,
}

/// A run of submissions.
pub struct Smtp<'a> {
    /// Where to.
    pub port: u16,
    /// How many at once.
    pub connections: u32,
    /// For so many seconds ...
    pub seconds: u32,
    /// ... or so many messages, if not 0.
    pub count: u32,
    /// The server's master processes; their trees are counted.
    pub pids: &'a [u32],
    /// Where acknowledged ids are written.
    pub acks: &'a Path,
    /// Queue folders that must be empty before the clock stops.
    pub queues: &'a [PathBuf],
}

/// What came of it.
#[derive(Deserialize)]
pub struct Sent {
    /// All messages, up to the last delivery.
    pub delivered: Delivered,
    /// Those inside the measured time.
    pub accepted: Latency,
    /// CPU time of the server for one message.
    pub server_cpu_us_per_op: f64,
    /// Transactions that failed.
    pub errors: u64,
}

/// Throughput.
#[derive(Deserialize)]
pub struct Delivered {
    /// How many.
    pub n: u64,
    /// How many a second.
    pub per_s: f64,
}

/// Time to the answer.
#[derive(Deserialize)]
pub struct Latency {
    /// 99 of 100 were faster.
    pub p99_ms: f64,
}

/// How long a work is done.
#[derive(Clone, Copy)]
pub enum Work {
    /// So many seconds are measured.
    Seconds(u32),
    /// So many times.
    Count(u32),
}

/// What came of it.
pub struct Done {
    /// How often.
    pub rate: Rate,
    /// CPU time of the server for one operation.
    pub server_cpu_us_per_op: f64,
    /// The part of the machine that neither client nor server used.
    pub others_cpu_share: f64,
}

/// Throughput of a work.
#[derive(Deserialize)]
pub struct Rate {
    /// Operations a second.
    pub per_s: f64,
    /// 10^6 octets a second, where message text was read.
    pub mb_per_s: Option<f64>,
}

#[derive(Deserialize)]
struct WorkReport {
    server_cpu_us_per_op: f64,
    others_cpu_share: f64,
    errors: u64,
    #[serde(default)]
    error_kinds: serde_json::Value,
    /// Of a login.
    session: Option<Rate>,
    /// Of POP3.
    retr: Option<Rate>,
    /// Of IMAP, by operation.
    #[serde(default)]
    ops: BTreeMap<String, Rate>,
}

/// Connections to make, one after the other on each of some at once.
pub struct Connections {
    /// What is spoken, as the load generator calls it.
    pub proto: &'static str,
    /// Where.
    pub port: u16,
    /// The server's master process.
    pub pid: u32,
    /// By STARTTLS.
    pub explicit: bool,
    /// With the tickets of earlier ones.
    pub resume: bool,
    /// How many at once.
    pub at_once: u32,
    /// How long, after one second before.
    pub seconds: u32,
}

/// What came of them.
#[derive(Deserialize)]
pub struct Handshakes {
    /// Whole connections.
    pub session: Sessions,
    /// How many of them resumed an earlier session.
    pub resumed: u64,
    /// CPU time of the server for one.
    pub server_cpu_us_per_op: f64,
    errors: u64,
    #[serde(default)]
    error_kinds: serde_json::Value,
}

/// How many connections, and how fast.
#[derive(Deserialize)]
pub struct Sessions {
    /// So many.
    pub n: u64,
    /// Each second.
    pub per_s: f64,
}

/// Idle connections to hold.
pub struct Held {
    /// What is spoken.
    pub proto: Proto,
    /// Where, inside TLS.
    pub port: u16,
    /// The server's master process.
    pub pid: u32,
    /// How many.
    pub n: u32,
    /// So many seconds.
    pub hold: u32,
    /// Logged in and in IDLE; else greeted.
    pub idle: bool,
}

#[derive(Deserialize)]
struct Started {
    ready_ms: Option<f64>,
}

/// Memory of a process tree at rest.
#[derive(Deserialize)]
pub struct Rest {
    /// Proportional set size.
    pub pss_kb: f64,
    /// What no file is behind.
    pub anon_kb: f64,
    /// Processes in the tree.
    pub procs: f64,
}

/// Memory of a process tree, or its growth.
#[derive(Deserialize)]
pub struct Memory {
    /// Proportional set size.
    pub pss_kb: f64,
}

/// What open connections cost.
#[derive(Deserialize)]
pub struct Idle {
    /// How many were opened.
    pub connections: u32,
    /// How many still answered at the end.
    pub alive_after_hold: u32,
    /// Growth of the server for one of them.
    pub per_connection_after_hold: Memory,
    /// Of the server with all of them.
    pub after_hold: Memory,
    /// Why some weren't opened.
    pub last_error: String,
}

impl Load {
    /// With this program.
    pub fn new(program: PathBuf) -> Load {
        Load { program }
    }

    /// Submits messages.
    pub fn smtp(&self, run: &Smtp<'_>) -> Result<Sent, Error> {
        let mut command = self.command("smtp", run.port);
        command
            .args(["--connections", &run.connections.to_string()])
            .args(["--users", &USERS.to_string(), "--warmup", "0"])
            .args(["--pid", &joined(run.pids)])
            .arg("--acks")
            .arg(run.acks);
        if run.count > 0 {
            command.args(["--count", &run.count.to_string()]);
        } else {
            command.args(["--duration", &run.seconds.to_string()]);
        }
        if !run.queues.is_empty() {
            let queues: Vec<String> = run.queues.iter().map(|q| q.display().to_string()).collect();
            command.args(["--drain", &queues.join(",")]);
        }
        let sent: Sent = figures(&mut command)?;
        if sent.errors > 0 {
            return Err(Error::Server(format!(
                "{} submissions to port {} failed: see {:?}",
                sent.errors, run.port, command
            )));
        }
        Ok(sent)
    }

    /// Submits for a time while the server comes and goes, without giving up.
    pub fn smtp_through_restarts(&self, port: u16, seconds: u64, acks: &Path) -> Command {
        let mut command = self.command("smtp", port);
        command
            .args(["--connections", "16", "--users", &USERS.to_string()])
            .args(["--warmup", "0", "--duration", &seconds.to_string()])
            .args(["--timeout", "10", "--retry", "--acks"])
            .arg(acks);
        command
    }

    /// Looks for every acknowledged message by POP3; lost, doubled or damaged ones are an error.
    pub fn verify(&self, port: u16, acks: &Path, deep: bool) -> Result<String, Error> {
        let mut command = self.command("verify", port);
        command.args(["--proto", "pop3", "--password", PASSWORD, "--acks"]).arg(acks);
        if deep {
            command.arg("--deep");
        }
        let said = run::output(&mut command)?;
        Ok(said.lines().last().unwrap_or("").trim_start_matches(['#', ' ']).to_string())
    }

    /// Fills mailboxes by APPEND.
    pub fn fill(&self, side: &Side, users: (u32, u32), messages: u32, size: &str) -> Result<(), Error> {
        let port = port(side, Proto::Imap, false)?;
        let mut command = self.command("fill", port);
        login(&mut command, users);
        run::output(command.args(["--messages", &messages.to_string(), "--size", size])).map(|_| ())
    }

    /// Does a work over and over.
    pub fn work(&self, side: &Side, row: &Row, how_long: Work) -> Result<Done, Error> {
        let mut command = self.command(row.command, port(side, row.proto, row.tls)?);
        login(&mut command, row.users.range());
        if row.tls {
            command.args(["--tls", "implicit"]);
        }
        command.args(["--connections", &row.connections.to_string(), "--pid", &side.pid.to_string()]).args(row.words);
        match how_long {
            // One second before those that are measured.
            Work::Seconds(seconds) => command.args(["--warmup", "1", "--duration", &seconds.to_string()]),
            Work::Count(count) => command.args(["--warmup", "0", "--count", &count.to_string()]),
        };
        let report: WorkReport = figures(&mut command)?;
        if report.errors > 0 {
            return Err(Error::Server(format!("{} errors: {}", report.errors, report.error_kinds)));
        }
        let rate = report.retr.or(report.session).or_else(|| report.ops.into_values().next());
        let rate = rate.ok_or_else(|| Error::Server(format!("no figures from {command:?}")))?;
        Ok(Done { rate, server_cpu_us_per_op: report.server_cpu_us_per_op, others_cpu_share: report.others_cpu_share })
    }

    /// Milliseconds from starting the server to its IMAP greeting inside TLS; stops it again.
    pub fn startup(&self, port: u16, server: &[String]) -> Result<f64, Error> {
        let mut command = self.command("startup", port);
        command.args(["--proto", "imap", "--tls", "implicit", "--kill", "--"]).args(server);
        let started: Started = figures(&mut command)?;
        started.ready_ms.ok_or_else(|| Error::Server(format!("no TLS greeting on port {port} from {server:?}")))
    }

    /// Memory of these process trees now.
    pub fn memory(&self, pids: &[u32]) -> Result<Rest, Error> {
        let mut command = Command::new(&self.program);
        figures(command.args(["mem", "--pid", &joined(pids)]))
    }

    /// Logs each account in and out again, by IMAP inside TLS.
    pub fn log_all_in(&self, port: u16) -> Result<(), Error> {
        let mut command = self.command("login", port);
        login(&mut command, Users::All.range());
        command.args(["--proto", "imap", "--tls", "implicit", "--connections", "2", "--warmup", "0"]);
        run::output(command.args(["--count", &USERS.to_string()])).map(|_| ())
    }

    /// Makes connections with TLS handshakes, over and over.
    pub fn handshakes(&self, connections: &Connections) -> Result<Handshakes, Error> {
        let mut command = self.command("handshake", connections.port);
        command
            .args(["--proto", connections.proto, "--tls", if connections.explicit { "starttls" } else { "implicit" }])
            .args(["--connections", &connections.at_once.to_string(), "--pid", &connections.pid.to_string()])
            .args(["--warmup", "1", "--duration", &connections.seconds.to_string()]);
        if connections.resume {
            command.arg("--resume");
        }
        let done: Handshakes = figures(&mut command)?;
        if done.errors > 0 {
            return Err(Error::Server(format!("{} errors: {}", done.errors, done.error_kinds)));
        }
        Ok(done)
    }

    /// Opens TLS connections as far as the greeting or into IDLE, and holds them.
    pub fn idle(&self, held: &Held) -> Result<Idle, Error> {
        let mut command = self.command("idle", held.port);
        if held.idle {
            login(&mut command, Users::All.range());
        }
        figures(
            command
                .args(["--proto", held.proto.name(), "--tls", "implicit"])
                .args(["--state", if held.idle { "idle" } else { "greeted" }])
                .args(["--connections", &held.n.to_string(), "--hold", &held.hold.to_string()])
                .args(["--pid", &held.pid.to_string()]),
        )
    }

    fn command(&self, what: &str, port: u16) -> Command {
        let mut command = Command::new(&self.program);
        command.args([what, "--port", &port.to_string()]);
        command
    }
}

/// The line of JSON that every run prints first.
fn figures<T: for<'a> Deserialize<'a>>(command: &mut Command) -> Result<T, Error> {
    let said = run::output(command)?;
    let line = said.lines().next().unwrap_or("");
    serde_json::from_str(line).map_err(|source| Error::Json { what: format!("`{line}` from {command:?}"), source })
}

/// Logs in as one of these accounts: the first one's number, and how many.
fn login(command: &mut Command, (from, users): (u32, u32)) {
    command.args(["--user", "u{n}@bench.test", "--password", PASSWORD]).args([
        "--user-from",
        &from.to_string(),
        "--users",
        &users.to_string(),
    ]);
}

fn port(side: &Side, proto: Proto, tls: bool) -> Result<u16, Error> {
    let port = side.port(proto, tls);
    port.ok_or_else(|| Error::Server(format!("{} has no port for {}", side.name, proto.name())))
}

fn joined(pids: &[u32]) -> String {
    let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
    pids.join(",")
}
