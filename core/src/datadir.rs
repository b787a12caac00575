//! The data directory: made, locked, and the places in it that core uses.
//!
//! The lock is held for the life of the process by `flock` on `<data-dir>/lock`, so that a second server, or an operation
//! that needs the files for itself, is refused in one line.

use rustix::fs::{flock, FlockOperation, OFlags};
use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
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
    /// It is somebody else's.
    #[error("{path} belongs to user {owner}, not to user {us} who runs this; run the command as the server's user, or give the directory to it (chown)")]
    Foreign {
        /// The directory, or `run` in it.
        path: String,
        /// Its owner.
        owner: u32,
        /// Who we are.
        us: u32,
    },
    /// Others could put files there that this server would run or believe.
    #[error("{path} can be written by others (mode {mode:o}), so they could run code in this server; take it from them (chmod go-w)")]
    Writable {
        /// The directory, or `run` in it.
        path: String,
        /// Its mode.
        mode: u32,
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
    /// If it is in use, cannot be used, or is open to others.
    pub fn lock(path: &Path) -> Result<DataDir, DataDirError> {
        let fail = |path: &Path| {
            let path = path.display().to_string();
            move |source: io::Error| DataDirError::Io { path, source }
        };
        let run = path.join("run");
        // What is there already before anything is made in it; what was made, in case somebody was faster.
        check_own(path)?;
        DirBuilder::new().recursive(true).mode(0o700).create(&run).map_err(fail(&run))?;
        check_own(path)?;
        check_own(&run)?;
        let lock_path = path.join("lock");
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
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

/// Checks that a directory, if it is there, is ours alone.
fn check_own(path: &Path) -> Result<(), DataDirError> {
    let shown = path.display().to_string();
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(DataDirError::Io { path: shown, source }),
    };
    let (owner, us, mode) = (metadata.uid(), rustix::process::geteuid().as_raw(), metadata.mode() & 0o7777);
    if owner != us {
        return Err(DataDirError::Foreign { path: shown, owner, us });
    }
    if mode & 0o022 != 0 {
        return Err(DataDirError::Writable { path: shown, mode });
    }
    Ok(())
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
    fn a_directory_that_others_can_write_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let mode = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        let refused = || DataDir::lock(dir.path()).unwrap_err().to_string();
        mode(dir.path(), 0o777);
        assert!(refused().contains("can be written by others (mode 777)"), "{}", refused());
        assert!(!dir.path().join("run").exists());
        mode(dir.path(), 0o755);
        drop(DataDir::lock(dir.path()).unwrap());
        mode(&dir.path().join("run"), 0o770);
        assert!(refused().contains("run can be written by others (mode 770)"), "{}", refused());
    }

    #[test]
    fn a_lock_that_is_a_link_is_refused_and_what_it_names_is_untouched() {
        let dir = tempfile::tempdir().unwrap();
        let victim = dir.path().join("victim");
        std::fs::write(&victim, "mine").unwrap();
        std::os::unix::fs::symlink(&victim, dir.path().join("lock")).unwrap();
        DataDir::lock(dir.path()).unwrap_err();
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "mine");
    }

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
