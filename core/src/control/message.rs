//! What is said on the control socket.

use super::{
    explain::Explanation,
    status::{Blocked, SessionList},
    Status,
};
use crate::reload::shape::Shape;
use dovetail_abi::{
    operations_v1::{FieldValue, Report, Table},
    Secret,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;

/// The version of these messages; a client and a server of different versions say so instead of guessing.
pub const VERSION: u32 = 2;
/// A request longer than this is refused; files are sent whole.
pub const MAX_REQUEST: usize = 32 << 20;

/// One request.
#[derive(Debug, Serialize, Deserialize)]
pub struct Request {
    /// [`VERSION`].
    pub version: u32,
    /// What is wanted.
    pub call: Call,
}

/// What can be wanted.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// How the server is.
    Status,
    /// Which sessions are open.
    Sessions,
    /// Which addresses are shut out for failed logins.
    Blocked,
    /// Let an address in again.
    Unblock {
        /// The address; of IPv6 any one of the /64.
        address: IpAddr,
    },
    /// Read the config again.
    Reload,
    /// Start an instance anew.
    Restart {
        /// The instance.
        instance: String,
    },
    /// Swap the library of an instance.
    Swap {
        /// The instance, or its plugin's id if there is only one of that.
        id: String,
        /// The file that is to be its library; without one it is the config's again.
        file: Option<PathBuf>,
    },
    /// What the server consists of, to be compared with a config.
    Shape,
    /// What a client gets that speaks TLS.
    ExplainTls {
        /// To this listener,
        listener: String,
        /// and asks for this server name.
        server_name: Option<String>,
    },
    /// An operation of a plugin.
    Operation {
        /// The word of the plugin's operations, or
        command: String,
        /// the instance, where several offer it.
        instance: Option<String>,
        /// The operation.
        operation: String,
        /// Its values.
        values: Vec<Value>,
    },
}

/// A field's value; bytes travel as base64.
#[derive(Serialize, Deserialize)]
pub struct Value {
    /// The field.
    pub name: String,
    /// Its text.
    pub text: String,
    /// A file's bytes or a secret.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "base64")]
    pub bytes: Option<Vec<u8>>,
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Bytes may be a key or a password.
        write!(f, "Value({})", self.name)
    }
}

impl From<FieldValue> for Value {
    fn from(value: FieldValue) -> Self {
        Value { name: value.name, text: value.text, bytes: value.bytes.map(|bytes| bytes.expose().to_vec()) }
    }
}

impl From<Value> for FieldValue {
    fn from(value: Value) -> Self {
        FieldValue { name: value.name, text: value.text, bytes: value.bytes.map(Secret::new) }
    }
}

/// One line of the answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It goes on.
    Step(String),
    /// It was refused or failed.
    Failed(String),
    /// An operation was refused for want of a secret.
    Wanting(Refusal),
    /// To `status`.
    Status(Box<Status>),
    /// To `sessions`.
    Sessions(Box<SessionList>),
    /// To `blocked`.
    Blocked(Box<Blocked>),
    /// To `unblock`: whether it was shut out.
    Unblocked(bool),
    /// To `shape`.
    Shape(Box<Running>),
    /// To `explain_tls`.
    ExplainTls(Box<Explanation>),
    /// To an operation, and to `reload`.
    Report(Box<ReportMessage>),
}

/// Why an operation was refused or failed.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Refusal {
    /// The reason.
    pub message: String,
    /// The secret field without whose value it can't be done; empty: none.
    pub ask: String,
}

impl From<String> for Refusal {
    fn from(message: String) -> Self {
        Refusal { message, ask: String::new() }
    }
}

/// What runs.
#[derive(Debug, Serialize, Deserialize)]
pub struct Running {
    /// The server's parts.
    pub shape: Shape,
    /// The plugins of which a replaced or removed instance has not ended yet.
    pub leaving: BTreeSet<String>,
}

/// A [`Report`] as it is said.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReportMessage {
    lines: Vec<String>,
    table: Option<(Vec<String>, Vec<Vec<String>>)>,
    warnings: Vec<String>,
    json: String,
    exit: u32,
}

impl From<Report> for ReportMessage {
    fn from(report: Report) -> Self {
        ReportMessage {
            lines: report.lines,
            table: report.table.map(|table| (table.columns, table.rows)),
            warnings: report.warnings,
            json: report.json,
            exit: report.exit,
        }
    }
}

impl From<ReportMessage> for Report {
    fn from(message: ReportMessage) -> Self {
        Report {
            lines: message.lines,
            table: message.table.map(|(columns, rows)| Table { columns, rows }),
            warnings: message.warnings,
            json: message.json,
            exit: message.exit,
        }
    }
}

mod base64 {
    use data_encoding::BASE64;
    use serde::{de::Error, Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &Option<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
        match bytes {
            Some(bytes) => serializer.serialize_some(&BASE64.encode(bytes)),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
        let text: Option<String> = Option::deserialize(deserializer)?;
        text.map(|text| BASE64.decode(text.as_bytes()).map_err(|_| D::Error::custom("bad base64"))).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_travel_and_stay_out_of_debug() {
        let value = Value { name: "password".into(), text: String::new(), bytes: Some(b"hunter2".to_vec()) };
        assert!(!format!("{value:?}").contains("hunter2"));
        let back: Value = serde_json::from_str(&serde_json::to_string(&value).unwrap()).unwrap();
        assert_eq!(back.bytes.as_deref(), Some(b"hunter2".as_slice()));
        let none: Value = serde_json::from_str(r#"{"name":"a","text":"b"}"#).unwrap();
        assert!(none.bytes.is_none());
    }
}
