//! `cargo xtask scan`: testssl.sh, sslscan and sslyze on every port that speaks TLS, with both providers.
//!
//! A server for each provider, with a certificate of an authority made for the occasion, and its seven listeners on loopback. Fails on
//! any finding above "low" that [`allowed`] doesn't name with its reason, on a scanner that didn't come to an end, and where sslyze
//! doesn't find Mozilla's intermediate profile. What the scanners said is in `target/scan/said`.
//!
//! testssl.sh and sslscan are Debian packages of these names. sslyze is taken from `PATH`, or else fetched with pip into `target/scan`,
//! in the versions of `scan/requirements.txt`.

mod allowed;
mod certificate;
mod finding;
mod ports;
mod server;
mod sslscan;
mod sslyze;
mod testssl;

use crate::{error::Error, run, workspace::Workspace};
use finding::{Finding, Found};
use ports::{Port, PORTS};
use server::{Program, Server, PROVIDERS};
use std::{
    collections::BTreeMap,
    fs,
    panic::resume_unwind,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

/// How much, and of what.
#[derive(clap::Args)]
pub struct Options {
    /// One port of each provider, and not what scanners say of clients: two minutes instead of twenty
    #[arg(long)]
    quick: bool,
    /// A folder of a build, such as target/debug, whose program and plugins are taken as they are; otherwise they are built
    #[arg(long, value_name = "DIR")]
    built: Option<PathBuf>,
}

/// What a scan is of.
pub struct Target<'a> {
    provider: &'a str,
    port: &'a Port,
    number: u16,
    quick: bool,
    /// The authority's certificate.
    ca: &'a Path,
    /// Where what is said is kept, without an ending.
    said: PathBuf,
    sslyze: &'a sslyze::Program,
}

/// A scanner.
struct Scanner {
    name: &'static str,
    scan: fn(&Target<'_>) -> Result<Vec<Found>, Error>,
}

/// The slowest first.
const SCANNERS: [Scanner; 3] = [
    Scanner { name: testssl::NAME, scan: testssl::scan },
    Scanner { name: sslyze::NAME, scan: sslyze::scan },
    Scanner { name: sslscan::NAME, scan: sslscan::scan },
];

/// All of it.
pub fn run(options: &Options) -> Result<(), Error> {
    let since = Instant::now();
    let workspace = Workspace::load()?;
    for program in ["testssl", "sslscan", "openssl", "python3"] {
        if !run::exists(program) {
            let cure = "install the packages testssl.sh, sslscan, openssl, python3 and python3-pip";
            return Err(Error::Scan(format!("there is no `{program}` in PATH; {cure}")));
        }
    }
    let folder = workspace.target_directory.join("scan");
    let said = folder.join("said");
    // Of an earlier run; nothing there at first.
    let _ = fs::remove_dir_all(&said);
    fs::create_dir_all(&said).map_err(Error::file(&said))?;
    let sslyze = sslyze::Program::find(&workspace.workspace_root, &folder)?;
    let program = Program::find(&workspace, options.built.as_deref())?;
    let scratch = tempfile::Builder::new().prefix("dovetail-scan.").tempdir().map_err(Error::file(&folder))?;
    let ca = certificate::authority(scratch.path())?;
    let servers = PROVIDERS
        .map(|provider| Server::start(&program, provider, &scratch.path().join(provider), scratch.path()))
        .into_iter()
        .collect::<Result<Vec<_>, Error>>()?;
    let ports = |server: &Server| {
        let all = PORTS.iter().filter(|port| !options.quick || port.is_for_quick(server.provider));
        all.map(|port| Ok((server.provider, port, server.port(port)?))).collect::<Result<Vec<_>, Error>>()
    };
    let ports = servers.iter().map(ports).collect::<Result<Vec<_>, Error>>()?.concat();
    let targets: Vec<Target<'_>> = ports
        .iter()
        .map(|&(provider, port, number)| Target {
            provider,
            port,
            number,
            quick: options.quick,
            ca: &ca,
            said: said.join(format!("{provider}-{}", port.listener)),
            sslyze: &sslyze,
        })
        .collect();
    let jobs: Vec<_> =
        SCANNERS.iter().flat_map(|scanner| targets.iter().map(move |target| (scanner, target))).collect();
    let findings = all(&jobs)?;
    for server in servers {
        server.stop()?;
    }
    judge(&findings, targets.len(), since, &said)
}

/// Runs the jobs, as many at once as there are processors.
fn all(jobs: &[(&Scanner, &Target<'_>)]) -> Result<Vec<Finding>, Error> {
    let next = AtomicUsize::new(0);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let work = || -> Result<Vec<Finding>, Error> {
            let mut findings = Vec::new();
            while let Some((scanner, target)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                let place = format!("{} {}", target.provider, target.port.listener);
                let found = (scanner.scan)(target)?.into_iter();
                findings.extend(found.map(|found| Finding { place: place.clone(), scanner: scanner.name, found }));
            }
            Ok(findings)
        };
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let ended = workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)));
        ended.collect::<Result<Vec<_>, Error>>().map(|all| all.concat())
    })
}

fn judge(findings: &[Finding], ports: usize, since: Instant, said: &Path) -> Result<(), Error> {
    let (allowed, bad): (Vec<_>, Vec<_>) = findings.iter().partition(|finding| allowed::reason(finding).is_some());
    let mut by_reason: BTreeMap<(&str, &str, &str), Vec<&str>> = BTreeMap::new();
    for finding in &allowed {
        let key = (finding.scanner, finding.found.id.as_str(), allowed::reason(finding).unwrap_or_default());
        by_reason.entry(key).or_default().push(&finding.place);
    }
    for ((scanner, id, reason), places) in by_reason {
        println!("allowed: {scanner}: {id}, since {reason}\n  at {}", places.join(", "));
    }
    for finding in &bad {
        println!("FOUND: {finding}");
    }
    let seconds = since.elapsed().as_secs();
    println!(
        "{ports} ports, {} scanners, {seconds} s: {} findings above low, {} of them allowed; all that was said is in {}",
        SCANNERS.len(),
        findings.len(),
        allowed.len(),
        said.display()
    );
    match bad.len() {
        0 => Ok(()),
        count => Err(Error::Scan(format!("the scanners found {count} things that are not allowed"))),
    }
}

impl Target<'_> {
    /// Where a scanner's words go.
    fn file(&self, ending: &str) -> PathBuf {
        // The name of a listener has no dot.
        self.said.with_extension(ending)
    }

    /// Runs a scanner to its end, however it ends, with its words in a file; whether it was content.
    fn run(&self, command: &mut Command, ending: &str) -> Result<bool, Error> {
        let path = self.file(ending);
        let out = fs::File::create(&path).map_err(Error::file(&path))?;
        let err = out.try_clone().map_err(Error::file(&path))?;
        let program = command.get_program().to_string_lossy().into_owned();
        let status = command.stdin(Stdio::null()).stdout(out).stderr(err).status();
        status.map(|status| status.success()).map_err(|source| Error::Start { program, source })
    }
}
