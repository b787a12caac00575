//! A private key that others than its owner can read or change: it is closed when its pair is published.
//!
//! Only a plain file of the folder. What a symbolic link leads to is another program's, which may share it on purpose. A key
//! that can't be closed, because it belongs to somebody else, is no reason not to publish: the warning says so, and
//! `certs check` goes on saying it.

use std::fs::{OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use crate::folder::PairFiles;
use crate::name::CertName;

/// The key of a pair as it was before something was published.
pub struct OpenKey {
    name: CertName,
    mode: u32,
}

impl OpenKey {
    /// The pair's key, if others can read or change it.
    pub fn of(folder: &Path, name: &CertName) -> Option<Self> {
        let mode = open_mode(&PairFiles::of(folder, name).key)?;
        Some(Self { name: name.clone(), mode })
    }

    /// What to tell after its certificate was published.
    pub fn warning(&self, folder: &Path) -> String {
        let (name, mode) = (&self.name, self.mode);
        let now = match open_mode(&PairFiles::of(folder, name).key) {
            None => "it is its owner's alone (0600) now",
            Some(_) => "this can't be changed by this user: chmod 600",
        };
        format!(
            "others than its owner could read or change the private key {name}.key (mode {mode:04o}): {now}; think about a \
             new key if strangers could have read it"
        )
    }
}

/// Makes a key its owner's alone, if it isn't.
pub(super) fn close(key: &Path) -> io::Result<()> {
    if open_mode(key).is_none() {
        return Ok(());
    }
    // Neither a link nor a FIFO that has taken its place.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(key)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.sync_all()
}

fn open_mode(key: &Path) -> Option<u32> {
    let meta = key.symlink_metadata().ok()?;
    let mode = meta.mode() & 0o7777;
    (meta.is_file() && mode & 0o077 != 0).then_some(mode)
}
