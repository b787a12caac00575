//! `certs show NAME`: everything about one pair.

use std::path::Path;

use dovetail_sdk::operations::{Field, FieldKind, FieldValue, Operation, OperationFailure, Report};
use time::OffsetDateTime;

use super::{dir_field, json, name_of};
use crate::show::{show, Details, Further};

pub fn describe() -> Operation {
    Operation::new("show", "Show a certificate with its chain and fingerprints")
        .help(
            "Shows the files, the key, and each certificate of the chain, leaf first; then the same of the identity's further \
             pairs, such as NAME+rsa.",
        )
        .field(
            Field::new("name", FieldKind::Text, "The certificate's name, as in `certs list`").required().positional(),
        )
        .field(dir_field())
        .standalone_with("dir")
}

pub fn run(folder: &Path, values: &[FieldValue]) -> Result<Report, OperationFailure> {
    let name = name_of(values)?.ok_or_else(|| OperationFailure::new("say which certificate: certs show NAME"))?;
    let details = show(folder, &name, OffsetDateTime::now_utc()).map_err(|error| match error.is_absent() {
        true => OperationFailure::new(format!(
            "there is no certificate \"{name}\" in {}: see `dovetail certs list`",
            folder.display()
        )),
        false => OperationFailure::new(error),
    })?;
    let mut lines = Vec::new();
    add(&mut lines, &details);
    for further in &details.further {
        lines.push(String::new());
        match further {
            Further::Good(details) => add(&mut lines, details),
            Further::Broken { name, state } => lines.push(format!("{name} can't be used: {state}")),
        }
    }
    Ok(Report { json: json(&details)?, lines, ..Report::default() })
}

fn add(lines: &mut Vec<String>, details: &Details) {
    lines.push(format!("{} ({}, {})", details.name, details.key, details.state));
    lines.push(format!("  key SHA-256   {}", details.key_sha256));
    for file in &details.files {
        lines.push(format!("  file          {file}"));
    }
    for (at, link) in details.chain.iter().enumerate() {
        lines.push(match at {
            0 => "certificate".to_owned(),
            _ => format!("issuer {at}"),
        });
        lines.push(format!("  subject       {}", link.subject));
        lines.push(format!("  issuer        {}", link.issuer));
        lines.push(format!("  serial        {}", link.serial));
        if !link.names.is_empty() {
            lines.push(format!("  for           {}", link.names.join(", ")));
        }
        lines.push(format!("  valid         {} to {}", link.not_before, link.not_after));
        lines.push(format!("  key           {}", link.key));
        lines.push(format!("  signed with   {}", link.signature));
        lines.push(format!("  SHA-256       {}", link.sha256));
    }
}
