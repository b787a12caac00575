//! `certs renew NAME`: a new self-signed certificate for the same key.

use std::path::Path;

use dovetail_sdk::operations::{Field, FieldKind, FieldValue, Operation, OperationFailure, Report, Values};
use serde::Serialize;
use time::OffsetDateTime;

use super::{days_of, dir_field, json, name_of};
use crate::create::renew;
use crate::folder::PairFiles;
use crate::identity::Identity;
use crate::publish::{publish, Existing, OpenKey};
use crate::show::{link, Link};

pub fn describe() -> Operation {
    Operation::new("renew", "Make a new self-signed certificate for the same key")
        .help(
            "Replaces the self-signed certificate NAME by a new one that says the same, for the same key. It is served \
             from the next connection on. Whoever has stored the old certificate is asked once whether to trust the new \
             one; the key and its fingerprint stay.\n\n\
             A certificate of an authority is renewed by the authority: make a request with `dovetail certs csr NAME` and \
             import the answer. With --self-signed such a one is replaced, too.\n\n\
             With `auto_renew: true` in its section the certificate store does this by itself.\n\n\
             Example: dovetail certs renew mail.example.org --days 730",
        )
        .field(
            Field::new("name", FieldKind::Text, "The certificate's name, as in `certs list`").required().positional(),
        )
        .field(Field::new("days", FieldKind::Number, "How long the new one is valid; default: as long as the old one"))
        .field(Field::new(
            "self-signed",
            FieldKind::Flag,
            "Replace an authority's certificate too: clients that trust the authority will warn then",
        ))
        .field(dir_field())
        .standalone_with("dir")
}

#[derive(Serialize)]
struct Json<'a> {
    name: &'a str,
    crt_file: String,
    key_sha256: String,
    certificate: Link,
    warnings: &'a [String],
}

pub fn run(folder: &Path, values: &[FieldValue]) -> Result<Report, OperationFailure> {
    let name = name_of(values)?.ok_or_else(|| OperationFailure::new("say which certificate: certs renew NAME"))?;
    let files = PairFiles::of(folder, &name);
    if files.crt.symlink_metadata().is_err() {
        return Err(OperationFailure::new(format!(
            "there is no certificate \"{name}\" in {}: see `dovetail certs list`",
            folder.display()
        )));
    }
    let days = days_of(values)?;
    let now = OffsetDateTime::now_utc();
    let (identity, stamp) = Identity::load(folder, &name, now).map_err(OperationFailure::new)?;
    let old = identity.leaf();
    if !old.self_signed() && !values.flag("self-signed") {
        return Err(OperationFailure::new(format!(
            "\"{name}\" was issued by an authority ({}), and clients that trust it would refuse a self-signed certificate: \
             get a new one from it (`dovetail certs csr {name}` makes the request), or say --self-signed",
            old.issuer
        )));
    }
    let renewed = renew(&identity, days, now).map_err(OperationFailure::new)?;
    let key = OpenKey::of(folder, &name);
    publish(folder, &renewed.pair, Existing::Unchanged(stamp)).map_err(OperationFailure::new)?;
    let certificate = &renewed.certificate;
    let mut warnings: Vec<String> = renewed
        .left_out
        .iter()
        .map(|what| format!("the new certificate doesn't say what the old one said: {what}"))
        .collect();
    warnings.extend(key.map(|key| key.warning(folder)));
    let shown = Json {
        name: name.as_str(),
        crt_file: files.crt.display().to_string(),
        key_sha256: certificate.key_fingerprint.to_string(),
        certificate: link(certificate),
        warnings: &warnings,
    };
    let lines = vec![
        format!("renewed the certificate \"{name}\" ({}), with the same key", certificate.key_name),
        format!("  certificate  {}   self-signed, until {}", shown.crt_file, certificate.not_after.date()),
        format!("  for          {}", certificate.alternative_names().join(", ")),
        format!("  SHA-256      {}", certificate.fingerprint),
    ];
    Ok(Report { json: json(&shown)?, lines, warnings, ..Report::default() })
}
