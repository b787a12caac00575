//! The files that a record points to: their contents, and how they look from outside.
//!
//! Bounds: [`MAX_FILES`] files of a folder, each as large as any import.

use std::io;
use std::path::{Path, PathBuf};

use super::record::Record;
use crate::elsewhere::Source;
use crate::folder::FileStamp;
use crate::input::{Input, InputError};

/// The most files of a followed folder.
const MAX_FILES: usize = 64;
/// What files with certificates and keys are called.
const ENDINGS: [&str; 7] = ["pem", "crt", "cer", "cert", "key", "pfx", "p12"];

/// Why the files can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// A file.
    #[error("{0}; the server reads what it follows as the user that it runs as")]
    Input(#[from] InputError),
    /// A folder.
    #[error("can't read {}: {source}; the server reads what it follows as the user that it runs as", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Too many.
    #[error("more than {MAX_FILES} files in {}: follow the file with the certificate, with --key", path.display())]
    TooMany {
        /// The folder.
        path: PathBuf,
    },
}

/// What the files look like: as long as it is the same, so are they.
pub(super) type Stamps = Vec<(PathBuf, Option<FileStamp>)>;

/// How the files look now.
pub(super) fn stamps(record: &Record) -> Result<Stamps, SourceError> {
    let stamp = |path: PathBuf| {
        let stamp = FileStamp::of(&path);
        (path, stamp)
    };
    Ok(paths(record)?.into_iter().map(stamp).collect())
}

/// Reads the files.
pub(super) fn read(record: &Record) -> Result<Vec<Source>, SourceError> {
    let mut sources = Vec::new();
    let named = |path: &PathBuf| *path == record.path || record.key.as_ref() == Some(path);
    for path in paths(record)? {
        match Input::read(&path) {
            Ok(input) => sources.push(Source { path, bytes: input.bytes }),
            // Half written: the pair in the rest may be complete without it.
            Err(InputError::Empty { .. }) if !named(&path) => {}
            // A link that leads nowhere, perhaps for a moment.
            Err(InputError::Unreadable { source, .. }) if source.kind() == io::ErrorKind::NotFound && !named(&path) => {
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(sources)
}

fn paths(record: &Record) -> Result<Vec<PathBuf>, SourceError> {
    let key = record.key.clone();
    if !record.path.is_dir() {
        return Ok(std::iter::once(record.path.clone()).chain(key).collect());
    }
    let failed = |source| SourceError::Io { path: record.path.clone(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(&record.path).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if is_ours(&path) && !path.is_dir() {
            paths.push(path);
        }
        if paths.len() > MAX_FILES {
            return Err(SourceError::TooMany { path: record.path.clone() });
        }
    }
    paths.extend(key);
    paths.sort();
    paths.dedup();
    Ok(paths)
}

fn is_ours(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    ENDINGS.contains(&ending.as_str())
}
