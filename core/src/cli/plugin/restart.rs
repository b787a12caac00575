//! `dovetail plugin restart`: an instance of the running server is started anew.

use super::{
    super::{place, Common},
    report,
};
use crate::control::message::Call;
use clap::Args;
use std::process::ExitCode;

/// What `plugin restart` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
The new one takes what is new; sessions that run go on with the old one, as after a reload. An instance that owns files is
stopped first. One that is quarantined for its faults is started anew in any case, later: see `dovetail status`.")]
pub struct Restart {
    /// The instance
    instance: String,
}

/// Asks the running server, and prints what came of it.
pub fn run(common: &Common, restart: &Restart) -> Result<ExitCode, String> {
    let call = Call::Restart { instance: restart.instance.clone() };
    report(common, place::running(common)?.call(call, |_| {})?)
}
