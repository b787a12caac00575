//! `dovetail plugin ...`: plugin files, and the instances of the running server; one file a command.

mod inspect;
mod list;
mod new;
mod restart;
mod swap;
mod verify;

use super::{output, Common};
use crate::control::message::Answer;
use clap::Subcommand;
use std::process::ExitCode;

/// The commands on plugins.
#[derive(Debug, Subcommand)]
pub enum Plugin {
    /// List the plugins that a server would find
    List,
    /// Print what plugin files say of themselves; nothing in them is run
    Inspect(inspect::Inspect),
    /// Write a crate that is a whole plugin, with its tests
    New(new::New),
    /// Try a plugin out: load it, prepare it, let it live twice; one line a check
    Verify(verify::Verify),
    /// Have the running server start an instance anew, with the section and the library that it has
    Restart(restart::Restart),
    /// Have the running server use another file as the library of an instance
    Swap(swap::Swap),
}

/// Runs one of them.
pub fn run(common: &Common, plugin: &Plugin) -> Result<ExitCode, String> {
    match plugin {
        Plugin::List => {
            list::run(common);
            Ok(ExitCode::SUCCESS)
        }
        Plugin::Inspect(inspect) => Ok(inspect::run(common, inspect)),
        Plugin::New(new) => new::run(common, new),
        Plugin::Verify(verify) => verify::run(common, verify),
        Plugin::Restart(restart) => restart::run(common, restart),
        Plugin::Swap(swap) => swap::run(common, swap),
    }
}

/// Prints a server's report.
fn report(common: &Common, answer: Answer) -> Result<ExitCode, String> {
    match answer {
        Answer::Report(report) => {
            output::report(&(*report).into(), common.json);
            Ok(ExitCode::SUCCESS)
        }
        _ => Err("the server answered something else than a report (use the `dovetail` of the running server)".into()),
    }
}
