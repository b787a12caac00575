//! `NAME.follow`: which files a pair is kept in step with.
//!
//! JSON: `path`, absolute, a folder or a file; `key`, absolute, if the private key is in a file of its own. Written whole or
//! not at all, under the folder's lock; what a kill leaves of it is removed by the next publication. Bounds: [`MAX_RECORD`]
//! bytes, [`MAX_RECORDS`] of them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::input::{Input, InputError};
use crate::name::CertName;
use crate::publish::{lock, PublishError, STAGED_RECORD};

/// The largest record.
const MAX_RECORD: usize = 16 * 1024;
/// The most records in one folder.
const MAX_RECORDS: usize = 1024;

/// What is followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The folder with the pair, or the file with the certificate, perhaps with its key.
    pub path: PathBuf,
    /// The file with the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
}

/// Why records can't be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The file system said no.
    #[error("can't use {}: {source}", path.display())]
    Io {
        /// The record.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Not a record.
    #[error(
        "{} doesn't say what to follow: {reason} (stop following with `dovetail certs follow --stop`, then begin again)",
        path.display()
    )]
    Damaged {
        /// The record.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Somebody else is changing the folder.
    #[error(transparent)]
    Locked(#[from] PublishError),
    /// Too many.
    #[error("more than {MAX_RECORDS} pairs are followed in {}", folder.display())]
    TooMany {
        /// The folder.
        folder: PathBuf,
    },
}

impl Record {
    /// Reads a pair's record.
    pub fn read(folder: &Path, name: &CertName) -> Result<Self, RecordError> {
        let path = file(folder, name);
        let damaged = |reason: String| RecordError::Damaged { path: path.clone(), reason };
        let input = Input::read(&path).map_err(|error| match error {
            InputError::Unreadable { source, .. } => RecordError::Io { path: path.clone(), source },
            other => damaged(other.to_string()),
        })?;
        if input.bytes.len() > MAX_RECORD {
            return Err(damaged("it is too long".to_owned()));
        }
        let record: Self = serde_json::from_slice(&input.bytes).map_err(|error| damaged(error.to_string()))?;
        if record.path.is_relative() || record.key.as_ref().is_some_and(|key| key.is_relative()) {
            return Err(damaged("its paths aren't absolute".to_owned()));
        }
        Ok(record)
    }

    /// Writes a pair's record in the place of an older one.
    pub fn write(&self, folder: &Path, name: &CertName) -> Result<(), RecordError> {
        let path = file(folder, name);
        let staged = folder.join(format!("{STAGED_RECORD}{name}"));
        let failed = |source| RecordError::Io { path: path.clone(), source };
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| RecordError::Damaged { path: path.clone(), reason: error.to_string() })?;
        let _lock = lock(folder)?;
        // Left by somebody who was killed in between.
        match fs::remove_file(&staged) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let written = (|| {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&staged)?;
            file.write_all(text.as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            fs::rename(&staged, &path)?;
            File::open(folder)?.sync_all()
        })();
        written.map_err(|error| {
            // The next publication removes it otherwise.
            let _ = fs::remove_file(&staged);
            failed(error)
        })
    }

    /// Removes a pair's record: whether there was one.
    pub fn remove(folder: &Path, name: &CertName) -> Result<bool, RecordError> {
        let path = file(folder, name);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(RecordError::Io { path, source }),
        }
    }
}

/// The names that have a record, in order.
pub fn names(folder: &Path) -> Result<Vec<CertName>, RecordError> {
    let failed = |source| RecordError::Io { path: folder.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let file_name = entry.map_err(failed)?.file_name();
        let stem = file_name.to_str().and_then(|name| name.strip_suffix(".follow"));
        names.extend(stem.and_then(|stem| CertName::new(stem).ok()));
        if names.len() > MAX_RECORDS {
            return Err(RecordError::TooMany { folder: folder.to_owned() });
        }
    }
    names.sort();
    Ok(names)
}

fn file(folder: &Path, name: &CertName) -> PathBuf {
    folder.join(format!("{name}.follow"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> CertName {
        CertName::new("mail").unwrap()
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let mut record = Record { path: "/etc/letsencrypt/live/mail".into(), key: None };
        assert_eq!(names(dir.path()).unwrap(), []);
        for key in [None, Some("/key".into())] {
            record.key = key;
            std::fs::write(dir.path().join(".follow-mail"), "left behind").unwrap();
            record.write(dir.path(), &name()).unwrap();
            assert_eq!(Record::read(dir.path(), &name()).unwrap(), record);
        }
        assert_eq!(names(dir.path()).unwrap(), [name()]);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "the record and the lock");
        assert!(Record::remove(dir.path(), &name()).unwrap());
        assert!(!Record::remove(dir.path(), &name()).unwrap());
    }

    #[test]
    fn what_is_no_record_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let long = format!(r#"{{"path": "/{}"}}"#, "x".repeat(MAX_RECORD));
        for text in ["", "{}", r#"{"path": "a"}"#, r#"{"path": "/a", "key": "b"}"#, r#"{"path": "/a", "x": 1}"#, &long]
        {
            std::fs::write(dir.path().join("mail.follow"), text).unwrap();
            assert!(Record::read(dir.path(), &name()).is_err(), "{text}");
        }
    }
}
