//! Refuses mail while there is still room to remove some.

use std::path::{Path, PathBuf};

use dovetail_mailstore::BackendError;

pub(super) struct Room {
    dir: PathBuf,
    reserve: u64,
}

impl Room {
    pub(super) fn new(dir: &Path, reserve: u64) -> Self {
        Room { dir: dir.to_owned(), reserve }
    }

    /// Whether `bytes` fit twice, in the log and in the database, beside the reserve.
    pub(super) fn check(&self, bytes: u64) -> Result<(), BackendError> {
        let stat = rustix::fs::statvfs(&self.dir)
            .map_err(|error| BackendError::io(format!("asking for the free room in {}", self.dir.display()), error))?;
        let free = stat.f_bavail.saturating_mul(stat.f_frsize);
        match free >= self.reserve.saturating_add(bytes.saturating_mul(2)) {
            true => Ok(()),
            false => Err(BackendError::Full { place: self.dir.display().to_string(), free, reserve: self.reserve }),
        }
    }
}
