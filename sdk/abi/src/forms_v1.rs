//! `dovetail.operations.form/1`: what a plugin says while somebody fills in the form of one of its operations.
//!
//! A face that talks with a person (a terminal, later a web form) asks for the fields with [`Field::ask`], in their order. It
//! asks the plugin's library what to suggest for each, and what is wrong with an answer, as soon as it is given. Like the
//! operations' descriptions this needs no instance, and touches nothing.
//!
//! [`Field::ask`]: crate::operations_v1::Field::ask

use crate::{operations_v1::FieldValue, wire_struct, CallFailure};

wire_struct! {
    /// A form as far as it is filled in.
    #[derive(Debug, Clone)]
    pub struct Form => FormAbi {
        /// The operation.
        pub operation: String,
        /// The field that is meant; empty: the form as a whole, before it is sent.
        pub field: String,
        /// The answers so far; of a field that may be given several times, each.
        pub values: Vec<FieldValue>,
        /// The host name of the server that is meant, or of this machine; empty: unknown.
        pub hostname: String,
    }
}

wire_struct! {
    /// What a plugin says about an answer.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Remark => RemarkAbi {
        /// The field that should be asked for again; empty: the form as a whole.
        pub field: String,
        /// What is wrong, and what to do.
        pub text: String,
        /// Whether the answer can't be taken. Else it is something to know.
        pub refused: bool,
    }
}

impl Remark {
    /// The answer to `field` can't be taken.
    pub fn refuse(field: &str, text: impl std::fmt::Display) -> Self {
        Remark { field: field.to_owned(), text: text.to_string(), refused: true }
    }

    /// The answer to `field` is taken, and there is something to know.
    pub fn note(field: &str, text: impl std::fmt::Display) -> Self {
        Remark { field: field.to_owned(), text: text.to_string(), refused: false }
    }
}

crate::interface! {
    /// The forms of a plugin's operations; asked of the library, before there is an instance.
    pub interface OperationForm, provider OperationFormProvider, table OperationFormVt = "dovetail.operations.form/1" {
        /// What an empty answer to the form's field would mean, by the answers before it.
        now fn suggest(form: Form) -> Result<Option<String>, CallFailure>;
        /// What is to be said about the answers to the form's field, or about all of them together.
        now fn check(form: Form) -> Result<Vec<Remark>, CallFailure>;
    }
}
