//! Whether a form is shown, and what becomes of its fields where it isn't.

use clap::{parser::ValueSource, ArgMatches};
use dovetail_abi::operations_v1::{Field, FieldKind, FieldValue, Operation};

/// Whether the form is what the caller wants: it has one, and none of its fields was given.
pub fn is_wanted(operation: &Operation, matches: &ArgMatches) -> bool {
    let given = |field: &Field| matches.value_source(&field.name) == Some(ValueSource::CommandLine);
    let mut asked = operation.fields.iter().filter(|field| field.ask).peekable();
    asked.peek().is_some() && !asked.any(given)
}

/// The operation without the fields that its form asks for.
pub fn beside(operation: &Operation) -> Operation {
    let fields = operation.fields.iter().filter(|field| !field.ask).cloned().collect();
    Operation { fields, ..operation.clone() }
}

/// What to say if a field was not given that must be, where nobody can be asked.
pub fn missing(operation: &Operation, values: &[FieldValue]) -> Option<String> {
    let needed = |field: &&Field| field.ask && field.required && field.kind != FieldKind::Secret;
    let missing = operation.fields.iter().filter(needed).filter(|field| !values.iter().any(|v| v.name == field.name));
    let words: Vec<String> = missing
        .map(|field| if field.positional { field.name.to_uppercase() } else { format!("--{}", field.name) })
        .collect();
    (!words.is_empty()).then(|| format!("give {} (it is asked for on a terminal only)", words.join(" and ")))
}
