//! `cargo xtask bench`: what a release build costs, in one run, as Markdown.
//!
//! Prints the report and keeps it in `target/bench/`. Client and servers share the machine: compare rows of one
//! run only. Peers that can't be installed are left out with the reason; the server under test must work.

mod boundary;
mod delivery;
mod dovetail;
mod footprint;
mod load;
mod peers;
mod report;
mod syncs;

pub use dovetail::{Build, Dovetail, POP3, SMTP};

use crate::error::Error;
use crate::workspace::Workspace;
use report::Report;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What to measure, and how long.
#[derive(clap::Args)]
pub struct Options {
    #[command(subcommand)]
    part: Option<Part>,
    /// Runs of each measurement; the report gives medians
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Seconds of each run under load
    #[arg(long, default_value_t = 5)]
    seconds: u32,
    /// Idle TLS connections to hold
    #[arg(long, default_value_t = 1000)]
    idle: u32,
    /// Don't install or run Postfix and Dovecot
    #[arg(long)]
    no_peers: bool,
    /// Where servers keep their data meanwhile: on a real disk, or a sync costs nothing
    #[arg(long, default_value = "/var/tmp")]
    dir: PathBuf,
}

#[derive(clap::Subcommand)]
enum Part {
    /// Count the instructions of the plugin boundary, under callgrind
    Boundary(boundary::Options),
}

/// What every measurement needs.
struct Bench<'a> {
    build: &'a Build,
    server: &'a Dovetail,
    peers: Option<&'a peers::Peers>,
    dir: &'a Path,
    options: &'a Options,
}

/// Runs the benchmarks and writes the report.
pub fn run(options: &Options) -> Result<(), Error> {
    let workspace = Workspace::load()?;
    if let Some(Part::Boundary(part)) = &options.part {
        return boundary::run(&workspace, part);
    }
    let build = Build::release(&workspace)?;
    raise_open_files();
    let dir = scratch(&options.dir)?;
    let mut report = Report::new();
    let server = Dovetail::prepare(&build, dir.path())?;
    let peers = if options.no_peers {
        Err("asked for by --no-peers".to_string())
    } else {
        peers::Peers::prepare(&workspace, &dir.path().join("peers"))
    };
    let bench = Bench { build: &build, server: &server, peers: peers.as_ref().ok(), dir: dir.path(), options };
    footprint::measure(&mut report, &bench)?;
    delivery::measure(&mut report, &bench)?;
    if let Err(why) = &peers {
        report.note(&format!("Postfix and Dovecot skipped: {why}."));
    }
    report.finish(&workspace, "report.md")
}

/// A folder of its own for everything that servers write; other users' processes must get through it.
pub fn scratch(parent: &Path) -> Result<TempDir, Error> {
    tempfile::Builder::new()
        .prefix("dovetail-bench.")
        .permissions(Permissions::from_mode(0o755))
        .tempdir_in(parent)
        .map_err(Error::file(parent))
}

/// A thousand connections need more than the usual soft limit; what the hard one allows is enough.
pub fn raise_open_files() {
    use rustix::process::{getrlimit, setrlimit, Resource, Rlimit};
    let now = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: now.maximum, maximum: now.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        eprintln!("the limit of open files stays at {:?}: {error}", now.current);
    }
}
