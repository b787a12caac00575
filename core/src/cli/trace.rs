//! `dovetail trace`: what the log says about one session or one message.

mod follow;
mod source;

use super::{output, Common};
use clap::Args;
use follow::{Following, Wanted};
use source::Source;
use std::{path::PathBuf, process::ExitCode};

/// What `trace` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
A session's id stands in every line of its session. A message is named by its Message-ID (with or without < >), or by the id \
that the client was told at its end (`Delivered as ...`), which is in its Received field too. For a message, the trace has \
what its sessions did, but not what they did with other messages.\n\n\
Without --log the journal of the unit is read.\n\n\
Examples:\n  dovetail trace 1c5x2k0a9fz\n  dovetail trace '<20260102.1@example.org>' --log /var/log/dovetail.log\n  \
journalctl -u dovetail --since today -o cat | dovetail trace 1c5x2k0a9fz.1 --log -")]
pub struct Trace {
    /// A session's id, a Message-ID, or a delivery's id
    #[arg(value_name = "SESSION|MESSAGE-ID")]
    what: String,
    /// The log, as text or JSON; `-` reads it from standard input
    #[arg(long, value_name = "FILE", conflicts_with = "unit")]
    log: Option<PathBuf>,
    /// The unit whose journal is read
    #[arg(long, value_name = "UNIT", default_value = "dovetail")]
    unit: String,
}

/// Prints all records that belong to what is asked for.
pub fn run(common: &Common, trace: &Trace) -> Result<ExitCode, String> {
    let wanted = Wanted::parse(&trace.what)?;
    let mut source = Source::new(trace.log.as_deref(), &trace.unit)?;
    let mut following = Following::new(wanted);
    source.each(|line| following.look(line))?;
    if !following.found() {
        return Err(format!(
            "nothing in {} is about `{}` (name another log with --log, or another unit with --unit; the line about a message \
             is of level Info)",
            source.name(),
            trace.what
        ));
    }
    let mut records = Vec::new();
    source.each(|line| {
        if let Some(record) = following.take(line) {
            match common.json {
                true => records.push(record),
                false => output::line(&record.text()),
            }
        }
    })?;
    if common.json {
        let text =
            serde_json::to_string(&records).map_err(|error| format!("the records cannot be shown as JSON: {error}"))?;
        output::json(&text);
    }
    Ok(ExitCode::SUCCESS)
}
