//! The accounts file on disk: read whole, replaced whole.
//!
//! A new version is written beside the old one, synced, renamed over it, and the folder is synced: after a power cut there is
//! the old file or the new one. **Fails** with a [`FileError`] that names the file; the old file stands then, unless the folder alone
//! could not be synced. **Bounds**: 16 MiB.

use crate::{
    content::{Content, Mistake},
    misfit::BookError,
};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{fchown, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// By what a changed file is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// A file that was read.
#[derive(Debug)]
pub struct Loaded {
    /// What it says.
    pub content: Content,
    /// Its text.
    pub text: String,
    /// Which version it is.
    pub stamp: Stamp,
    /// Whether strangers on this machine may read it.
    pub exposed: bool,
}

/// Why the file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is not there.
    #[error("{0} does not exist")]
    Missing(PathBuf),
    /// The system said no.
    #[error("{path} cannot be {action}: {error} (check the disk, and who may read and write the file)")]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        error: io::Error,
    },
    /// It became another one while it was being changed.
    #[error("{0} was changed by somebody else at the same moment; try again")]
    Changed(PathBuf),
    /// Larger than any accounts file should be.
    #[error("{0} is larger than {MAX_SIZE} bytes; this directory is made for fewer accounts")]
    TooBig(PathBuf),
    /// A mistake in its text.
    #[error("{path}:{line}:{column}: {message}", line = .mistake.line, column = .mistake.column, message = .mistake.message)]
    Mistake {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        mistake: Mistake,
    },
    /// It does not fit together.
    #[error("{path}: {error}")]
    Book {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        error: BookError,
    },
}

/// Which version stands there now; nothing if the file is missing.
///
/// # Errors
/// If the system does not tell.
pub fn stamp(path: &Path) -> Result<Option<Stamp>, FileError> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(Stamp::of(&metadata))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(path, "looked at")(error)),
    }
}

/// Reads the file.
///
/// # Errors
/// See [`FileError`].
pub fn read(path: &Path) -> Result<Loaded, FileError> {
    let file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => FileError::Missing(path.to_owned()),
        _ => failed(path, "opened")(error),
    })?;
    // Taken before reading, so that a change while we read is seen at the next look.
    let metadata = file.metadata().map_err(failed(path, "looked at"))?;
    if !metadata.is_file() {
        return Err(failed(path, "read")(io::Error::other("it is not a file")));
    }
    let mut text = String::new();
    file.take(MAX_SIZE + 1).read_to_string(&mut text).map_err(failed(path, "read"))?;
    if text.len() as u64 > MAX_SIZE {
        return Err(FileError::TooBig(path.to_owned()));
    }
    let content = Content::parse(&text).map_err(|mistake| FileError::Mistake { path: path.to_owned(), mistake })?;
    let exposed = metadata.mode() & 0o007 != 0;
    Ok(Loaded { content, text, stamp: Stamp::of(&metadata), exposed })
}

/// Writes the file, and gives its stamp. A file that was there and is not just as we would have written it is kept as `.bak`.
///
/// # Errors
/// See [`FileError`]. The old file stands then, but if [`FileError::Io`] says that the new one may be gone after a power cut.
pub fn write(path: &Path, content: &Content, old: Option<&Loaded>) -> Result<Stamp, FileError> {
    let text = content.render().map_err(|error| failed(path, "written")(io::Error::other(error)))?;
    // Through a symbolic link, so that the link stays one.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if let Some(old) = old {
        let ours = old.content.render().is_ok_and(|text| text == old.text);
        if !ours {
            replace(&beside(&path, ".bak"), &old.text)?;
        }
    }
    let prepared = prepare(&path, &text)?;
    // As late as can be: between this and the next step nobody's work is lost but in an instant.
    if stamp(&path)? != old.map(|old| old.stamp) {
        prepared.give_up();
        return Err(FileError::Changed(path));
    }
    prepared.put(&path)
}

/// Puts a file with this text in the place of another, whole or not at all.
///
/// # Errors
/// [`FileError::Io`]; what was there stands then, unless it says otherwise.
pub fn replace(path: &Path, text: &str) -> Result<(), FileError> {
    prepare(path, text)?.put(path).map(drop)
}

/// A file beside the one whose place it is to take.
struct Prepared {
    temporary: PathBuf,
    folder: PathBuf,
    file: File,
}

fn prepare(path: &Path, text: &str) -> Result<Prepared, FileError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let temporary = beside(path, ".tmp");
    let write = || -> io::Result<File> {
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        keep_owner(&file, path, folder)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        Ok(file)
    };
    match write() {
        Ok(file) => Ok(Prepared { temporary, folder: folder.to_owned(), file }),
        Err(error) => {
            // It is there or not; what matters is said by the error.
            let _ = fs::remove_file(&temporary);
            Err(failed(path, "written")(error))
        }
    }
}

impl Prepared {
    /// Gives the stamp of what was put there, as it was when it was put there. A version that somebody else puts in its place, or
    /// writes into it, is to be seen as another at the next look, even while the folder is being synced.
    fn put(self, path: &Path) -> Result<Stamp, FileError> {
        let put = || {
            let written = self.file.metadata()?;
            fs::rename(&self.temporary, path)?;
            // By the rename itself only this time becomes another.
            let changed = Stamp::of(&self.file.metadata()?).changed;
            Ok(Stamp { changed, ..Stamp::of(&written) })
        };
        let stamp = put().map_err(|error| {
            self.give_up();
            failed(path, "written")(error)
        })?;
        #[cfg(test)]
        tests::meanwhile(path);
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(failed(path, NOT_FOR_CERTAIN))?;
        Ok(stamp)
    }

    fn give_up(&self) {
        // It is there or not; what matters is said by the error.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// Gives the new file to whom the old one (else the folder) belongs: root's command line must not lock the server out.
fn keep_owner(file: &File, path: &Path, folder: &Path) -> io::Result<()> {
    let model = fs::metadata(path).or_else(|_| fs::metadata(folder))?;
    let now = file.metadata()?;
    if (now.uid(), now.gid()) != (model.uid(), model.gid()) {
        // Only root may; anybody else has made a file of his own, as he would with an editor.
        let _ = fchown(file, Some(model.uid()), Some(model.gid()));
    }
    Ok(())
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn failed<'a>(path: &'a Path, action: &'static str) -> impl FnOnce(io::Error) -> FileError + 'a {
    move |error| FileError::Io { path: path.to_owned(), action, error }
}

impl Stamp {
    fn of(metadata: &fs::Metadata) -> Self {
        Stamp {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

const MAX_SIZE: u64 = 16 << 20;
/// What is tried when the folder is synced.
const NOT_FOR_CERTAIN: &str = "kept for certain (the new version is in its place, but may be gone after a power cut)";

#[cfg(test)]
#[path = "file_tests.rs"]
pub(crate) mod tests;
