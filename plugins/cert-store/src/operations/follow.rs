//! `certs follow`: keep a pair in step with files that another program renews; stop it; list what is followed.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use dovetail_sdk::operations::{Field, FieldKind, FieldValue, Operation, OperationFailure, Report, Table, Values};
use serde::Serialize;
use time::OffsetDateTime;

use super::{dir_field, given, json, name_of, replace_field};
use crate::follow::record::{names, Record};
use crate::follow::{bring_up, in_step, the_pair, FollowError, InPlaceOf, LOOK_EVERY};
use crate::name::CertName;

pub fn describe() -> Operation {
    let help = format!(
        "Imports the pair in PATH, and remembers to do so again whenever another program has renewed it: the running server \
         looks every {} seconds, and the next handshake has the new certificate. PATH is on the server's machine, and the \
         server reads it as the user that it runs as: a folder such as certbot's /etc/letsencrypt/live/NAME, or the file with \
         the certificate. Files that don't fit together yet are waited for; what can't be used is told in the log, and the \
         certificate that was there stays.\n\n\
         Without PATH: lists what is followed. --stop NAME ends it; the pair stays as it is.\n\n\
         Examples: dovetail certs follow /etc/letsencrypt/live/mail.example.org\n          \
         dovetail certs follow /srv/tls/mail.crt --key /srv/tls/mail.key --name mail\n          \
         dovetail certs follow --stop mail",
        LOOK_EVERY.as_secs()
    );
    Operation::new("follow", "Keep a certificate in step with files that another program renews")
        .help(&help)
        .field(
            Field::new("path", FieldKind::Place, "The folder with the pair, or the file with the certificate")
                .positional(),
        )
        .field(Field::new("key", FieldKind::Place, "The private key, if it is in a file of its own elsewhere"))
        .field(Field::new("name", FieldKind::Text, "What to call the pair; default: as an import would"))
        .field(replace_field())
        .field(Field::new("stop", FieldKind::Text, "Follow nothing for this pair any more"))
        .field(dir_field())
        .standalone_with("dir")
}

#[derive(Serialize)]
struct Row {
    name: String,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    state: String,
}

pub fn run(folder: &Path, values: &[FieldValue]) -> Result<Report, OperationFailure> {
    match (given(values, "path"), given(values, "stop")) {
        (Some(_), Some(_)) => Err(OperationFailure::new("say either what to follow or what to --stop")),
        (Some(path), None) => begin(folder, values, PathBuf::from(path)),
        (None, Some(name)) => stop(folder, &name),
        (None, None) => list(folder),
    }
}

fn begin(folder: &Path, values: &[FieldValue], path: PathBuf) -> Result<Report, OperationFailure> {
    if is_in(&path, folder) {
        let message = format!("{} is the certificate folder itself, which is watched in any case", folder.display());
        return Err(OperationFailure::new(message));
    }
    let record = Record { path, key: given(values, "key").map(PathBuf::from) };
    let (derived, _) = the_pair(&record).map_err(OperationFailure::new)?;
    let name = name_of(values)?.unwrap_or(derived);
    let earlier = Record::read(folder, &name).ok();
    // What was followed under this name until now may be replaced; somebody's own pair only if they say so.
    let place = match values.flag("replace") || earlier.is_some() {
        true => InPlaceOf::Any,
        false => InPlaceOf::ItsKey,
    };
    let imported = bring_up(folder, &name, &record, place, OffsetDateTime::now_utc()).map_err(OperationFailure::new)?;
    record.write(folder, &name).map_err(OperationFailure::new)?;
    let mut lines = vec![match &imported {
        Some(_) => format!("imported \"{name}\" from {}", record.path.display()),
        None => format!("\"{name}\" is what {} has", record.path.display()),
    }];
    lines.push(format!("it is followed from now on: {name}.follow in {} remembers it", folder.display()));
    let warnings = imported.map(|imported| imported.warnings).unwrap_or_default();
    let row = Row {
        name: name.to_string(),
        path: record.path.display().to_string(),
        key: record.key.map(|key| key.display().to_string()),
        state: IN_STEP.to_owned(),
    };
    Ok(Report { json: json(&row)?, lines, warnings, ..Report::default() })
}

/// Whether a path leads into a folder, by whatever names and links.
fn is_in(path: &Path, folder: &Path) -> bool {
    let identity = |path: &Path| path.metadata().ok().map(|meta| (meta.dev(), meta.ino()));
    let Some(own) = identity(folder) else {
        return path.starts_with(folder);
    };
    let leads = path.canonicalize().unwrap_or_default();
    path.starts_with(folder) || leads.ancestors().any(|above| identity(above) == Some(own))
}

fn stop(folder: &Path, name: &str) -> Result<Report, OperationFailure> {
    let name = CertName::new(name).map_err(OperationFailure::new)?;
    match Record::remove(folder, &name).map_err(OperationFailure::new)? {
        true => Ok(Report::line(format!("\"{name}\" follows nothing any more; the pair stays as it is"))),
        false => Err(OperationFailure::new(format!("\"{name}\" follows nothing: see `dovetail certs follow`"))),
    }
}

fn list(folder: &Path) -> Result<Report, OperationFailure> {
    let now = OffsetDateTime::now_utc();
    let row = |name: CertName| {
        let record = Record::read(folder, &name);
        let state = match &record {
            Ok(record) => state(in_step(folder, &name, record, now)),
            Err(error) => error.to_string(),
        };
        let (path, key) = match record {
            Ok(record) => (record.path.display().to_string(), record.key.map(|key| key.display().to_string())),
            Err(_) => (String::new(), None),
        };
        Row { name: name.to_string(), path, key, state }
    };
    let rows: Vec<Row> = names(folder).map_err(OperationFailure::new)?.into_iter().map(row).collect();
    let lines = match rows.is_empty() {
        true => vec!["nothing is followed: begin with `dovetail certs follow PATH`".to_owned()],
        false => Vec::new(),
    };
    let table = (!rows.is_empty()).then(|| Table {
        columns: ["NAME", "FOLLOWS", "STATE"].map(str::to_owned).to_vec(),
        rows: rows.iter().map(|row| vec![row.name.clone(), row.path.clone(), row.state.clone()]).collect(),
    });
    Ok(Report { json: json(&rows)?, lines, table, ..Report::default() })
}

fn state(compared: Result<bool, FollowError>) -> String {
    match compared {
        Ok(true) => IN_STEP.to_owned(),
        Ok(false) => "renewed, not taken over yet".to_owned(),
        Err(error) => error.to_string(),
    }
}

const IN_STEP: &str = "in step";
