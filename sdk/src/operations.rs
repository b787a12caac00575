//! `dovetail.operations/1`: administrative actions that a plugin offers.

pub use dovetail_abi::forms_v1::{Form, Remark};
pub use dovetail_abi::operations_v1::{
    Field, FieldKind, FieldValue, Operation, OperationFailure, Operations, OperationsProvider, Progress, Report, Table,
};

/// Reads the values that an operation was called with. The face has checked kinds, choices and required fields.
pub trait Values {
    /// A field's text, if it was given (or has a default).
    fn text(&self, name: &str) -> Option<&str>;
    /// All texts of a field that may be given several times.
    fn texts(&self, name: &str) -> Vec<&str>;
    /// Whether a flag was given.
    fn flag(&self, name: &str) -> bool;
    /// A file's name and bytes, or a secret's bytes with an empty name.
    fn bytes(&self, name: &str) -> Option<(&str, &[u8])>;
}

impl Values for [FieldValue] {
    fn text(&self, name: &str) -> Option<&str> {
        self.iter().find(|value| value.name == name).map(|value| value.text.as_str())
    }
    fn texts(&self, name: &str) -> Vec<&str> {
        self.iter().filter(|value| value.name == name).map(|value| value.text.as_str()).collect()
    }
    fn flag(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }
    fn bytes(&self, name: &str) -> Option<(&str, &[u8])> {
        let value = self.iter().find(|value| value.name == name)?;
        value.bytes.as_ref().map(|bytes| (value.text.as_str(), bytes.expose()))
    }
}
