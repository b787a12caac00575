//! `certs import`: a certificate and its key from elsewhere, or an authority's answer to a request.

use std::path::Path;

use dovetail_sdk::operations::{Field, FieldKind, FieldValue, Operation, OperationFailure, Report, Values};
use serde::Serialize;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::{dir_field, json, name_of, replace_field};
use crate::folder::PairFiles;
use crate::import::{import, ImportRequest};
use crate::input::Input;
use crate::publish::Published;
use crate::show::{link, Link};

pub fn describe() -> Operation {
    Operation::new("import", "Take over a certificate and its private key")
        .help(
            "Takes a certificate and its key from two files, or from one that holds both (a combined .pem). Both are \
             checked to belong together by signing and verifying, and copied into the certificate folder as NAME.crt and \
             NAME.key; your files stay as they are. NAME is the certificate file's name without its ending, unless you \
             give one with --name.\n\n\
             If you have sent a signing request from here to an authority, bring its answer alone: the key is found in \
             the folder, and the new certificate is served from the next connection on. Bring the authority's \
             intermediate certificates along, in the same file.\n\n\
             Examples: dovetail certs import --cert mail.example.org.crt --key old.key\n          \
             dovetail certs import --cert combined.pem --name mail",
        )
        .field(
            Field::new(
                "cert",
                FieldKind::File,
                "The certificate, perhaps with its chain and its key in the same file",
            )
            .required(),
        )
        .field(Field::new("key", FieldKind::File, "The private key, if it is in a file of its own"))
        .field(Field::new("password", FieldKind::Secret, "The password of an encrypted key"))
        .field(Field::new(
            "name",
            FieldKind::Text,
            "What to call the files; default: the certificate file's name",
        ))
        .field(replace_field())
        .field(dir_field())
        .standalone_with("dir")
}

#[derive(Serialize)]
struct Json<'a> {
    name: &'a str,
    replaced: &'static str,
    key_file: String,
    crt_file: String,
    key_sha256: String,
    chain: Vec<Link>,
    warnings: &'a [String],
}

pub fn run(folder: &Path, values: &[FieldValue]) -> Result<Report, OperationFailure> {
    let request = ImportRequest {
        certificate: input(values, "cert")?.ok_or_else(|| OperationFailure::new("name the certificate with --cert"))?,
        key: input(values, "key")?,
        password: values.bytes("password").map(|(_, bytes)| line_of(bytes)),
        name: name_of(values)?,
        replace: values.flag("replace"),
    };
    let imported = import(folder, &request, OffsetDateTime::now_utc()).map_err(OperationFailure::new)?;
    let files = PairFiles::of(folder, &imported.name);
    let leaf = &imported.chain[0];
    let (replaced, verb) = match imported.published {
        Published::New => ("nothing", "imported"),
        Published::CertificateReplaced => ("certificate", "imported, for the key that was there,"),
        Published::PairReplaced => ("pair", "imported, in the place of the old pair,"),
    };
    let shown = Json {
        name: imported.name.as_str(),
        replaced,
        key_file: files.key.display().to_string(),
        crt_file: files.crt.display().to_string(),
        key_sha256: leaf.key_fingerprint.to_string(),
        chain: imported.chain.iter().map(link).collect(),
        warnings: &imported.warnings,
    };
    let lines = vec![
        format!("{verb} the certificate \"{}\" ({})", imported.name, leaf.key_name),
        format!("  private key  {}", shown.key_file),
        format!("  certificate  {}   {} in the chain", shown.crt_file, imported.chain.len()),
        format!("  for          {}", leaf.alternative_names().join(", ")),
        format!("  issued by    {}", leaf.issuer),
        format!("  valid until  {}", leaf.not_after.date()),
        format!("  SHA-256      {}", leaf.fingerprint),
    ];
    Ok(Report { json: json(&shown)?, lines, table: None, warnings: imported.warnings })
}

fn input(values: &[FieldValue], field: &str) -> Result<Option<Input>, OperationFailure> {
    values.bytes(field).map(|(name, bytes)| Input::new(name, bytes.to_vec())).transpose().map_err(OperationFailure::new)
}

/// A password file ends with a line break that isn't the password's.
fn line_of(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    Zeroizing::new(line.strip_suffix(b"\r").unwrap_or(line).to_vec())
}
