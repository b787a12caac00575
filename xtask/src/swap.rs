//! `cargo xtask swap`: a release build under a steady load, while its TLS provider and its IMAP plugin are swapped.
//!
//! Swaps between `tls-rustls` and `tls-openssl` are reloads of a changed config, those between two builds of the IMAP plugin
//! are `dovetail plugin swap`. Each session checks what it meets (see the crate `steady`). Then, at rest, libraries are swapped
//! in that the process has never loaded, and reloads change nothing: what stays in memory is measured.
//!
//! Fails unless every line of what it prints holds. Where OpenSSL's headers are missing a second copy of `tls-rustls` stands
//! in for `tls-openssl`, and that is said.

mod builds;
mod memory;
mod report;
mod server;

use crate::{bench::raise_open_files, bench::scratch, error::Error, workspace::Workspace};
use builds::Builds;
use report::Report;
use server::Server;
use std::{path::PathBuf, time::Duration};
use steady::{Load, Plan};

/// How much of everything.
#[derive(clap::Args)]
pub struct Options {
    /// Connections of the load; half of them are held over all swaps
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(8..=5000))]
    connections: u32,
    /// Swaps of the TLS provider, and as many of the IMAP plugin
    #[arg(long, default_value_t = 20)]
    swaps: u32,
    /// Milliseconds between two things that a session does
    #[arg(long, default_value_t = 2000)]
    pause: u64,
    /// Libraries that are retired to see what each leaves in memory
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100))]
    retired: u32,
    /// Reloads that change nothing, to see what they leave in memory
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    reloads: u32,
    /// Where the server keeps its data meanwhile
    #[arg(long, default_value = "/var/tmp")]
    dir: PathBuf,
}

/// Accounts that the load uses.
const ACCOUNTS: u32 = 20;

/// All of it.
pub fn run(options: &Options) -> Result<(), Error> {
    let builds = Builds::make(&Workspace::load()?)?;
    raise_open_files();
    let dir = scratch(&options.dir)?;
    let server = Server::start(&builds, dir.path(), ACCOUNTS)?;
    let mut report = Report::new(options, &builds);
    under_load(options, &builds, &server, &mut report)?;
    let at_rest = memory::at_rest(&server)?;
    let each = memory::per_library(&server, dir.path(), "imap", &builds.imap[0], options.retired)?;
    report.retired("imap", each);
    for provider in &builds.providers {
        server.use_provider(provider)?;
        let each = memory::per_library(&server, dir.path(), "tls", &provider.library, options.retired)?;
        report.retired(&provider.name, each);
    }
    report.reloads(options.reloads, memory::reloads(&server, options.reloads)?);
    report.whole(at_rest, memory::at_rest(&server)?);
    server.stop()?;
    report.finish()
}

fn under_load(options: &Options, builds: &Builds, server: &Server, report: &mut Report) -> Result<(), Error> {
    let failed = |error: steady::Error| Error::Server(format!("the load: {error}"));
    let plan = Plan {
        submission: server.address("submission")?,
        submissions: server.address("submissions")?,
        imap: server.address("imap")?,
        imaps: server.address("imaps")?,
        name: server::HOST.to_owned(),
        trusted: vec![server.certificate()],
        accounts: server.accounts(ACCOUNTS),
        connections: options.connections as usize,
        pause: Duration::from_millis(options.pause),
    };
    let load = Load::start(plan, server.builds()?).map_err(failed)?;
    for round in 0..options.swaps {
        for is_tls in [true, false] {
            load.swapping();
            match is_tls {
                true => server.use_provider(&builds.providers[(round as usize + 1) % 2])?,
                false => server.swap("imap", &builds.imap[(round as usize + 1) % 2])?,
            }
            let now = server.builds()?;
            report.swapped(is_tls, &now);
            load.swapped(now);
            load.new_sessions().map_err(failed)?;
            load.compare(&server.sessions()?);
        }
    }
    report.load(load.finish());
    Ok(())
}
