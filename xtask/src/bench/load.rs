//! The load generator: its command lines, and the figures it prints as JSON.

use crate::error::Error;
use crate::run;
use serde::Deserialize;
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

#[derive(Deserialize)]
struct Started {
    ready_ms: Option<f64>,
}

/// Memory of a process tree.
#[derive(Deserialize)]
pub struct Memory {
    /// Proportional set size.
    pub pss_kb: f64,
    /// Processes in the tree.
    pub procs: f64,
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

    /// Milliseconds from starting the server to its greeting inside TLS; stops it again.
    pub fn startup(&self, port: u16, server: &[String]) -> Result<f64, Error> {
        let mut command = self.command("startup", port);
        command.args(["--proto", "pop3", "--tls", "implicit", "--kill", "--"]).args(server);
        let started: Started = figures(&mut command)?;
        started.ready_ms.ok_or_else(|| Error::Server(format!("no TLS greeting on port {port} from {server:?}")))
    }

    /// Memory of these process trees now.
    pub fn memory(&self, pids: &[u32]) -> Result<Memory, Error> {
        let mut command = Command::new(&self.program);
        figures(command.args(["mem", "--pid", &joined(pids)]))
    }

    /// Opens TLS connections as far as the greeting and holds them.
    pub fn idle(&self, proto: &str, port: u16, n: u32, pids: &[u32]) -> Result<Idle, Error> {
        let mut command = self.command("idle", port);
        figures(
            command
                .args(["--proto", proto, "--tls", "implicit", "--state", "greeted"])
                .args(["--connections", &n.to_string(), "--hold", "3"])
                .args(["--pid", &joined(pids)]),
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

fn joined(pids: &[u32]) -> String {
    let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
    pids.join(",")
}
