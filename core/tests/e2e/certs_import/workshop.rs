//! The folder in which other programs make what is brought to an import.

use crate::harness::{have, have_by, run_ok};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// A folder of fixtures, and the programs that make them.
pub struct Workshop(TempDir);

impl Workshop {
    /// With the keys and certificates of `base.sh` and what `make.py` makes of them. `None` where a program isn't installed.
    pub fn open() -> Option<Workshop> {
        // `&`, not `&&`: all that is missing is to be told.
        let all = have("openssl") & have("certtool") & have("keytool") & have("pk12util") & have("certutil");
        let all = all & have("ssh-keygen") & have_by("python-cryptography", "python3 -c 'import cryptography.x509'");
        all.then(|| {
            let workshop = Workshop(tempfile::Builder::new().prefix("dovetail-import-").tempdir().unwrap());
            workshop.sh(include_str!("base.sh"));
            run_ok(Command::new("python3").arg("-c").arg(include_str!("make.py")).current_dir(workshop.path()));
            workshop
        })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// What is in a file.
    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.file(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// What is in a text file.
    pub fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    /// Makes a file.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.file(name), bytes).unwrap();
    }

    /// Makes a file of others, one behind the other.
    pub fn join(&self, name: &str, of: &[&str]) {
        let bytes: Vec<u8> = of.iter().flat_map(|file| self.read(file)).collect();
        self.write(name, bytes);
    }

    /// Runs commands in the folder; all must succeed.
    #[track_caller]
    pub fn sh(&self, script: &str) {
        run_ok(Command::new("sh").args(["-euc", script]).current_dir(self.path()));
    }
}
