//! `dovetail kv`: what other plugins remember, for the operator to look at and to correct.
//!
//! Keys and values are octets. They are shown as the text that they are, and as `hex:...` if they are none; what begins with
//! `hex:` is read as octets in hexadecimal digits.

use data_encoding::HEXLOWER_PERMISSIVE as HEX;
use dovetail_sdk::{
    kv::{KvEntry, KvProvider, MAX_LIST},
    operations::{
        Field, FieldKind, FieldValue, Operation, OperationFailure, OperationsProvider, Progress, Report, Table,
        Values as _,
    },
    time,
};
use serde_json::json;

use crate::reader::Namespace;
use crate::service::Values;

/// The operations, for help and faces.
pub fn describe() -> Vec<Operation> {
    vec![
        Operation::new("list", "List namespaces, or the entries of one")
            .help(
                "A namespace belongs to the plugin instance of its name, by custom. At most 1000 entries are listed; begin \
                 behind the last one with --after.\n\nExample: dovetail kv list greylist --prefix 192.0.2.",
            )
            .field(Field::new("namespace", FieldKind::Text, "The namespace; without it, all are listed").positional())
            .field(Field::new("prefix", FieldKind::Text, "Only keys that begin so"))
            .field(Field::new("after", FieldKind::Text, "Only keys behind this one")),
        Operation::new("get", "Show the value of a key")
            .help("Example: dovetail kv get greylist 192.0.2.1")
            .field(namespace())
            .field(key()),
        Operation::new("put", "Set the value of a key")
            .help("Example: dovetail kv put greylist 192.0.2.1 passed --seconds 86400")
            .field(namespace())
            .field(key())
            .field(Field::new("value", FieldKind::Text, "The value").required().positional())
            .field(Field::new("seconds", FieldKind::Number, "How long it lasts; without it, for ever")),
        Operation::new("remove", "Remove a key")
            .help("Example: dovetail kv remove greylist 192.0.2.1")
            .field(namespace())
            .field(key()),
        Operation::new("clear", "Remove all keys of a namespace")
            .help("Example: dovetail kv clear greylist")
            .field(namespace()),
    ]
}

fn namespace() -> Field {
    Field::new("namespace", FieldKind::Text, "The namespace, as in `dovetail kv list`").required().positional()
}

fn key() -> Field {
    Field::new("key", FieldKind::Text, "The key; hex:... for octets that are no text").required().positional()
}

impl OperationsProvider for Values {
    async fn run(
        &self,
        operation: String,
        values: Vec<FieldValue>,
        _progress: Progress,
    ) -> Result<Report, OperationFailure> {
        let namespace = values.text("namespace").map(str::to_owned);
        match (operation.as_str(), namespace) {
            ("list", None) => Ok(list_namespaces(&self.namespaces().await.map_err(OperationFailure::new)?)),
            ("list", Some(namespace)) => {
                let prefix = values.text("prefix").map_or(Ok(Vec::new()), octets)?;
                let after = values.text("after").map(octets).transpose()?;
                let entries = self.list(namespace, prefix, after, MAX_LIST).await.map_err(OperationFailure::new)?;
                Ok(list_entries(&entries))
            }
            ("get", Some(namespace)) => {
                let key = given(&values, "key")?;
                let found = self.get(namespace.clone(), key.clone()).await.map_err(OperationFailure::new)?;
                let entry = found.ok_or_else(|| not_there(&namespace, &key))?;
                Ok(Report { json: json_of(&entry).to_string(), ..Report::line(text(&entry.value)) })
            }
            ("put", Some(namespace)) => {
                let (key, value) = (given(&values, "key")?, given(&values, "value")?);
                let seconds = values.text("seconds").map(str::parse).transpose();
                let seconds = seconds.map_err(|_| OperationFailure::new("--seconds is no number of seconds"))?;
                let line = format!("{} of {namespace} is set", text(&key));
                self.put(namespace, key, value, seconds).await.map_err(OperationFailure::new)?;
                Ok(Report::line(line))
            }
            ("remove", Some(namespace)) => {
                let key = given(&values, "key")?;
                match self.remove(namespace.clone(), key.clone()).await.map_err(OperationFailure::new)? {
                    true => Ok(Report::line(format!("{} of {namespace} is removed", text(&key)))),
                    false => Err(not_there(&namespace, &key)),
                }
            }
            ("clear", Some(namespace)) => {
                let removed = self.clear(namespace.clone()).await.map_err(OperationFailure::new)?;
                Ok(Report::line(format!("{removed} entries of {namespace} are removed")))
            }
            _ => Err(OperationFailure::new("there is no such operation; there are list, get, put, remove and clear")),
        }
    }
}

fn given(values: &[FieldValue], name: &str) -> Result<Vec<u8>, OperationFailure> {
    values.text(name).ok_or_else(|| OperationFailure::new(format!("{name} is missing"))).and_then(octets)
}

fn not_there(namespace: &str, key: &[u8]) -> OperationFailure {
    OperationFailure::new(format!("{namespace} has no key {}; `dovetail kv list {namespace}` shows all", text(key)))
}

fn list_namespaces(namespaces: &[Namespace]) -> Report {
    let rows = namespaces.iter().map(|namespace| vec![namespace.name.clone(), namespace.entries.to_string()]);
    let all: Vec<_> = namespaces.iter().map(|n| json!({"namespace": n.name, "entries": n.entries})).collect();
    let table = Table { columns: vec!["Namespace".into(), "Entries".into()], rows: rows.collect() };
    Report { table: Some(table), json: json!({ "namespaces": all }).to_string(), ..Report::default() }
}

fn list_entries(entries: &[KvEntry]) -> Report {
    let row = |entry: &KvEntry| {
        let left = entry.expires_at.map(|at| at.saturating_sub(time::unix_milliseconds().unsigned_abs() / 1000));
        let left = left.map_or_else(|| "never".to_owned(), |left| format!("in {left} s"));
        vec![text(&entry.key), shortened(&entry.value), left]
    };
    let table =
        Table { columns: vec!["Key".into(), "Value".into(), "Ends".into()], rows: entries.iter().map(row).collect() };
    let all: Vec<_> = entries.iter().map(json_of).collect();
    Report { table: Some(table), json: json!({ "entries": all }).to_string(), ..Report::default() }
}

fn json_of(entry: &KvEntry) -> serde_json::Value {
    json!({"key": text(&entry.key), "value": text(&entry.value), "expires_at": entry.expires_at})
}

/// Octets as a person can read and write them.
fn text(octets: &[u8]) -> String {
    match std::str::from_utf8(octets) {
        Ok(text) if !text.chars().any(char::is_control) && !text.starts_with(HEX_MARK) => text.to_owned(),
        _ => format!("{HEX_MARK}{}", HEX.encode(octets)),
    }
}

fn shortened(octets: &[u8]) -> String {
    let text = text(octets);
    match text.char_indices().nth(MAX_SHOWN) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text,
    }
}

/// The octets that [`text`] shows so.
fn octets(text: &str) -> Result<Vec<u8>, OperationFailure> {
    match text.strip_prefix(HEX_MARK) {
        Some(digits) => HEX
            .decode(digits.as_bytes())
            .map_err(|_| OperationFailure::new(format!("{text}: behind `hex:` come pairs of hexadecimal digits"))),
        None => Ok(text.as_bytes().to_vec()),
    }
}

const HEX_MARK: &str = "hex:";
/// Longer values are shortened in a list.
const MAX_SHOWN: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_are_shown_as_they_are_read() {
        for (bytes, shown) in [
            (&b"192.0.2.1/ann"[..], "192.0.2.1/ann"),
            (b"", ""),
            ("gr\u{fc}n".as_bytes(), "gr\u{fc}n"),
            (b"a\nb", "hex:610a62"),
            (b"\xff\x00", "hex:ff00"),
            (b"hex:00", "hex:6865783a3030"),
        ] {
            assert_eq!(text(bytes), shown);
            assert_eq!(octets(shown).unwrap(), bytes);
        }
        assert_eq!(octets("hex:FF").unwrap(), [0xff]);
        assert!(octets("hex:0").unwrap_err().message.contains("pairs"));
        assert_eq!(shortened("\u{fc}".repeat(61).as_bytes()), format!("{}...", "\u{fc}".repeat(60)));
    }
}
