//! `dovetail status`: how the running server is.

use super::{output, place, Common};
use crate::control::{
    message::{Answer, Call},
    status::{PluginStatus, Quarantine, SessionList, Status},
};
use crate::plugin::generation::Generation;
use clap::Args;
use dovetail_abi::{handle::Interface, operations_v1::Table, store_v1::Store};
use std::process::ExitCode;

/// What `status` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:\n  dovetail status\n  dovetail status --sessions --json\n\n\
What a session did is in the log: `dovetail trace SESSION`.")]
pub struct StatusCommand {
    /// Show the open sessions: who, from where, since when, how much
    #[arg(long)]
    sessions: bool,
}

/// Asks the running server and prints its answer.
pub fn run(common: &Common, command: &StatusCommand) -> Result<ExitCode, String> {
    let call = if command.sessions { Call::Sessions } else { Call::Status };
    let answer = place::running(common)?.call(call, |_| {})?;
    let as_json = match &answer {
        Answer::Status(status) => serde_json::to_string(status),
        Answer::Sessions(list) => serde_json::to_string(list),
        _ => {
            return Err(
                "the server answered something else than its status (use the `dovetail` of the running server)".into()
            )
        }
    };
    match (&answer, common.json) {
        (_, true) => output::json(&as_json.map_err(|error| format!("the status cannot be shown as JSON: {error}"))?),
        (Answer::Status(status), false) => print(status),
        (Answer::Sessions(list), false) => print_sessions(list),
        _ => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn print(status: &Status) {
    output::line(&format!(
        "dovetail {} on {}, process {}, up {}, data in {}\n",
        status.version,
        status.hostname,
        status.pid,
        duration(status.uptime_seconds),
        status.data_dir
    ));
    let listeners = status.listeners.iter().map(|l| {
        vec![
            l.name.clone(),
            l.bind.join(" "),
            l.protocol.clone(),
            l.tls.clone(),
            l.sessions.to_string(),
            l.served.to_string(),
        ]
    });
    show(&["listener", "address", "protocol", "tls", "sessions", "served"], listeners);
    output::line("");
    let plugins = status.plugins.iter().chain(&status.retiring).map(|p| {
        vec![
            p.instance.clone(),
            p.plugin.clone(),
            p.version.clone(),
            p.build.clone(),
            p.state.clone(),
            p.generation.to_string(),
            p.tasks.to_string(),
            p.panics.to_string(),
            p.provides.join(" "),
        ]
    });
    show(&["instance", "plugin", "version", "build", "state", "generation", "tasks", "panics", "provides"], plugins);
    for plugin in &status.plugins {
        if let Some(from) = &plugin.swapped_from {
            print_swap(plugin, from);
        }
        if let Some(quarantine) = &plugin.quarantine {
            print_quarantine(plugin, quarantine);
        }
    }
    output::line("");
    print_usage(status);
    let versions: Vec<String> = status.tls.iter().map(|(version, count)| format!("{version} {count}")).collect();
    output::line("");
    output::line(&format!(
        "sessions by TLS version: {}",
        if versions.is_empty() { "no sessions".to_owned() } else { versions.join(", ") }
    ));
    for store in status.plugins.iter().filter(|plugin| plugin.provides.iter().any(|id| id == Store::ID)) {
        print_store(store);
    }
    let blocked = &status.blocked;
    output::line(&format!("addresses shut out for failed logins: {}", blocked.count));
    if !blocked.addresses.is_empty() {
        output::line("");
        let rows = blocked.addresses.iter().map(|b| vec![b.address.to_string(), duration(b.seconds_left)]);
        show(&["blocked", "for another"], rows);
    }
}

/// That an instance runs another library than the config says.
fn print_swap(plugin: &PluginStatus, from: &str) {
    let name = &plugin.instance;
    output::line(&format!(
        "\n`{name}` was swapped from {from} to {}, until the server stops or `dovetail plugin swap {name} --back`",
        plugin.file
    ));
}

/// Why an instance takes nothing new, and until when.
fn print_quarantine(plugin: &PluginStatus, quarantine: &Quarantine) {
    let name = &plugin.instance;
    let next = match quarantine.next_attempt_seconds {
        0 => "it is being started anew".to_owned(),
        seconds => format!("it is started anew in {}", duration(seconds)),
    };
    output::line(&format!(
        "\n`{name}` is quarantined after {} panics (see the log): what is new is told to try later; {next} (`dovetail plugin \
         restart {name}` does it now)",
        plugin.panics
    ));
    if let Some(failure) = &quarantine.failure {
        output::line(&format!("the last attempt of {} failed: {failure}", quarantine.attempts));
    }
}

/// What each instance uses.
fn print_usage(status: &Status) {
    let rows = status.plugins.iter().chain(&status.retiring).map(|p| {
        let usage = &p.usage;
        let heap = usage.heap.map_or_else(
            || ["-".to_owned(), "-".to_owned()],
            |heap| [octets(i64::try_from(heap.octets).unwrap_or(i64::MAX)), heap.allocations.to_string()],
        );
        let mut row = vec![
            p.instance.clone(),
            p.generation.to_string(),
            usage.sessions.to_string(),
            usage.sessions_total.to_string(),
            format!("{:.3} s", usage.poll_microseconds as f64 / 1e6),
            usage.octets_in.to_string(),
            usage.octets_out.to_string(),
            usage.jobs.to_string(),
            usage.threads.to_string(),
        ];
        row.extend(heap);
        row.push(p.restarts.to_string());
        row
    });
    show(
        &[
            "instance",
            "generation",
            "sessions",
            "in all",
            "polled for",
            "octets in",
            "octets out",
            "blocking",
            "threads",
            "heap",
            "allocations",
            "restarts",
        ],
        rows,
    );
    output::line("");
}

/// What a store says of itself: its figures that begin with `store_`.
fn print_store(store: &PluginStatus) {
    let figure = |(name, value): (&String, &i64)| {
        let name = name.strip_prefix("store_")?;
        Some(match name.strip_suffix("_bytes") {
            Some(name) => format!("{} {}", name.replace('_', " "), octets(*value)),
            None => format!("{} {value}", name.replace('_', " ")),
        })
    };
    let figures: Vec<String> = store.figures.iter().filter_map(figure).collect();
    if !figures.is_empty() {
        output::line(&format!("store `{}`: {} ({STORE_AGE})", store.instance, figures.join(", ")));
    }
}

/// A store counts from time to time.
const STORE_AGE: &str = "as it last counted, which may be a minute ago";

fn print_sessions(list: &SessionList) {
    if list.sessions.is_empty() {
        return output::line("no session is open");
    }
    let rows = list.sessions.iter().map(|s| {
        vec![
            s.id.clone(),
            s.peer.clone(),
            s.listener.clone(),
            by(&s.served_by),
            s.account.clone().unwrap_or_else(|| "-".into()),
            match (&s.tls, &s.cipher) {
                (Some(version), Some(cipher)) => format!("{version} {cipher}"),
                (Some(version), None) => version.clone(),
                _ => "none".into(),
            },
            by(&s.tls_by),
            duration(s.seconds),
            s.octets_in.to_string(),
            s.octets_out.to_string(),
        ]
    });
    show(
        &[
            "session",
            "peer",
            "listener",
            "served by",
            "account",
            "tls",
            "tls by",
            "open for",
            "octets in",
            "octets out",
        ],
        rows,
    );
    let shown = list.sessions.len() as u64;
    if shown < list.count {
        output::line(&format!("\n{} further sessions are not shown", list.count - shown));
    }
}

/// A generation in a cell.
fn by(generation: &Option<Generation>) -> String {
    generation.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string)
}

fn show(columns: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    output::show_table(&Table { columns: columns.iter().map(|&name| name.to_owned()).collect(), rows: rows.collect() });
}

/// `5 s`, `3 m 20 s`, `2 h 5 m`, `3 d 4 h`.
fn duration(seconds: u64) -> String {
    match seconds {
        0..=59 => format!("{seconds} s"),
        60..=3599 => format!("{} m {} s", seconds / 60, seconds % 60),
        3600..=86_399 => format!("{} h {} m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// Octets for people: `12.3 MiB`.
fn octets(value: i64) -> String {
    let mut amount = value as f64;
    let mut units = ["octets", "KiB", "MiB", "GiB", "TiB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    for larger in units {
        if amount.abs() < 1024.0 {
            break;
        }
        amount /= 1024.0;
        unit = larger;
    }
    if unit == "octets" {
        format!("{value} octets")
    } else {
        format!("{amount:.1} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_amounts_are_short() {
        assert_eq!([5, 200, 7500, 273_600].map(duration), ["5 s", "3 m 20 s", "2 h 5 m", "3 d 4 h"]);
        assert_eq!([900, 1536, 5 << 30].map(octets), ["900 octets", "1.5 KiB", "5.0 GiB"]);
    }
}
