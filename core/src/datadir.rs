//! The data directory: made, locked, and the places in it that core uses.
//!
//! The lock is held for the life of the process by `flock` on `<data-dir>/lock`, so that a second server, or an operation
//! that needs the files for itself, is refused in one line.

use rustix::fs::{flock, FlockOperation};
use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// A locked data directory.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataDirError {
    /// Another process holds it.
    #[error("the data directory {path} is in use by process {holder} (stop that server, or give another --data-dir)")]
    InUse {
        /// The directory.
        path: String,
        /// The process, or "another".
        holder: String,
    },
    /// It cannot be made or opened.
    #[error("cannot use the data directory {path}: {source} (check that it belongs to the server's user)")]
    Io {
        /// The directory or the file in it.
        path: String,
        /// The cause.
        source: io::Error,
    },
}

impl DataDir {
    /// Makes the directory if need be (mode 0700) and locks it.
    ///
    /// # Errors
    /// If it is in use or cannot be used.
    pub fn lock(path: &Path) -> Result<DataDir, DataDirError> {
        let fail = |path: &Path| {
            let path = path.display().to_string();
            move |source: io::Error| DataDirError::Io { path, source }
        };
        let run = path.join("run");
        DirBuilder::new().recursive(true).mode(0o700).create(&run).map_err(fail(&run))?;
        let lock_path = path.join("lock");
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&lock_path)
            .map_err(fail(&lock_path))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut holder = String::new();
                // Whoever holds the lock wrote its process id; if that cannot be read, the sentence does without.
                let _ = (&lock).take(20).read_to_string(&mut holder);
                let holder = holder.trim();
                return Err(DataDirError::InUse {
                    path: path.display().to_string(),
                    holder: if holder.is_empty() { "another".into() } else { holder.into() },
                });
            }
            Err(errno) => return Err(fail(&lock_path)(errno.into())),
        }
        lock.set_len(0).map_err(fail(&lock_path))?;
        lock.rewind().map_err(fail(&lock_path))?;
        writeln!(lock, "{}", std::process::id()).map_err(fail(&lock_path))?;
        Ok(DataDir { path: path.to_owned(), _lock: lock })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the private copies of plugin libraries are.
    pub fn libraries(&self) -> PathBuf {
        self.path.join("run/plugins")
    }
}

/// Where a server with this data directory listens for administrators.
pub fn control_socket(data_dir: &Path) -> PathBuf {
    data_dir.join("run/control")
}

/// Where a server notes which config it runs with, so that `--data-dir` is enough to find it.
pub fn config_note(data_dir: &Path) -> PathBuf {
    data_dir.join("run/config")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_lock_is_refused_and_names_the_holder() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataDir::lock(dir.path()).unwrap();
        let error = DataDir::lock(dir.path()).unwrap_err().to_string();
        assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
        drop(first);
        DataDir::lock(dir.path()).unwrap();
    }
}
