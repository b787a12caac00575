//! The values that an operation is called with, as the command line gives them. Files and secrets are read here, as the caller.

use super::{folder, hidden};
use clap::ArgMatches;
use dovetail_abi::{
    operations_v1::{Field, FieldKind, FieldValue, Operation},
    Secret,
};
use std::{
    ffi::OsString,
    fs::FileType,
    io::{IsTerminal, Read},
    os::unix::{ffi::OsStringExt as _, fs::FileTypeExt as _},
    path::{Path, PathBuf},
};

/// A file that is given to an operation is at most this long.
pub(super) const MAX_FILE: u64 = 8 << 20;
/// A secret read from a file is at most this long.
const MAX_SECRET: u64 = 4096;

/// Reads the fields' values; files and secrets are read here.
pub fn values(operation: &Operation, matches: &ArgMatches) -> Result<Vec<FieldValue>, String> {
    let mut values = Vec::new();
    for field in &operation.fields {
        let text = |text: String| FieldValue { name: field.name.clone(), text, bytes: None };
        match field.kind {
            FieldKind::Flag => {
                if matches.get_flag(&field.name) {
                    values.push(text("true".into()));
                }
            }
            FieldKind::Number => {
                let given = matches.get_many::<i64>(&field.name).into_iter().flatten();
                values.extend(given.map(|number| text(number.to_string())));
            }
            FieldKind::Path | FieldKind::File | FieldKind::Directory | FieldKind::Place => {
                for path in matches.get_many::<PathBuf>(&field.name).into_iter().flatten() {
                    values.extend(of_path(field, path)?);
                }
            }
            FieldKind::Secret => {
                if let Some(secret) = secret(field, matches.get_one::<PathBuf>(&field.name).map(PathBuf::as_path))? {
                    values.push(FieldValue { bytes: Some(secret), ..text(String::new()) });
                }
            }
            _ => {
                let given = matches.get_many::<String>(&field.name).into_iter().flatten();
                values.extend(given.map(|given| text(given.clone())));
            }
        }
    }
    Ok(values)
}

/// The values of a field that takes a path: the path itself, a file's bytes, or all files of a folder.
pub(super) fn of_path(field: &Field, path: &Path) -> Result<Vec<FieldValue>, String> {
    let value = |text: String, bytes| vec![FieldValue { name: field.name.clone(), text, bytes }];
    match field.kind {
        FieldKind::Path => folder::values(field, path),
        FieldKind::File => {
            let bytes = Secret::new(read_file(path, MAX_FILE)?);
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Ok(value(name, Some(bytes)))
        }
        _ => {
            let path = std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok(value(path.to_string_lossy().into_owned(), None))
        }
    }
}

/// Reads a regular file.
pub(super) fn read_file(path: &Path, max: u64) -> Result<Vec<u8>, String> {
    let shown = path.display();
    let metadata = std::fs::metadata(path).map_err(|error| format!("{shown}: {error}"))?;
    if !metadata.is_file() {
        return Err(format!("{shown} is {}: name a regular file", kind_of(metadata.file_type())));
    }
    if metadata.len() > max {
        return Err(format!("{shown} is {} bytes long; {max} is the limit", metadata.len()));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| format!("{shown}: {error}"))?;
    file.take(max + 1).read_to_end(&mut bytes).map_err(|error| format!("{shown}: {error}"))?;
    // It may have grown, and some say nothing of their length.
    if bytes.len() as u64 > max {
        return Err(format!("{shown} has more than {max} bytes, which is the limit"));
    }
    Ok(bytes)
}

fn kind_of(kind: FileType) -> &'static str {
    match kind {
        kind if kind.is_dir() => "a directory",
        kind if kind.is_fifo() => "a FIFO",
        kind if kind.is_socket() => "a socket",
        _ => "a device",
    }
}

fn read_stdin(max: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(max + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("standard input: {error}"))?;
    if bytes.len() as u64 > max {
        return Err(format!("standard input has more than {max} bytes, which is the limit"));
    }
    Ok(bytes)
}

/// The secret field that an operation found it needs, if somebody is there to be asked and hasn't been.
pub(super) fn wanted<'a>(operation: &'a Operation, ask: &str, values: &[FieldValue]) -> Option<&'a Field> {
    let field = operation.fields.iter().find(|field| field.kind == FieldKind::Secret && field.name == ask)?;
    let given = values.iter().any(|value| value.name == field.name);
    (!given && std::io::stdin().is_terminal()).then_some(field)
}

/// Asks for a secret that exists already: once, because a mistake shows.
pub(super) fn ask_for(field: &Field) -> Result<FieldValue, String> {
    let secret = prompt(field, &format!("{}: ", field.name))?;
    Ok(FieldValue { name: field.name.clone(), text: String::new(), bytes: Some(secret.into()) })
}

fn prompt(field: &Field, prompt: &str) -> Result<String, String> {
    hidden::ask(prompt).map_err(|error| format!("cannot read the {}: {error}", field.name))
}

/// Adds the secrets that the environment has, of those that open something existing. What is given otherwise goes first.
pub(super) fn add_from_environment(
    word: &str,
    operation: &Operation,
    values: &mut Vec<FieldValue>,
    environment: impl Fn(&str) -> Option<OsString>,
) -> Result<(), String> {
    for field in operation.fields.iter().filter(|field| is_in_environment(field)) {
        if values.iter().any(|value| value.name == field.name) {
            continue;
        }
        let variable = variable(word, field);
        let Some(secret) = environment(&variable) else { continue };
        if secret.len() as u64 > MAX_SECRET {
            return Err(format!("{variable} is {} bytes long; {MAX_SECRET} is the limit", secret.len()));
        }
        let secret = Secret::new(secret.into_vec());
        values.push(FieldValue { name: field.name.clone(), text: String::new(), bytes: Some(secret) });
    }
    Ok(())
}

/// Whether a field's value is looked for in the environment: secrets that open something existing. New passwords aren't.
fn is_in_environment(field: &Field) -> bool {
    field.kind == FieldKind::Secret && !field.prompt
}

/// The environment's variable for a secret.
pub(super) fn variable(word: &str, field: &Field) -> String {
    format!("DOVETAIL_{word}_{}", field.name).to_uppercase().replace('-', "_")
}

/// A secret: from the file, else from a prompt, where the field wants one and somebody is there.
pub(super) fn secret(field: &Field, file: Option<&Path>) -> Result<Option<Secret>, String> {
    if let Some(path) = file {
        let mut bytes = if path == Path::new("-") { read_stdin(MAX_SECRET)? } else { read_file(path, MAX_SECRET)? };
        // Editors end files with a newline; passwords don't.
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
            if bytes.last() == Some(&b'\r') {
                bytes.pop();
            }
        }
        return Ok(Some(Secret::new(bytes)));
    }
    if !field.prompt {
        return Ok(None);
    }
    if !std::io::stdin().is_terminal() {
        return Err(format!(
            "give the {} with --{}-file FILE (it is asked for on a terminal only)",
            field.name, field.name
        ));
    }
    let first = prompt(field, &format!("{}: ", field.name))?;
    if prompt(field, &format!("{} again: ", field.name))? != first {
        return Err(format!("the two {}s differ; nothing was changed", field.name));
    }
    Ok(Some(first.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_longer_than_it_says_is_not_cut() {
        let path = Path::new("/proc/self/status");
        assert_eq!(std::fs::metadata(path).unwrap().len(), 0);
        assert!(read_file(path, MAX_FILE).unwrap().starts_with(b"Name:"));
        assert_eq!(read_file(path, 5).unwrap_err(), "/proc/self/status has more than 5 bytes, which is the limit");
    }

    #[test]
    fn secrets_beside_a_form_are_in_the_environment_too() {
        let operation = Operation::new("move", "")
            .field(Field::new("town", FieldKind::Text, "").asked("Town"))
            .field(Field::new("safe", FieldKind::Secret, "").asked("Safe"))
            .field(Field::new("door", FieldKind::Secret, ""));
        let environment = |variable: &str| match variable {
            "DOVETAIL_HOUSE_SAFE" => Some("12-34".into()),
            "DOVETAIL_HOUSE_DOOR" => Some("sesame".into()),
            _ => None,
        };
        let mut values = Vec::new();
        add_from_environment("house", &super::super::form::beside(&operation), &mut values, environment).unwrap();
        let [only] = values.as_slice() else { panic!("{values:?}") };
        assert_eq!((only.name.as_str(), only.bytes.as_ref().unwrap().expose()), ("door", b"sesame".as_slice()));
    }
}
