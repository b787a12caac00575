//! `dovetail reload`: the running server reads its config again.

use super::{output, place, Common};
use crate::control::message::{Answer, Call};
use std::process::ExitCode;

/// Asks the running server, and prints what became of each part, or all that is wrong.
pub fn run(common: &Common) -> Result<ExitCode, String> {
    match place::running(common)?.call(Call::Reload, |_| {})? {
        Answer::Report(report) => {
            output::report(&(*report).into(), common.json);
            Ok(ExitCode::SUCCESS)
        }
        _ => Err("the server answered something else than a report (use the `dovetail` of the running server)".into()),
    }
}
