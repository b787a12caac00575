//! `certs check`: everything that is wrong in the folder, or soon will be; for people and for monitoring.

use std::path::Path;

use dovetail_sdk::operations::{Field, FieldKind, FieldValue, Operation, OperationFailure, Report, Values};
use serde::Serialize;
use time::OffsetDateTime;

use super::{dir_field, json};
use crate::check::{check, Around, Finding, Level, CODES};

pub fn describe() -> Operation {
    let codes: Vec<String> = CODES.iter().map(|(code, what)| format!("  {code:<16} {what}")).collect();
    let help = format!(
        "Looks at the permissions of all files, at each key and certificate with its chain and how long it lasts, at \
         leftovers, at names that no certificate is for (the server's host name, and each --host), and at what is \
         followed. Changes nothing.\n\n\
         Ends with 0 if nothing is wrong, with 1 if there are warnings, with 2 if there are errors, as Nagios and its like \
         want it. A certificate is warned of at 30 and 14 days before its end, and an error from 7 days on.\n\n\
         What is found has one of these codes; --ignore CODE leaves it out:\n{}\n\n\
         Example: dovetail certs check --host imap.example.org --ignore self-signed",
        codes.join("\n")
    );
    let codes: Vec<&str> = CODES.iter().map(|(code, _)| *code).collect();
    Operation::new("check", "Report everything that is or will be wrong with the certificates")
        .help(&help)
        .field(
            Field::new(
                "host",
                FieldKind::Text,
                "A host name or IP address that clients connect to; may be given several times",
            )
            .many(),
        )
        .field(Field::choice("ignore", &codes, "Leave findings with this code out; may be given several times").many())
        .field(dir_field())
        .standalone_with("dir")
}

#[derive(Serialize)]
struct Json<'a> {
    status: Level,
    folder: String,
    pairs: usize,
    usable: usize,
    errors: usize,
    warnings: usize,
    findings: &'a [Finding],
}

pub fn run(folder: &Path, values: &[FieldValue], around: &Around) -> Result<Report, OperationFailure> {
    let hosts: Vec<String> = values.texts("host").into_iter().map(host).collect::<Result<_, _>>()?;
    let ignored = values.texts("ignore");
    let mut checked = check(folder, around, &hosts, OffsetDateTime::now_utc());
    checked.findings.retain(|finding| !ignored.contains(&finding.code));
    let count = |level| checked.findings.iter().filter(|finding| finding.level == level).count();
    let (errors, warnings) = (count(Level::Error), count(Level::Warning));
    let status = checked.findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Ok);
    let mut lines: Vec<String> = checked.findings.iter().map(line).collect();
    lines.push(format!(
        "{}: {} of {} pairs in {} can be used, {errors} errors, {warnings} warnings",
        word(status),
        checked.good,
        checked.pairs,
        folder.display()
    ));
    let shown = Json {
        status,
        folder: folder.display().to_string(),
        pairs: checked.pairs,
        usable: checked.good,
        errors,
        warnings,
        findings: &checked.findings,
    };
    let exit = match status {
        Level::Ok => 0,
        Level::Warning => 1,
        Level::Error => 2,
    };
    Ok(Report { json: json(&shown)?, lines, exit, ..Report::default() })
}

fn line(finding: &Finding) -> String {
    format!("{} [{}] {}: {}", word(finding.level), finding.code, finding.about, finding.message)
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Ok => "ok",
        Level::Warning => "warning",
        Level::Error => "error",
    }
}

/// A host as certificates and clients write it.
fn host(text: &str) -> Result<String, OperationFailure> {
    let text = text.trim().trim_end_matches('.');
    if text.parse::<std::net::IpAddr>().is_ok() {
        return Ok(text.to_owned());
    }
    match idna::domain_to_ascii(text) {
        Ok(host) if !host.is_empty() => Ok(host),
        _ => Err(OperationFailure::new(format!("host \"{text}\": give a host name or an IP address"))),
    }
}
