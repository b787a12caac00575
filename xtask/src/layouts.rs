//! `cargo xtask layouts`: the snapshots of all interfaces in `sdk/abi/layouts`, from the types that this compiler lays out.
//!
//! The work is done by a test of `sdk/abi`, which `cargo test` runs too. `--check` writes nothing. What is frozen is never
//! written: see `sdk/abi/tests/layouts`.

use crate::{error::Error, run};

/// What the chore takes.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Write nothing; fail if an interface is laid out otherwise than its snapshot says
    #[arg(long)]
    check: bool,
}

/// Writes the snapshots, or checks them.
pub fn run(options: &Options) -> Result<(), Error> {
    let mut cargo = run::cargo();
    cargo.args(["test", "--quiet", "--package", "dovetail-abi", "--test", "layouts"]);
    // Where the failure stands is of no use here, what it says is.
    cargo.env("DOVETAIL_LAYOUTS", if options.check { "check" } else { "write" }).env("RUST_BACKTRACE", "0");
    run::through(&mut cargo)
}
