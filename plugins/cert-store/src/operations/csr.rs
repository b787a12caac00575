//! `certs csr NAME`: a new signing request for a key that is there.

use std::path::Path;

use dovetail_sdk::operations::{Field, FieldKind, FieldValue, Operation, OperationFailure, Report};
use serde::Serialize;
use time::OffsetDateTime;

use super::holder::{holder, with_holder};
use super::{dir_field, json, name_of};
use crate::create::{signing_request, Holder};
use crate::folder::{key_in, PairFiles};
use crate::identity::Identity;
use crate::name::CertName;
use crate::publish::publish_request;

pub fn describe() -> Operation {
    let operation = Operation::new("csr", "Make a new signing request for an existing key")
        .help(
            "Makes NAME.csr, to be sent to a certificate authority, for the key NAME.key, which stays as it is, and so \
             does the certificate in service. The request says what the present certificate says, unless you say \
             otherwise: what you give takes the place of what was there (all --san together the place of all that were), \
             and an empty value leaves a field out. Of a certificate that can't be read, or that is another key's, it says \
             nothing: then give the names, or let the pair's name be the only one.\n\n\
             Import the authority's answer with `dovetail certs import ANSWER`.\n\n\
             Examples: dovetail certs csr mail.example.org\n          \
             dovetail certs csr mail.example.org --san smtp.example.org --san imap.example.org --unit ''",
        )
        .field(
            Field::new("name", FieldKind::Text, "The certificate's name, as in `certs list`").required().positional(),
        );
    let mut operation = with_holder(operation, "as in the present certificate");
    // The present certificate has answered already.
    operation.fields.iter_mut().for_each(|field| field.ask = false);
    operation.field(dir_field()).standalone_with("dir")
}

#[derive(Serialize)]
struct Json<'a> {
    name: &'a str,
    csr_file: String,
    csr: &'a str,
    key: String,
    key_sha256: String,
    subject: Option<&'a str>,
    names: Vec<String>,
    warnings: &'a [String],
}

pub fn run(folder: &Path, values: &[FieldValue]) -> Result<Report, OperationFailure> {
    let name = name_of(values)?.ok_or_else(|| OperationFailure::new("say which certificate: certs csr NAME"))?;
    let files = PairFiles::of(folder, &name);
    if files.key.symlink_metadata().is_err() {
        return Err(OperationFailure::new(format!(
            "there is no key \"{name}\" in {}: see `dovetail certs list`, or make one with `dovetail certs create`",
            folder.display()
        )));
    }
    let key = key_in(&files.key).map_err(OperationFailure::new)?;
    let Present { holder: base, mut warnings, unusable } = present(folder, &name);
    let holder = holder(values, base)?.complete().map_err(|error| match &unusable {
        Some(reason) => OperationFailure::new(format!("{error} (the present certificate can't be asked: {reason})")),
        None => OperationFailure::new(error),
    })?;
    warnings.extend(unusable.map(|reason| {
        format!("the present certificate can't be used, so the request says nothing of what it says: {reason}")
    }));
    let csr = signing_request(&holder, &key).map_err(OperationFailure::new)?;
    publish_request(folder, &name, key.fingerprint(), &csr).map_err(OperationFailure::new)?;
    let shown = Json {
        name: name.as_str(),
        csr_file: files.csr.display().to_string(),
        csr: &csr,
        key: key.kind().to_string(),
        key_sha256: key.fingerprint().to_string(),
        subject: holder.subject.common_name.as_deref(),
        names: holder.sans.iter().map(ToString::to_string).collect(),
        warnings: &warnings,
    };
    let lines = vec![
        format!("made a signing request for the key of \"{name}\" ({})", shown.key),
        format!("  signing request  {}   send it to a certificate authority", shown.csr_file),
        format!("  for              {}", shown.names.join(", ")),
        "bring the answer with `dovetail certs import ANSWER`".to_owned(),
    ];
    Ok(Report { json: json(&shown)?, lines, warnings, ..Report::default() })
}

/// What there is to begin with.
struct Present {
    holder: Holder,
    warnings: Vec<String>,
    /// Why the certificate that is there says nothing.
    unusable: Option<String>,
}

/// What the present certificate says; only what the pair's name says if there is none, or none that is this key's.
fn present(folder: &Path, name: &CertName) -> Present {
    let by_name = || {
        let mut holder = Holder::default();
        holder.subject.common_name = Some(name.identity().to_string()).filter(|name| name.contains('.'));
        holder
    };
    if PairFiles::of(folder, name).crt.symlink_metadata().is_err() {
        return Present { holder: by_name(), warnings: Vec::new(), unusable: None };
    }
    match Identity::load(folder, name, OffsetDateTime::now_utc()) {
        Ok((identity, _)) => {
            let (holder, left_out) = Holder::of(identity.leaf());
            let warning = |what| format!("the request doesn't say what the certificate says: {what}");
            Present { holder, warnings: left_out.into_iter().map(warning).collect(), unusable: None }
        }
        Err(error) => Present { holder: by_name(), warnings: Vec::new(), unusable: Some(error.reason.to_string()) },
    }
}
