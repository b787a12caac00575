//! `certs create`: a new key, a signing request, and a self-signed certificate.

use std::path::Path;

use dovetail_sdk::operations::{Field, FieldKind, FieldValue, Operation, OperationFailure, Progress, Report, Values};
use serde::Serialize;
use time::OffsetDateTime;

use super::holder::{holder, with_holder};
use super::{days_of, dir_field, given, json, name_of, replace_field};
use crate::create::{create, CreateRequest, Holder, DEFAULT_DAYS};
use crate::folder::PairFiles;
use crate::further::{further_pair, KeyFamily};
use crate::identity::Identity;
use crate::key::KeyType;
use crate::name::CertName;
use crate::publish::{publish, Existing, PublishError};
use crate::show::{link, Link};

pub fn describe() -> Operation {
    let types: Vec<&str> = KeyType::ALL.iter().map(|kind| kind.word()).collect();
    let days = DEFAULT_DAYS.to_string();
    let operation = Operation::new("create", "Make a key, a signing request and a self-signed certificate")
        .help(
            "Makes three files: NAME.key, the private key, which never leaves the server; NAME.csr, the request that you \
             send to a certificate authority; NAME.crt, a self-signed certificate that is served until you import the \
             authority's answer with `dovetail certs import ANSWER`.\n\n\
             On a terminal, without any of the fields below from --type to --name, it asks for them one by one.\n\n\
             ecdsa-p256 is fast and understood by every current client. rsa-4096 costs about twenty times the work in \
             each handshake; take it if an old client or a policy asks for RSA, or beside the other: --add makes a further \
             pair with another kind of key for the certificate of this name, and each client gets the one that it \
             understands.\n\n\
             Examples: dovetail certs create --common-name mail.example.org --san smtp.example.org --organization Example\n          \
             dovetail certs create --add --name mail.example.org --type rsa-4096",
        )
        .field(
            Field::choice("type", &types, "The kind of key")
                .default_value(KeyType::default().word())
                .asked("Kind of key")
                .more(TYPES_HELP),
        );
    with_holder(operation, "the server's own")
        .field(
            Field::new("days", FieldKind::Number, "How long the self-signed certificate is valid")
                .default_value(&days)
                .asked("Days")
                .more(
                    "At most 7300. An authority decides by itself how long its own certificate is valid. With `auto_renew: \
                     true` in the configuration the self-signed one is renewed in time.",
                ),
        )
        .field(
            Field::new("name", FieldKind::Text, "What to call the files; default: the common name")
                .asked("Name of the files")
                .more("NAME.key, NAME.csr and NAME.crt. The name is what listeners and the other commands call it.")
                .example("mail"),
        )
        .field(Field::new(
            "add",
            FieldKind::Flag,
            "Add a pair with another kind of key to the certificate of this name; what isn't given is as there",
        ))
        .field(replace_field())
        .field(dir_field())
        .standalone_with("dir")
}

/// What somebody should know who chooses.
const TYPES_HELP: &str = "\
ecdsa-p256: fast, small, and understood by every client since about 2012. Take it if nothing speaks against it.
ecdsa-p384: a larger margin for some policies; each handshake costs several times as much.
rsa-4096: what many mail servers recommended, and what some policies and very old clients ask for. A handshake costs about \
twenty times as much as with ecdsa-p256 (one processor core makes some 600 new connections a second instead of 12,000), and \
making the key takes seconds.
rsa-2048, rsa-3072: RSA at less cost. Authorities take no fewer than 2048 bits.
ed25519: as good as ecdsa-p256, but Firefox, Thunderbird and others that use NSS refuse it.
One name can have an RSA and an ECDSA key: make one, and add the other with `dovetail certs create --add`.";

/// What is said about Ed25519 keys.
pub(super) const ED25519_WARNING: &str =
    "the key is Ed25519: Firefox, Thunderbird and other NSS clients refuse such certificates";

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
    let replace = values.flag("replace");
    let request = match values.flag("add") {
        true => further(folder, values, request(values, hostname)?, replace)?,
        false => request(values, hostname)?,
    };
    request.check().map_err(OperationFailure::new)?;
    let name = request.pair_name().map_err(OperationFailure::new)?;
    name.suits(request.key_type.into()).map_err(OperationFailure::new)?;
    let files = PairFiles::of(folder, &name);
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
    let mut lines = vec![
        format!("made the certificate \"{name}\" ({})", certificate.key_name),
        format!("  private key      {}   keep it secret, back it up", shown.key_file),
        format!("  signing request  {}   send it to a certificate authority", shown.csr_file),
        format!("  certificate      {}   self-signed, until {}", shown.crt_file, certificate.not_after.date()),
        format!("  for              {}", certificate.alternative_names().join(", ")),
        format!("  SHA-256          {}", certificate.fingerprint),
    ];
    if values.flag("add") {
        let identity = name.identity();
        lines.push(format!(
            "  served           beside \"{identity}\"; if that one is from an authority, when this one is, too"
        ));
    }
    let warnings = match request.key_type {
        KeyType::Ed25519 => vec![ED25519_WARNING.to_owned()],
        _ => Vec::new(),
    };
    Ok(Report { json: json(&shown)?, lines, warnings, ..Report::default() })
}

/// What these values ask for.
pub(super) fn request(values: &[FieldValue], hostname: Option<&str>) -> Result<CreateRequest, OperationFailure> {
    let name = name_of(values)?;
    let mut holder = holder(values, Holder::default())?;
    if holder.subject.common_name.is_none() && holder.sans.is_empty() {
        // `--name mail.example.org` says it all; without any name, it is the server's own.
        let from_name = name.as_ref().map(CertName::identity).filter(|name| name.as_str().contains('.'));
        holder.subject.common_name = from_name.map(|name| name.to_string()).or(hostname.map(str::to_owned));
    }
    let key_type = match given(values, "type") {
        None => KeyType::default(),
        Some(word) => word.parse().map_err(OperationFailure::new)?,
    };
    let days = days_of(values)?.unwrap_or(DEFAULT_DAYS);
    Ok(CreateRequest { name, key_type, subject: holder.subject, sans: holder.sans, days })
}

/// The request for a further pair: what isn't given is as in the identity's first certificate that there is.
fn further(
    folder: &Path,
    values: &[FieldValue],
    request: CreateRequest,
    replace: bool,
) -> Result<CreateRequest, OperationFailure> {
    let identity = request.pair_name().map_err(OperationFailure::new)?.identity();
    let family = KeyFamily::from(request.key_type);
    let name = further_pair(folder, &identity, family, replace).map_err(OperationFailure::new)?;
    let others = KeyFamily::ALL.into_iter().filter_map(|family| identity.further(family).ok());
    let present = std::iter::once(identity.clone()).chain(others).find(|name| PairFiles::of(folder, name).crt.exists());
    let base = match present {
        Some(present) => {
            let loaded = Identity::load(folder, &present, OffsetDateTime::now_utc()).map_err(OperationFailure::new)?;
            Holder::of(loaded.0.leaf()).0
        }
        None => Holder { subject: request.subject, sans: request.sans },
    };
    let holder = holder(values, base)?;
    Ok(CreateRequest { name: Some(name), subject: holder.subject, sans: holder.sans, ..request })
}
