//! `certs list`: every pair in the folder, and whether it can be used.

use std::path::Path;

use dovetail_sdk::operations::{Operation, OperationFailure, Report, Table};
use time::OffsetDateTime;

use super::{dir_field, json};
use crate::show::{list, Row};

pub fn describe() -> Operation {
    Operation::new("list", "List the certificates")
        .help(
            "Shows every certificate in the folder with the names it is for, its key and when it expires. A pair that \
             can't be used is listed with the reason.",
        )
        .field(dir_field())
        .standalone_with("dir")
}

pub fn run(folder: &Path) -> Result<Report, OperationFailure> {
    let rows = list(folder, OffsetDateTime::now_utc()).map_err(OperationFailure::new)?;
    let lines = match rows.is_empty() {
        true => vec![format!(
            "no certificates in {}: make one with `dovetail certs create`, or bring one with `dovetail certs import`",
            folder.display()
        )],
        false => Vec::new(),
    };
    let table = (!rows.is_empty()).then(|| Table {
        columns: ["NAME", "FOR", "KEY", "ISSUED BY", "EXPIRES", "STATE"].map(str::to_owned).to_vec(),
        rows: rows.iter().map(cells).collect(),
    });
    Ok(Report { json: json(&rows)?, lines, table, ..Report::default() })
}

fn cells(row: &Row) -> Vec<String> {
    let expires = match (&row.not_after, row.days_left) {
        (Some(when), Some(days)) => format!("{} ({days} days)", when.get(..10).unwrap_or(when)),
        _ => String::new(),
    };
    vec![row.name.clone(), row.names.join(", "), row.key.clone(), row.issuer.clone(), expires, row.state.clone()]
}
