//! `dovetail init`: from an empty folder to a server that runs, without privileges and on the real ports.

mod as_root;
mod clean_root;
mod files;
mod ports;

use crate::harness::{plugin_dir, run, BINARY};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tempfile::TempDir;

pub const DOMAIN: &str = "example.test";
pub const HOST: &str = "mail.example.test";
pub const ADDRESS: &str = "ann@example.test";
pub const PASSWORD: &str = "correct horse";

/// A folder that every user can look into, with the program and its plugins in `bin`.
pub struct Root {
    pub dir: TempDir,
}

impl Root {
    pub fn new() -> Root {
        let dir = tempfile::Builder::new().prefix("dovetail-init-").tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let bin = dir.path().join("bin");
        fs::create_dir(&bin).unwrap();
        fs::set_permissions(&bin, fs::Permissions::from_mode(0o755)).unwrap();
        install(Path::new(BINARY), &bin.join("dovetail"));
        for entry in fs::read_dir(plugin_dir()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let is_plugin = name.starts_with("libdovetail_") && name.ends_with(".so") && !name.contains("_test_");
            if is_plugin {
                install(&path, &bin.join(name));
            }
        }
        Root { dir }
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    pub fn config(&self) -> PathBuf {
        self.path("etc/dovetail.ron")
    }

    /// `dovetail init` into this folder, for [`DOMAIN`] and [`HOST`].
    pub fn init(&self, words: &[&str]) -> Command {
        let mut command = Command::new(self.path("bin/dovetail"));
        command.args(["init", "--domain", DOMAIN, "--hostname", HOST, "--dir"]).arg(self.path("etc"));
        command.arg("--data-dir").arg(self.path("data")).arg("--unit-dir").arg(self.path("units"));
        command.args(words).stdin(Stdio::null());
        command
    }
}

/// As `cp` would: a link to the file where that can be, else a copy.
fn install(from: &Path, to: &Path) {
    if fs::hard_link(from, to).is_err() {
        crate::harness::copy_program(from, to);
    }
}

/// Whether we are root; tests that need it say why they skip, and fail in CI, which is root.
#[track_caller]
pub fn is_root() -> bool {
    crate::harness::have_by("root (to become somebody else)", "test $(id -u) = 0")
}

/// Runs a command that gets a password on standard input; its standard output.
#[track_caller]
pub fn with_password(mut command: Command) -> String {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("password");
    fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    let (status, stdout, stderr) = run(command.stdin(fs::File::open(&file).unwrap()));
    assert!(status.success(), "{command:?} ended with {status}\n{stdout}{stderr}");
    stdout
}

/// The user and mode of a path.
pub fn owner_and_mode(path: &Path) -> (u32, u32, u32) {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::symlink_metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    (metadata.uid(), metadata.gid(), metadata.mode() & 0o7777)
}
