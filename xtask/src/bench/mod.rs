//! `cargo xtask bench`: what a release build costs, in one run, as Markdown.
//!
//! Prints the report and keeps it in `target/bench/`. Client and servers share the machine: compare rows of one
//! run only. Peers that can't be installed are left out with the reason; the server under test must work.
//!
//! `compare` holds a figure against Dovecot's and against what is to be reached; `imap`, `logins` and `pop3` are tables of
//! works that `rates` runs; `start`, `idle`, `handshakes`, `delivery` and `certs` measure in ways of their own.

mod boundary;
mod certs;
mod compare;
mod delivery;
mod dovetail;
mod handshakes;
mod idle;
mod imap;
mod load;
mod logins;
mod peers;
mod pop3;
mod rates;
mod report;
mod side;
mod start;
mod syncs;

pub use dovetail::{Build, Dovetail, POP3, SMTP};

use crate::error::Error;
use crate::workspace::Workspace;
use peers::{Peers, Which};
use report::Report;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What to measure, and how long.
#[derive(clap::Args, Clone)]
pub struct Options {
    #[command(subcommand)]
    part: Option<Part>,
    /// Only these groups of measurements, with commas between them
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Group>,
    /// A look whether it all works: one run of a second each, small mailboxes, 100 idle connections, 500 certificates
    #[arg(long)]
    quick: bool,
    /// Runs of each measurement; the report gives medians
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Seconds of each run under load
    #[arg(long, default_value_t = 5)]
    seconds: u32,
    /// Messages in the large mailbox that is read
    #[arg(long, default_value_t = 10_000)]
    messages: u32,
    /// Idle TLS connections to hold, one measurement each
    #[arg(long, value_delimiter = ',', default_values_t = [1000, 10_000])]
    idle: Vec<u32>,
    /// Don't install or run Dovecot, Postfix and nginx
    #[arg(long)]
    no_peers: bool,
    /// Certificates in the store's folder
    #[arg(long, default_value_t = 10_000)]
    certificates: u32,
    /// Where servers keep their data meanwhile: on a real disk, or a sync costs nothing
    #[arg(long, default_value = "/var/tmp")]
    dir: PathBuf,
}

#[derive(clap::Subcommand, Clone)]
enum Part {
    /// Count the instructions of the plugin boundary, under callgrind
    Boundary(boundary::Options),
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq)]
enum Group {
    /// Start and memory at rest
    Start,
    /// Memory of idle connections
    Idle,
    /// TLS handshakes, beside nginx too
    Handshakes,
    /// What IMAP clients do
    Imap,
    /// Whole logins
    Logins,
    /// Reading a mailbox by POP3
    Pop3,
    /// Messages into the mailbox by SMTP
    Smtp,
    /// Thousands of certificates
    Certs,
}

/// What every measurement needs.
struct Bench<'a> {
    build: &'a Build,
    server: &'a Dovetail,
    peers: Option<&'a Peers>,
    dir: &'a Path,
    options: &'a Options,
}

/// Groups that one server's data serves.
type Measure = fn(&mut Report, &Bench<'_>) -> Result<(), Error>;

/// Runs the benchmarks and writes the report.
pub fn run(options: &Options) -> Result<(), Error> {
    let workspace = Workspace::load()?;
    if let Some(Part::Boundary(part)) = &options.part {
        return boundary::run(&workspace, part);
    }
    let options = &options.clone().settled();
    let build = Build::release(&workspace)?;
    raise_open_files();
    let dir = scratch(&options.dir)?;
    let mut report = Report::new();
    let rounds: [(&str, Option<Which>, &[Group], Measure); 5] = [
        ("quiet", Some(Which::DovecotHibernating), &[Group::Start, Group::Idle], quiet),
        ("handshakes", Some(Which::Handshakes), &[Group::Handshakes], handshakes::measure),
        ("mail", Some(Which::Dovecot), &[Group::Imap, Group::Logins, Group::Pop3], mail),
        ("smtp", Some(Which::Both), &[Group::Smtp], delivery::measure),
        ("certs", None, &[Group::Certs], certs::measure),
    ];
    for (name, which, groups, measure) in rounds {
        if groups.iter().any(|group| options.wants(*group)) {
            round(&mut report, &build, options, &dir.path().join(name), which, measure)?;
        }
    }
    report.finish(&workspace, "report.md")
}

/// Sets servers up in a folder of their own and measures them.
fn round(
    report: &mut Report,
    build: &Build,
    options: &Options,
    dir: &Path,
    which: Option<Which>,
    measure: Measure,
) -> Result<(), Error> {
    std::fs::create_dir(dir).map_err(Error::file(dir))?;
    let server = Dovetail::prepare(build, dir)?;
    let peers = which.map(|which| match options.no_peers {
        true => Err("asked for by --no-peers".to_string()),
        false => Peers::prepare(&build.workspace_root, &dir.join("peers"), which),
    });
    let ready = peers.as_ref().and_then(|peers| peers.as_ref().ok());
    measure(report, &Bench { build, server: &server, peers: ready, dir, options })?;
    if let Some(Err(why)) = &peers {
        report.note(&format!("The other servers were left out: {why}."));
    }
    Ok(())
}

fn quiet(report: &mut Report, bench: &Bench<'_>) -> Result<(), Error> {
    if bench.options.wants(Group::Start) {
        start::measure(report, bench)?;
    }
    if bench.options.wants(Group::Idle) {
        idle::measure(report, bench)?;
    }
    Ok(())
}

fn mail(report: &mut Report, bench: &Bench<'_>) -> Result<(), Error> {
    let sections = [(Group::Imap, imap::SECTION), (Group::Logins, logins::SECTION), (Group::Pop3, pop3::SECTION)];
    let wanted = sections.into_iter().filter(|(group, _)| bench.options.wants(*group));
    let wanted: Vec<_> = wanted.map(|(_, section)| section).collect();
    rates::measure(report, bench, &wanted)
}

impl Options {
    fn wants(&self, group: Group) -> bool {
        self.only.is_empty() || self.only.contains(&group)
    }

    /// With what `--quick` means put in.
    fn settled(mut self) -> Options {
        if self.quick {
            self.runs = 1;
            self.seconds = 1;
            self.messages = self.messages.min(500);
            self.idle = vec![100];
            self.certificates = self.certificates.min(500);
        }
        self
    }
}

/// A folder of its own for everything that servers write; other users' processes must get through it.
pub fn scratch(parent: &Path) -> Result<TempDir, Error> {
    tempfile::Builder::new()
        .prefix("dovetail-bench.")
        .permissions(Permissions::from_mode(0o755))
        .tempdir_in(parent)
        .map_err(Error::file(parent))
}

/// Thousands of connections need more than the usual soft limit: what the hard one allows.
pub fn raise_open_files() {
    use rustix::process::{getrlimit, setrlimit, Resource, Rlimit};
    let now = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: now.maximum, maximum: now.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        eprintln!("the limit of open files stays at {:?}: {error}", now.current);
    }
}
