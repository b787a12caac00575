//! `cargo xtask soak`: a release build under load, killed and started again and again; then sessions of IMAP that hold
//! the server to its rules; then commands that write certificates, killed, and handshakes while they change; then the fuzz
//! targets.
//!
//! Fails if an acknowledged message is lost, doubled or damaged, if a session is told something that breaks the rules of
//! IMAP, if a certificate is half there or a handshake fails, or if a fuzz target breaks a promise. Says what the server's
//! memory did.

use crate::bench::{raise_open_files, scratch, Build, Dovetail, POP3, SMTP};
use crate::error::Error;
use crate::fuzz::Fuzzers;
use crate::run;
use crate::workspace::Workspace;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// How long, and how rough.
#[derive(clap::Args)]
pub struct Options {
    /// How long the load lasts; 0: none
    #[arg(long, default_value_t = 10)]
    minutes: u64,
    /// How long twenty IMAP sessions then do this and that in one mailbox; 0: not at all
    #[arg(long, default_value_t = 10)]
    imap_minutes: u64,
    /// How often each command that writes certificates is then killed, under a server that serves them; 0: not at all
    #[arg(long, default_value_t = 500)]
    certificate_kills: u64,
    /// How many handshakes there are while an authority's certificates come into service; 0: none
    #[arg(long, default_value_t = 10_000)]
    handshakes: u64,
    /// How long each fuzz target runs afterwards; 0: not at all. Needs a nightly toolchain and cargo-fuzz
    #[arg(long, default_value_t = 0)]
    fuzz_minutes: u64,
    /// Fuzz targets that run at the same time
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=64))]
    fuzz_jobs: u8,
    /// Seconds between two kills; 0 never kills, which shows what memory does
    #[arg(long, default_value_t = 30)]
    kill_every: u64,
    /// Where the server keeps its data meanwhile
    #[arg(long, default_value = "/var/tmp")]
    dir: PathBuf,
}

/// All of it, for as long as was asked for.
pub fn run(options: &Options) -> Result<(), Error> {
    let workspace = Workspace::load()?;
    // First of all: what is missing for fuzzing shall not show after hours of load.
    let fuzzers = (options.fuzz_minutes > 0).then(|| Fuzzers::build(&workspace)).transpose()?;
    if options.minutes > 0 {
        load(&workspace, options)?;
    }
    // Debug builds, on purpose: what overflows or breaks an assertion that a release leaves out shows there.
    for (test, variable, number, said) in [
        (IMAP, "DOVETAIL_STRESS_SECONDS", options.imap_minutes * 60, "imap stress"),
        (KILLS, "DOVETAIL_CERTS_CRASH_ROUNDS", options.certificate_kills, "kill -9 of certs"),
        (HANDSHAKES, "DOVETAIL_HANDSHAKES", options.handshakes, "CSR round trip"),
    ] {
        if number > 0 {
            longer(test, variable, number, said)?;
        }
    }
    fuzzers.map_or(Ok(()), |fuzzers| fuzzers.run(options.fuzz_minutes, options.fuzz_jobs))
}

/// An end-to-end test, for longer than in a test run: its name, what makes it longer, and how the lines begin that it says.
fn longer(test: &str, variable: &str, number: u64, says: &str) -> Result<(), Error> {
    println!("{says}: {variable}={number}");
    let mut command = run::cargo();
    command.args(["test", "--quiet", "-p", "dovetail", "--test", "e2e", "--", "--exact", test, "--show-output"]);
    command.env(variable, number.to_string());
    let said = run::output(&mut command)?;
    // A name that no test has would be a success of no tests.
    if !said.contains("1 passed") {
        return Err(Error::Server(format!(
            "there is no end-to-end test `{test}` any more; put its new name into soak.rs"
        )));
    }
    said.lines().filter(|line| line.starts_with(says)).for_each(|line| println!("{line}"));
    Ok(())
}

/// The tests' names.
const IMAP: &str = "imap::stress::twenty_sessions_in_one_mailbox_keep_to_the_rules";
const KILLS: &str = "certs_crash::a_kill_at_any_time_leaves_the_old_pair_or_the_new_and_the_server_shows_no_other";
const HANDSHAKES: &str =
    "certs_request::the_answer_of_an_authority_takes_the_place_of_the_self_signed_certificate_and_no_handshake_fails";

/// Runs the server for that time and looks for every message.
fn load(workspace: &Workspace, options: &Options) -> Result<(), Error> {
    let build = Build::release(workspace)?;
    raise_open_files();
    let dir = scratch(&options.dir)?;
    let server = Dovetail::prepare(&build, dir.path())?;
    let acks = dir.path().join("acks");
    let mut running = server.start(None)?;
    let first = build.load.memory(&[running.pid()])?;
    let time = Duration::from_secs(options.minutes * 60);
    let mut command = build.load.smtp_through_restarts(SMTP, time.as_secs(), &acks);
    let mut load = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|source| Error::Start { program: "mailbench".to_string(), source })?;
    let since = Instant::now();
    let between = Duration::from_secs(if options.kill_every == 0 { time.as_secs() } else { options.kill_every });
    let mut kills = 0;
    while since.elapsed() + between < time {
        std::thread::sleep(between);
        running.kill()?;
        running = server.start(None)?;
        kills += 1;
    }
    let ended = load.wait();
    if !ended.is_ok_and(|status| status.success()) {
        return Err(Error::Server("the load generator failed".to_string()));
    }
    let last = build.load.memory(&[running.pid()])?;
    println!("{} minutes, {kills} kills", options.minutes);
    println!("memory (PSS): {} kB at first, {} kB at last", first.pss_kb, last.pss_kb);
    println!("{}", build.load.verify(POP3, &acks, true)?);
    running.stop()
}
