//! `certs create`: a new key, a signing request, and a self-signed certificate.

use std::path::Path;

use dovetail_sdk::operations::{Field, FieldKind, FieldValue, Operation, OperationFailure, Progress, Report, Values};
use serde::Serialize;
use time::OffsetDateTime;

use super::{dir_field, given, json, name_of, replace_field};
use crate::create::{create, CreateRequest, San, Subject, DEFAULT_DAYS};
use crate::folder::PairFiles;
use crate::key::KeyType;
use crate::publish::{publish, Existing, PublishError};
use crate::show::{link, Link};

pub fn describe() -> Operation {
    let types: Vec<&str> = KeyType::ALL.iter().map(|kind| kind.word()).collect();
    let days = DEFAULT_DAYS.to_string();
    let text = |name: &str, help: &str| Field::new(name, FieldKind::Text, help);
    Operation::new("create", "Make a key, a signing request and a self-signed certificate")
        .help(
            "Makes three files: NAME.key, the private key, which never leaves the server; NAME.csr, the request that you \
             send to a certificate authority; NAME.crt, a self-signed certificate that is served until you import the \
             authority's answer with `dovetail certs import --cert ANSWER`.\n\n\
             ecdsa-p256 is fast and understood by every current client. rsa-4096 costs about twenty times the work in \
             each handshake; take it if an old client or a policy asks for RSA.\n\n\
             Example: dovetail certs create --common-name mail.example.org --san smtp.example.org --organization Example",
        )
        .field(text("name", "What to call the files; default: the common name"))
        .field(Field::choice("type", &types, "The kind of key").default_value(KeyType::default().word()))
        .field(text(
            "common-name",
            "The host name that clients connect to (CN); default: the server's own",
        ))
        .field(
            text(
                "san",
                "A further host name, IP address or mail address; may be given several times",
            )
            .many(),
        )
        .field(text("organization", "Organization (O)"))
        .field(text("unit", "Unit of the organization (OU); twice at most").many())
        .field(text("locality", "Town (L)"))
        .field(text("state", "State or province (ST)"))
        .field(text("country", "Country (C), two letters"))
        .field(text("email", "Mail address of the responsible person, in the subject"))
        .field(
            Field::new("days", FieldKind::Number, "How long the self-signed certificate is valid").default_value(&days),
        )
        .field(replace_field())
        .field(dir_field())
        .standalone_with("dir")
}

#[derive(Serialize)]
struct Json<'a> {
    name: &'a str,
    key_file: String,
    csr_file: String,
    crt_file: String,
    key_sha256: String,
    certificate: Link,
}

pub fn run(
    folder: &Path,
    values: &[FieldValue],
    hostname: Option<&str>,
    progress: &Progress,
) -> Result<Report, OperationFailure> {
    let request = request(values, hostname)?;
    request.check().map_err(OperationFailure::new)?;
    let name = request.pair_name().map_err(OperationFailure::new)?;
    let files = PairFiles::of(folder, &name);
    let replace = values.flag("replace");
    // Nobody should wait for a key only to hear this.
    if !replace && [&files.key, &files.crt, &files.csr].iter().any(|path| path.exists()) {
        return Err(OperationFailure::new(PublishError::Taken { name: name.to_string() }));
    }
    if request.key_type.is_slow() {
        // A face that has gone needs no progress.
        let _ = progress.step(format!("making an {} key: this may take a few seconds", request.key_type));
    }
    let (pair, certificate) = create(&request, OffsetDateTime::now_utc()).map_err(OperationFailure::new)?;
    let existing = if replace { Existing::Replace } else { Existing::Refuse };
    publish(folder, &pair, existing).map_err(OperationFailure::new)?;
    let shown = Json {
        name: name.as_str(),
        key_file: files.key.display().to_string(),
        csr_file: files.csr.display().to_string(),
        crt_file: files.crt.display().to_string(),
        key_sha256: certificate.key_fingerprint.to_string(),
        certificate: link(&certificate),
    };
    let lines = vec![
        format!("made the certificate \"{name}\" ({})", certificate.key_name),
        format!("  private key      {}   keep it secret, back it up", shown.key_file),
        format!("  signing request  {}   send it to a certificate authority", shown.csr_file),
        format!("  certificate      {}   self-signed, until {}", shown.crt_file, certificate.not_after.date()),
        format!("  for              {}", certificate.alternative_names().join(", ")),
        format!("  SHA-256          {}", certificate.fingerprint),
    ];
    Ok(Report { json: json(&shown)?, lines, table: None, warnings: Vec::new() })
}

fn request(values: &[FieldValue], hostname: Option<&str>) -> Result<CreateRequest, OperationFailure> {
    let name = name_of(values)?;
    let sans: Vec<San> =
        values.texts("san").into_iter().map(San::parse).collect::<Result<_, _>>().map_err(OperationFailure::new)?;
    let common_name = given(values, "common-name").or_else(|| {
        if !sans.is_empty() {
            return None;
        }
        // `--name mail.example.org` says it all; without any name, it is the server's own.
        let from_name = name.as_ref().map(|name| name.as_str()).filter(|name| name.contains('.'));
        from_name.or(hostname).map(str::to_owned)
    });
    let days = match given(values, "days") {
        None => DEFAULT_DAYS,
        Some(text) => {
            text.parse().map_err(|_| OperationFailure::new(format!("days \"{text}\": give a number of days")))?
        }
    };
    let key_type = match given(values, "type") {
        None => KeyType::default(),
        Some(word) => word.parse().map_err(OperationFailure::new)?,
    };
    Ok(CreateRequest {
        name,
        key_type,
        subject: Subject {
            common_name,
            organization: given(values, "organization"),
            units: values.texts("unit").into_iter().map(str::to_owned).collect(),
            locality: given(values, "locality"),
            state: given(values, "state"),
            country: given(values, "country"),
            email: given(values, "email"),
        },
        sans,
        days,
    })
}
