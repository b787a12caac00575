//! `dovetail.operations.files/1`: which further files the values of an operation name.
//!
//! A config file of another program names others, and only whoever knows that program knows which. The face asks the
//! library that it has loaded itself, never the server: a server without privileges can't talk somebody who has them
//! into reading files for it.

use crate::{operations_v1::FieldValue, wire_struct, CallFailure};

wire_struct! {
    /// What was given so far.
    #[derive(Debug, Clone)]
    pub struct Given => GivenAbi {
        /// The operation.
        pub operation: String,
        /// Its values.
        pub values: Vec<FieldValue>,
    }
}

crate::interface! {
    /// Knows which further files belong to what somebody names; asked of the library, without an instance.
    pub interface OperationFiles, provider OperationFilesProvider, table OperationFilesVt = "dovetail.operations.files/1" {
        /// Absolute paths of files that the values of fields of the kind `Path` name, to be read by the face and added to
        /// the same field. One that isn't there is left out by the face, with a warning.
        now fn more(given: Given) -> Result<Vec<String>, CallFailure>;
    }
}
