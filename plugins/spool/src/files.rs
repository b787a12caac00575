//! Files without names, for messages that are too large for memory.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::PathBuf;

/// Where they are.
#[derive(Debug)]
pub struct Files {
    dir: PathBuf,
}

/// The directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the directory {dir} for large messages cannot be {doing}: {error}; make it writable for the server's user", dir = dir.display())]
pub struct FilesError {
    dir: PathBuf,
    doing: &'static str,
    #[source]
    error: io::Error,
}

impl Files {
    /// Files in this directory.
    pub fn new(dir: PathBuf) -> Self {
        Files { dir }
    }

    /// Makes the directory, for its user alone, and removes what a crash may have left there: on file systems that cannot make
    /// a file without a name, a file has one for an instant. Blocks.
    pub fn prepare(&self) -> Result<(), FilesError> {
        let failed = |doing| move |error| FilesError { dir: self.dir.clone(), doing, error };
        DirBuilder::new().recursive(true).mode(0o700).create(&self.dir).map_err(failed("made"))?;
        for entry in fs::read_dir(&self.dir).map_err(failed("read"))? {
            let entry = entry.map_err(failed("read"))?;
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            if is_file && entry.file_name().as_encoded_bytes().starts_with(TEMPORARY) {
                // A generation of this plugin that ends just now may have been faster.
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(())
    }

    /// A new file that is gone as soon as it is closed, readable for its user alone. Blocks.
    pub fn create(&self) -> io::Result<File> {
        let file = tempfile::tempfile_in(&self.dir)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        Ok(file)
    }
}

/// What the names of such files begin with.
const TEMPORARY: &[u8] = b".tmp";

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn a_file_has_no_name_and_is_its_users_alone() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::new(dir.path().join("a/spool"));
        files.prepare().unwrap();
        assert_eq!(fs::metadata(&files.dir).unwrap().mode() & 0o777, 0o700);
        let file = files.create().unwrap();
        let facts = file.metadata().unwrap();
        assert_eq!((facts.mode() & 0o777, facts.nlink()), (0o600, 0));
        assert_eq!(fs::read_dir(&files.dir).unwrap().count(), 0);
    }

    #[test]
    fn what_a_crash_left_is_removed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        for name in [".tmpAbCdEf", "mine"] {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        fs::create_dir(dir.path().join(".tmpdir")).unwrap();
        Files::new(dir.path().to_owned()).prepare().unwrap();
        let mut left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [".tmpdir", "mine"]);
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_named() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "x").unwrap();
        let error = Files::new(dir.path().join("file/spool")).prepare().unwrap_err().to_string();
        assert!(error.contains("file/spool") && error.contains("writable"), "{error}");
    }
}
