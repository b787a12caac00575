//! `certs import FOLDER`: every complete pair of a folder, or of the configuration of Dovecot or Postfix.
//!
//! Each pair is imported by the rules of a single one, and one that is refused doesn't keep the others out: what became of
//! each is in the report, which ends the command with 1 if any was refused. Nothing found at all is a failure.

use std::path::{Path, PathBuf};

use dovetail_sdk::operations::{FieldValue, OperationFailure, Report, Table, Values};
use serde::Serialize;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::import::line_of;
use super::{json, name_of};
use crate::elsewhere::{is_config, named_files, survey, Found, Left, Pair, Source};
use crate::follow::reminder;
use crate::import::{prepare, ImportError};
use crate::name::CertName;
use crate::publish::Published;

/// So many reasons are in the message if nothing is found.
const MAX_REASONS: usize = 3;

/// The files to look through, if `path` is a folder or names other files.
pub fn sources(values: &[FieldValue]) -> Option<Vec<Source>> {
    let mut given = values.iter().filter(|value| value.name == "path");
    let first = given.next()?;
    let further = given.next().is_some();
    let folder = first.bytes.is_none() || further || is_config(Path::new(&first.text));
    folder.then(|| sources_of(values))
}

/// Paths of files that configurations among the values name.
pub fn further_files(values: &[FieldValue]) -> Vec<String> {
    named_files(&sources_of(values)).iter().filter_map(|path| Some(path.to_str()?.to_owned())).collect()
}

fn sources_of(values: &[FieldValue]) -> Vec<Source> {
    let given = values.iter().filter(|value| value.name == "path");
    let read = given.filter_map(|value| {
        Some((PathBuf::from(&value.text), Zeroizing::new(value.bytes.as_ref()?.expose().to_vec())))
    });
    read.map(|(path, bytes)| Source { path, bytes }).collect()
}

#[derive(Serialize)]
struct Json<'a> {
    dry_run: bool,
    pairs: Vec<PairJson>,
    left: Vec<LeftJson<'a>>,
}

#[derive(Serialize)]
struct PairJson {
    name: String,
    program: String,
    certificate_file: String,
    key_file: String,
    key: String,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct LeftJson<'a> {
    file: &'a str,
    reason: &'a str,
    problem: bool,
}

/// Imports all pairs of the files.
pub fn run(folder: &Path, values: &[FieldValue], sources: Vec<Source>) -> Result<Report, OperationFailure> {
    if values.bytes("cert").is_some() || values.bytes("key").is_some() {
        return Err(OperationFailure::new("--cert and --key are for a single pair: leave them out to import a folder"));
    }
    if values.flag("add") {
        let message = "--add is for a single pair: the pairs of a folder get their names by their kinds of key";
        return Err(OperationFailure::new(message));
    }
    let from = values.text("path").unwrap_or_default().to_owned();
    let password = values.bytes("password").map(|(_, bytes)| line_of(bytes));
    let mut survey = survey(sources, password.as_ref().map(|password| password.as_slice()));
    if let Some(name) = name_of(values)? {
        match survey.found.as_mut_slice() {
            [only] => only.name = name,
            [] => {}
            several => {
                let count = several.len();
                let message = format!("there are {count} pairs in {from}: --name is for a single one");
                return Err(OperationFailure::new(message));
            }
        }
    }
    if survey.found.is_empty() {
        let failure = OperationFailure::new(nothing_found(&from, &survey.left));
        return Err(if survey.wants_password { failure.asking("password") } else { failure });
    }
    let (dry_run, replace) = (values.flag("dry-run"), values.flag("replace"));
    let now = OffsetDateTime::now_utc();
    let pairs: Vec<PairJson> =
        survey.found.into_iter().map(|found| one(folder, found, replace, dry_run, now)).collect();
    report(&from, pairs, &survey.left, dry_run)
}

fn one(folder: &Path, found: Found, replace: bool, dry_run: bool, now: OffsetDateTime) -> PairJson {
    let Found { name, pair } = found;
    let shown = |path: &Path| path.display().to_string();
    let mut told = PairJson {
        name: name.to_string(),
        program: pair.place.program.to_string(),
        certificate_file: shown(&pair.certificate_file),
        key_file: shown(&pair.key_file),
        key: pair.key.kind().to_string(),
        result: "refused",
        reason: None,
        warnings: Vec::new(),
    };
    match take(folder, name, &pair, replace, dry_run, now) {
        Ok((result, warnings)) => {
            told.result = result;
            told.warnings = warnings;
        }
        Err(error) => told.reason = Some(error.to_string()),
    }
    told
}

fn take(
    folder: &Path,
    name: CertName,
    pair: &Pair,
    replace: bool,
    dry_run: bool,
    now: OffsetDateTime,
) -> Result<(&'static str, Vec<String>), ImportError> {
    let ready = prepare(folder, &pair.request(name, replace)?, now)?;
    let warnings = ready.warnings.iter().cloned().chain(reminder(folder, &ready.pair.name)).collect();
    let result = match ready.preview(folder)? {
        None => "unchanged",
        Some(would) if dry_run => word(would),
        Some(_) => word(ready.publish(folder)?.published),
    };
    Ok((result, warnings))
}

fn word(published: Published) -> &'static str {
    match published {
        Published::New => "imported",
        Published::CertificateReplaced => "certificate replaced",
        Published::PairReplaced => "pair replaced",
    }
}

fn report(from: &str, pairs: Vec<PairJson>, left: &[Left], dry_run: bool) -> Result<Report, OperationFailure> {
    let count = pairs.len();
    let mut lines = vec![match (count, dry_run) {
        (1, true) => format!("there is 1 pair in {from}; this would become of it:"),
        (_, true) => format!("there are {count} pairs in {from}; this would become of them:"),
        (1, false) => format!("there is 1 pair in {from}:"),
        (_, false) => format!("there are {count} pairs in {from}:"),
    }];
    let mut warnings: Vec<String> = Vec::new();
    for pair in &pairs {
        warnings.extend(pair.warnings.iter().map(|warning| format!("{}: {warning}", pair.name)));
    }
    for left in left {
        match left.problem {
            true => warnings.push(format!("{}: {}; left alone", left.file, left.reason)),
            false => lines.push(format!("left alone: {}: {}", left.file, left.reason)),
        }
    }
    let rows = pairs.iter().map(|pair| {
        let result = match &pair.reason {
            Some(reason) => format!("{}: {reason}", pair.result),
            None => pair.result.to_owned(),
        };
        vec![pair.name.clone(), pair.key.clone(), pair.program.clone(), pair.certificate_file.clone(), result]
    });
    let table = Table {
        columns: ["NAME", "KEY", "LAYOUT", "CERTIFICATE", "RESULT"].map(str::to_owned).to_vec(),
        rows: rows.collect(),
    };
    let exit = u32::from(pairs.iter().any(|pair| pair.reason.is_some()));
    let left = left.iter().map(|left| LeftJson { file: &left.file, reason: &left.reason, problem: left.problem });
    let shown = json(&Json { dry_run, left: left.collect(), pairs })?;
    Ok(Report { lines, table: Some(table), warnings, json: shown, exit })
}

fn nothing_found(from: &str, left: &[Left]) -> String {
    let mut reasons: Vec<String> = left.iter().filter(|left| left.problem).map(said).collect();
    reasons.extend(left.iter().filter(|left| !left.problem).map(said));
    let more = reasons.len().saturating_sub(MAX_REASONS);
    reasons.truncate(MAX_REASONS);
    let mut message = format!("there is no complete pair of a certificate and its private key in {from}");
    if !reasons.is_empty() {
        message = format!("{message}: {}", reasons.join("; "));
    }
    if more > 0 {
        message = format!("{message}; and {more} more");
    }
    message
}

fn said(left: &Left) -> String {
    format!("{}: {}", left.file, left.reason)
}
