//! The certificate folder as it lies on the disk: `NAME.key`, `NAME.crt`, `NAME.csr`, and nothing hidden.
//!
//! Reading never blocks on what isn't a regular file and never follows more than [`MAX_PAIRS`] names. A pair
//! that changes while it is read is read again.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::import::contents;
use crate::input::{Input, InputError};
use crate::key::{KeyError, PrivateKey};
use crate::name::CertName;

/// The most pairs in one folder.
pub const MAX_PAIRS: usize = 65_536;

/// The paths of a pair.
#[derive(Debug, Clone)]
pub struct PairFiles {
    /// The private key.
    pub key: PathBuf,
    /// The certificate and its chain.
    pub crt: PathBuf,
    /// The signing request.
    pub csr: PathBuf,
}

impl PairFiles {
    /// Where the pair `name` is in `folder`.
    pub fn of(folder: &Path, name: &CertName) -> Self {
        let file = |ext: &str| folder.join(format!("{name}.{ext}"));
        Self { key: file("key"), crt: file("crt"), csr: file("csr") }
    }

    /// What both files look like now, to see whether they change.
    pub fn stamp(&self) -> Stamp {
        Stamp { key: FileStamp::of(&self.key), crt: FileStamp::of(&self.crt) }
    }
}

/// Device, inode, size and time of a pair's files: as long as it is the same, so are they.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    key: Option<FileStamp>,
    crt: Option<FileStamp>,
}

/// The same of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStamp {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl FileStamp {
    /// What the file looks like now; `None` if it isn't there.
    pub fn of(path: &Path) -> Option<Self> {
        let meta = path.metadata().ok()?;
        Some(Self {
            device: meta.dev(),
            inode: meta.ino(),
            size: meta.size(),
            // Change time, not modification time: `cp -p` and `touch` can't set it back.
            changed: (meta.ctime(), meta.ctime_nsec()),
        })
    }
}

/// Every certificate in the folder that has a usable name, with its files' stamp. A folder that doesn't exist
/// is empty.
pub fn scan(folder: &Path) -> Result<BTreeMap<CertName, Stamp>, FolderError> {
    let failed = |source| FolderError::Unreadable { folder: folder.to_owned(), source };
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        entries => entries.map_err(failed)?,
    };
    let mut pairs = BTreeMap::new();
    for entry in entries {
        let file_name = entry.map_err(failed)?.file_name();
        let stem = file_name.to_str().and_then(|name| name.strip_suffix(".crt"));
        let Some(name) = stem.and_then(|stem| CertName::new(stem).ok()) else {
            continue;
        };
        if pairs.len() == MAX_PAIRS {
            return Err(FolderError::TooMany { folder: folder.to_owned() });
        }
        let stamp = PairFiles::of(folder, &name).stamp();
        pairs.insert(name, stamp);
    }
    Ok(pairs)
}

/// The names that have a key, whether or not they have a certificate.
pub fn keys(folder: &Path) -> Result<Vec<CertName>, FolderError> {
    let failed = |source| FolderError::Unreadable { folder: folder.to_owned(), source };
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut names = Vec::new();
    for entry in entries.take(3 * MAX_PAIRS) {
        let file_name = entry.map_err(failed)?.file_name();
        let stem = file_name.to_str().and_then(|name| name.strip_suffix(".key"));
        names.extend(stem.and_then(|stem| CertName::new(stem).ok()));
    }
    names.sort();
    Ok(names)
}

/// The key in a file of the folder, which is never encrypted there.
pub fn key_in(path: &Path) -> Result<PrivateKey, InputOrKeyError> {
    let input = Input::read(path)?;
    contents::only_key(&input)
}

/// Why a key file of the folder can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputOrKeyError {
    /// The file.
    #[error(transparent)]
    Input(#[from] InputError),
    /// What is in it.
    #[error("{origin}: {reason}")]
    Key {
        /// The file.
        origin: String,
        /// What is wrong.
        reason: KeyError,
    },
    /// There is something else in it.
    #[error("{origin} has no private key in it")]
    NoKey {
        /// The file.
        origin: String,
    },
}

/// Why the folder can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// The system wouldn't list it.
    #[error("can't read the certificate folder {}: {source}", folder.display())]
    Unreadable {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// More than [`MAX_PAIRS`].
    #[error("more than {MAX_PAIRS} certificates in {}: move those away that aren't served", folder.display())]
    TooMany {
        /// The folder.
        folder: PathBuf,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_certificates_and_keys_with_usable_names() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b.crt", "a.crt", "a.key", "c.key", ".hidden.crt", "x y.crt", "a.csr", "crt"] {
            std::fs::write(dir.path().join(name), name).unwrap();
        }
        let found: Vec<String> = scan(dir.path()).unwrap().keys().map(|n| n.to_string()).collect();
        assert_eq!(found, ["a", "b"]);
        let found: Vec<String> = keys(dir.path()).unwrap().iter().map(|n| n.to_string()).collect();
        assert_eq!(found, ["a", "c"]);
    }

    #[test]
    fn no_folder_is_an_empty_one_and_a_file_is_none() {
        let dir = tempfile::tempdir().unwrap();
        assert!(scan(&dir.path().join("none")).unwrap().is_empty());
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(scan(&file).unwrap_err().to_string().contains("can't read"));
    }

    #[test]
    fn a_stamp_changes_with_each_file() {
        let dir = tempfile::tempdir().unwrap();
        let files = PairFiles::of(dir.path(), &CertName::new("a").unwrap());
        let mut stamps = vec![files.stamp()];
        std::fs::write(&files.crt, "1").unwrap();
        stamps.push(files.stamp());
        std::fs::write(&files.key, "1").unwrap();
        stamps.push(files.stamp());
        std::fs::write(&files.key, "12").unwrap();
        stamps.push(files.stamp());
        std::fs::rename(&files.key, &files.crt).unwrap();
        stamps.push(files.stamp());
        for pair in stamps.windows(2) {
            assert_ne!(pair[0], pair[1]);
        }
        assert_eq!(stamps[4], files.stamp());
    }
}
