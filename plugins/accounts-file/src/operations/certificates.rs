//! `add-certificate`, `remove-certificate`, `certificates`: whose certificates log in to which account.

use super::{address, name};
use crate::{
    certificate::{self, Certificate},
    content::{ClientKey, Content},
    edit,
    fingerprint::Fingerprint,
    mapping::By,
    name::Name,
    Accounts,
};
use dovetail_sdk::operations::{Field, FieldKind, FieldValue, Operation, OperationFailure, Report, Table, Values};

/// The operations, for help and faces.
pub fn describe() -> [Operation; 3] {
    [
        Operation::new("add-certificate", "Let the owner of a certificate log in to an account")
            .help(
                "Whoever shows this certificate, or another one with the same key, can log in without a password (SASL \
                 EXTERNAL), on listeners whose `client_certificates` trust its issuer. The account must exist.\n\n\
                 Example: dovetail accounts add-certificate you@example.org --cert laptop.crt --note laptop",
            )
            .field(address())
            .field(Field::new("cert", FieldKind::File, "The certificate, PEM or DER; its key is not needed").required())
            .field(Field::new("note", FieldKind::Text, "What you call it; by default the certificate's subject")),
        Operation::new("remove-certificate", "Take a certificate away from an account")
            .help(
                "It no longer logs in to the account by its key. (If the account's address stands in it, \
                 `certificate_logins` decides whether that still does.)\n\n\
                 Example: dovetail accounts remove-certificate you@example.org --cert laptop.crt",
            )
            .field(address())
            .field(Field::new("cert", FieldKind::File, "The certificate, PEM or DER"))
            .field(Field::new("key", FieldKind::Text, "Instead of --cert: its key, as `dovetail accounts certificates` shows it")),
        Operation::new("certificates", "List the certificates that log in to accounts")
            .help("Example: dovetail accounts certificates you@example.org")
            .field(
                Field::new("address", FieldKind::Text, "The account's address; by default all accounts").positional(),
            ),
    ]
}

/// `add-certificate`.
pub async fn add(accounts: &Accounts, values: &[FieldValue]) -> Result<Report, OperationFailure> {
    let name = name(values)?;
    let (file, shown) = read(values)?.ok_or_else(|| OperationFailure::new("say which one, with --cert FILE"))?;
    let note = match values.text("note").map(str::trim) {
        None | Some("") => shown.subject,
        Some(note) => certificate::shown(note),
    };
    let mut report = Report::line(format!("{file} logs in to {name}"));
    report.lines.push(format!("  key   {}", shown.key));
    report.lines.push(format!("  note  {note}"));
    if !accounts.certificate_logins.contains(&By::Key) {
        let text = "`certificate_logins` in the plugin's section has no `Key`: this takes effect when it has";
        report.warnings.push(text.to_owned());
    }
    report.json = serde_json::json!({"address": name, "key": shown.key, "note": note}).to_string();
    let key = ClientKey { key: shown.key, note };
    accounts.change(move |content| edit::add_certificate(content, &name, key)).await?;
    Ok(report)
}

/// `remove-certificate`.
pub async fn remove(accounts: &Accounts, values: &[FieldValue]) -> Result<Report, OperationFailure> {
    let name = name(values)?;
    let key = match (read(values)?, values.text("key")) {
        (Some((_, shown)), None) => shown.key,
        (None, Some(key)) => key.parse::<Fingerprint>().map_err(OperationFailure::new)?,
        _ => return Err(OperationFailure::new("say which one, with either --cert FILE or --key FINGERPRINT")),
    };
    let line = format!("no longer logs in to {name} by its key");
    let removed = accounts.change(move |content| edit::remove_certificate(content, &name, key)).await?;
    let what = if removed.note.is_empty() { removed.key.to_string() } else { removed.note };
    Ok(Report::line(format!("{what} {line}")))
}

/// `certificates`.
pub fn list(content: &Content, values: &[FieldValue]) -> Result<Report, OperationFailure> {
    let only = values.text("address").map(str::parse::<Name>).transpose().map_err(OperationFailure::new)?;
    if let Some(name) = only.as_ref().filter(|name| content.accounts.iter().all(|(there, _)| there != *name)) {
        return Err(OperationFailure::new(edit::EditError::Unknown(name.clone())));
    }
    let (mut rows, mut json) = (Vec::new(), Vec::new());
    for (name, account) in content.accounts.iter().filter(|(name, _)| only.as_ref().is_none_or(|only| only == *name)) {
        for one in &account.certificates {
            rows.push(vec![name.to_string(), one.key.to_string(), one.note.clone()]);
            json.push(serde_json::json!({"address": name, "key": one.key, "note": one.note}));
        }
    }
    let lines = match rows.is_empty() {
        true => {
            vec!["There are none; add one with `dovetail accounts add-certificate ADDRESS --cert FILE`.".to_owned()]
        }
        false => Vec::new(),
    };
    let columns = ["address", "key", "note"].map(str::to_owned).to_vec();
    let table = (!rows.is_empty()).then_some(Table { columns, rows });
    let json = serde_json::json!({"certificates": json}).to_string();
    Ok(Report { lines, table, json, ..Report::default() })
}

fn read(values: &[FieldValue]) -> Result<Option<(String, Certificate)>, OperationFailure> {
    let Some((file, bytes)) = values.bytes("cert") else { return Ok(None) };
    let shown = certificate::of_file(bytes).map_err(|error| OperationFailure::new(format!("{file}: {error}")))?;
    Ok(Some((file.to_owned(), shown)))
}
