//! `certs import`: a certificate and its key from elsewhere, or an authority's answer to a request.

use std::path::Path;

use dovetail_sdk::operations::{Field, FieldKind, FieldValue, Operation, OperationFailure, Report, Values};
use serde::Serialize;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::{dir_field, import_folder, json, name_of, replace_field};
use crate::folder::PairFiles;
use crate::follow::reminder;
use crate::import::{import, prepare, ImportError, ImportRequest};
use crate::input::Input;
use crate::publish::Published;
use crate::show::{link, Link};

pub fn describe() -> Operation {
    let endings = [
        ".pem",
        ".crt",
        ".cer",
        ".cert",
        ".der",
        ".key",
        ".pfx",
        ".p12",
        ".p7b",
        ".p7c",
        ".jks",
        ".keystore",
        ".conf",
        ".cf",
        ".ext",
    ];
    Operation::new("import", "Take over a certificate and its private key")
        .help(
            "Takes a certificate and its key from two files, or from one that holds both: a combined .pem, or a bundle \
             (.pfx, .p12). Chains may come along, in .p7b bundles too, and in any order. Text, binary, and encrypted forms \
             of all programs are understood; what is stored is not encrypted, because a server starts without a person. \
             A password is read from --password-file, or from the environment's DOVETAIL_CERTS_PASSWORD, or asked for. \
             Both are checked to belong together by signing and verifying, and copied into the certificate folder as NAME.crt and \
             NAME.key; your files stay as they are. NAME is the certificate file's name without its ending, unless you \
             give one with --name.\n\n\
             If you have sent a signing request from here to an authority, bring its answer alone: the key is found in \
             the folder, and the new certificate is served from the next connection on. Bring the authority's \
             intermediate certificates along, in the same file.\n\n\
             Of a folder, or of the configuration of Dovecot or Postfix, every complete pair is taken: the folders of \
             certbot, acme.sh and Caddy are known, as are files side by side. What isn't taken is listed with the reason. \
             --dry-run only shows what would be done.\n\n\
             Examples: dovetail certs import --cert mail.example.org.crt --key old.key\n          \
             dovetail certs import combined.pem --name mail\n          \
             dovetail certs import /etc/letsencrypt\n          \
             dovetail certs import /etc/postfix/main.cf --dry-run",
        )
        .field(
            Field::path("path", &endings, "A certificate's file, or a folder of another program with certificates")
                .positional(),
        )
        .field(Field::new(
            "cert",
            FieldKind::File,
            "The certificate, perhaps with its chain and its key in the same file",
        ))
        .field(Field::new("key", FieldKind::File, "The private key, if it is in a file of its own"))
        .field(Field::new("password", FieldKind::Secret, "The password of an encrypted key or PKCS#12 bundle"))
        .field(Field::new(
            "name",
            FieldKind::Text,
            "What to call the files; default: the certificate file's name",
        ))
        .field(Field::new(
            "add",
            FieldKind::Flag,
            "Add a pair with another kind of key to the certificate of this name",
        ))
        .field(replace_field())
        .field(Field::new("dry-run", FieldKind::Flag, "Say what would be done, and change nothing"))
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
    if let Some(sources) = import_folder::sources(values) {
        return import_folder::run(folder, values, sources);
    }
    let request = ImportRequest {
        certificate: certificate(values)?,
        key: input(values, "key")?,
        password: values.bytes("password").map(|(_, bytes)| line_of(bytes)),
        name: name_of(values)?,
        replace: values.flag("replace"),
        add: values.flag("add"),
    };
    let (now, dry_run) = (OffsetDateTime::now_utc(), values.flag("dry-run"));
    let imported = match dry_run {
        true => prepare(folder, &request, now).and_then(|ready| ready.rehearse(folder)),
        false => import(folder, &request, now),
    };
    let mut imported = imported.map_err(refusal)?;
    imported.warnings.extend(reminder(folder, &imported.name));
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
    let verb = if dry_run { format!("would be {verb}:") } else { verb.to_owned() };
    let lines = vec![
        format!("{verb} the certificate \"{}\" ({})", imported.name, leaf.key_name),
        format!("  private key  {}", shown.key_file),
        format!("  certificate  {}   {} in the chain", shown.crt_file, imported.chain.len()),
        format!("  for          {}", leaf.alternative_names().join(", ")),
        format!("  issued by    {}", leaf.issuer),
        format!("  valid until  {}", leaf.not_after.date()),
        format!("  SHA-256      {}", leaf.fingerprint),
    ];
    Ok(Report { json: json(&shown)?, lines, warnings: imported.warnings, ..Report::default() })
}

/// Why it was refused; if a password would have helped, that is asked for where somebody is there to answer.
fn refusal(error: ImportError) -> OperationFailure {
    match error.wants_password() {
        true => OperationFailure::new(error).asking("password"),
        false => OperationFailure::new(error),
    }
}

/// The certificate's file, given by position or by name.
fn certificate(values: &[FieldValue]) -> Result<Input, OperationFailure> {
    match (input(values, "cert")?, values.bytes("path")) {
        (Some(_), Some(_)) => Err(OperationFailure::new("name the certificate once: by itself, or with --cert")),
        (Some(named), None) => Ok(named),
        (None, Some((path, bytes))) => {
            let name = path.rsplit('/').next().unwrap_or(path);
            Input::new(name, bytes.to_vec()).map_err(OperationFailure::new)
        }
        (None, None) => Err(OperationFailure::new("name the certificate's file, or a folder: certs import PATH")),
    }
}

fn input(values: &[FieldValue], field: &str) -> Result<Option<Input>, OperationFailure> {
    values.bytes(field).map(|(name, bytes)| Input::new(name, bytes.to_vec())).transpose().map_err(OperationFailure::new)
}

/// A password file ends with a line break that isn't the password's.
pub(super) fn line_of(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    Zeroizing::new(line.strip_suffix(b"\r").unwrap_or(line).to_vec())
}
