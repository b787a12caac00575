//! Who could have put a library there: checked before its constructors run.
//!
//! A library must be a regular file of root or of the server's user, and neither it nor a directory above it may be
//! writable by others. Root-owned sticky directories such as `/tmp` pass, and so does the group of a user that is alone in
//! it (the user's private group).

use std::{
    fs::Metadata,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Why a library is not trusted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// It cannot be looked at.
    #[error("cannot look at {path}: {source} (check the path, and that the server's user may read it)")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// Somebody else owns it.
    #[error("{path} belongs to user {owner}, so that user could run code in this server; change the owner (chown) to root or to the server's user")]
    Owner {
        /// The file or directory.
        path: PathBuf,
        /// Its owner.
        owner: u32,
    },
    /// Others can write to it.
    #[error("{path} can be written by others (mode {mode:o}), so they could run code in this server; take it from them (chmod go-w)")]
    Writable {
        /// The file or directory.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
}

/// Checks a library and the directories above it, and gives where it is without links. Use that path: what a link leads to
/// can be changed by whoever can write where the link stands, which is nowhere above what was checked.
///
/// # Errors
/// Names the file or directory that is open to others.
pub fn check(library: &Path) -> Result<PathBuf, TrustError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| TrustError::Io { path, source }
    };
    let real = library.canonicalize().map_err(io(library))?;
    for (depth, path) in real.ancestors().enumerate() {
        let metadata = std::fs::metadata(path).map_err(io(path))?;
        check_one(path, &metadata, depth > 0)?;
    }
    Ok(real)
}

fn check_one(path: &Path, metadata: &Metadata, directory: bool) -> Result<(), TrustError> {
    let (owner, group, mode) = (metadata.uid(), metadata.gid(), metadata.mode() & 0o7777);
    let us = rustix::process::geteuid().as_raw();
    if owner != 0 && owner != us {
        return Err(TrustError::Owner { path: path.to_owned(), owner });
    }
    const STICKY: u32 = 0o1000;
    if directory && owner == 0 && mode & STICKY != 0 {
        return Ok(());
    }
    let group_is_private = group == owner && (owner == us || owner == 0);
    if mode & 0o002 != 0 || (mode & 0o020 != 0 && !group_is_private) {
        return Err(TrustError::Writable { path: path.to_owned(), mode });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt};

    #[test]
    fn a_file_or_folder_that_others_can_write_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("plugins");
        fs::create_dir(&folder).unwrap();
        let file = folder.join("libx.so");
        fs::write(&file, "x").unwrap();
        let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        mode(&file, 0o644);
        mode(&folder, 0o755);
        check(&file).unwrap();
        mode(&file, 0o646);
        assert!(check(&file).unwrap_err().to_string().contains("libx.so can be written by others (mode 646)"));
        mode(&file, 0o644);
        mode(&folder, 0o757);
        assert!(check(&file).unwrap_err().to_string().contains("plugins can be written by others"));
    }

    #[test]
    fn a_link_is_followed_once_and_its_end_is_what_was_checked() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("libx.so"), dir.path().join("link.so"));
        fs::write(&file, "x").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(check(&link).unwrap(), file.canonicalize().unwrap());
        fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
        check(&link).unwrap_err();
    }
}
