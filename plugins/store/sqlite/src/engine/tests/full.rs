//! A disk that is really full: a clean temporary error, and the same process goes on once there is room.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use dovetail_mailstore::{plain_threads, Options, Store};

use super::super::Sqlite;
use super::{bodies, deliver, LOG};

/// A small file system in memory, unmounted when dropped.
struct Disk(tempfile::TempDir);

impl Disk {
    fn new() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(dir.path()).output();
        match mount {
            Ok(output) if output.status.success() => Some(Disk(dir)),
            Ok(output) => {
                eprintln!("skipped: no tmpfs could be mounted: {}", String::from_utf8_lossy(&output.stderr));
                None
            }
            Err(error) => {
                eprintln!("skipped: mount could not be run: {error}");
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(self.path()).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "{} stays mounted", self.path().display());
    }
}

#[test]
fn a_full_disk_is_a_temporary_error() {
    let Some(disk) = Disk::new() else { return };
    let dir = disk.path().join("store");
    let backend = Arc::new(Sqlite::open(&dir, 0, LOG, &plain_threads()).unwrap());
    let store = Store::open(backend, Options { collect_every: 0, ..Options::default() }).unwrap();
    deliver(&store, "anna", b"before").unwrap();
    // Leaves room for a part of a message: the check beforehand can't see that coming.
    let ballast = disk.path().join("ballast");
    let mut bytes = 4 * 1024 * 1024;
    while std::fs::write(&ballast, vec![0; bytes]).is_err() {
        bytes -= 64 * 1024;
    }
    for size in [50_000, 400_000] {
        let error = deliver(&store, "anna", &vec![b'x'; size]).unwrap_err();
        assert!(error.is_temporary(), "{error}");
    }
    assert_eq!(bodies(&store, "anna"), [b"before"], "what is there can be read");
    std::fs::remove_file(&ballast).unwrap();
    deliver(&store, "anna", b"after").unwrap();
    assert_eq!(bodies(&store, "anna"), [b"before".as_slice(), b"after"]);
}
