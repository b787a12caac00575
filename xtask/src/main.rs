//! The project's chores, run by `cargo xtask CHORE`. Development only: nothing here is shipped.

mod bench;
mod deps;
mod dist;
mod error;
mod fuzz;
mod layouts;
mod reference;
mod run;
mod scan;
mod serve;
mod soak;
mod swap;
mod workspace;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(bin_name = "cargo xtask", about = "The project's chores")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Check that plugins depend on the SDK only, and core on the ABI only
    Deps,
    /// Measure a release build, beside Dovecot, Postfix and nginx where they can be installed
    Bench(bench::Options),
    /// Kill and restart a loaded server for a while, look for lost or doubled messages, strain IMAP, then fuzz
    Soak(soak::Options),
    /// Swap plugins of a release build under load, and see that nothing is dropped, refused, lost or leaked
    Swap(swap::Options),
    /// Look at all ports that speak TLS with testssl.sh, sslscan and sslyze, with both providers
    Scan(scan::Options),
    /// Make docs/src/reference.md from the types of the options, or check it
    Reference(reference::Options),
    /// Write how every interface is laid out to sdk/abi/layouts, or check it
    Layouts(layouts::Options),
    /// Pack a release build with its plugins, manual pages, completions, systemd unit, examples and licences
    Dist,
}

fn main() -> ExitCode {
    let done = match Cli::parse().chore {
        Chore::Deps => deps::run(),
        Chore::Bench(options) => bench::run(&options),
        Chore::Soak(options) => soak::run(&options),
        Chore::Swap(options) => swap::run(&options),
        Chore::Scan(options) => scan::run(&options),
        Chore::Reference(options) => reference::run(&options),
        Chore::Layouts(options) => layouts::run(&options),
        Chore::Dist => dist::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
