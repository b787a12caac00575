//! `cargo xtask soak`: a release build under load, killed and started again and again; then the fuzz targets.
//!
//! Fails if an acknowledged message is lost, doubled or damaged, or if a fuzz target breaks a promise. Says what the
//! server's memory did.

use crate::bench::{raise_open_files, scratch, Build, Dovetail, POP3, SMTP};
use crate::error::Error;
use crate::fuzz::Fuzzers;
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
    /// How long each fuzz target runs afterwards; 0: not at all. Needs a nightly toolchain and cargo-fuzz
    #[arg(long, default_value_t = 0)]
    fuzz_minutes: u64,
    /// Seconds between two kills; 0 never kills, which shows what memory does
    #[arg(long, default_value_t = 30)]
    kill_every: u64,
    /// Where the server keeps its data meanwhile
    #[arg(long, default_value = "/var/tmp")]
    dir: PathBuf,
}

/// Both, for as long as was asked for.
pub fn run(options: &Options) -> Result<(), Error> {
    let workspace = Workspace::load()?;
    // First of all: what is missing for fuzzing shall not show after hours of load.
    let fuzzers = (options.fuzz_minutes > 0).then(|| Fuzzers::build(&workspace)).transpose()?;
    if options.minutes > 0 {
        load(&workspace, options)?;
    }
    fuzzers.map_or(Ok(()), |fuzzers| fuzzers.run(options.fuzz_minutes))
}

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
