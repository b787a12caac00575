//! Part of `cargo xtask soak`: every fuzz target for a while, one after the other.
//!
//! Needs a nightly toolchain and cargo-fuzz, and says so where they are not. What the fuzzer learns stays in
//! `target/fuzz-corpus`, so that the next run goes on from there; what broke a promise is in `fuzz/artifacts`.

use crate::error::Error;
use crate::run;
use crate::workspace::Workspace;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A single input may take so many seconds.
const SLOWEST: u32 = 10;

/// The fuzz targets, built.
pub struct Fuzzers {
    folder: PathBuf,
    target_directory: PathBuf,
    targets: Vec<String>,
}

impl Fuzzers {
    /// Looks for what is needed and builds all of them.
    pub fn build(workspace: &Workspace) -> Result<Self, Error> {
        // One line of complaint is enough.
        let mut there = cargo_fuzz();
        run::output(there.arg("--version").env("RUST_BACKTRACE", "0"))
            .map_err(|source| Error::NoFuzzing(Box::new(source)))?;
        let folder = workspace.workspace_root.join("fuzz");
        let targets = names(&folder.join("fuzz_targets"))?;
        let fuzzers = Fuzzers { folder, target_directory: workspace.target_directory.clone(), targets };
        run::through(&mut fuzzers.command("build"))?;
        Ok(fuzzers)
    }

    /// Runs each for that time. All have their turn, whatever becomes of one.
    pub fn run(&self, minutes: u64) -> Result<(), Error> {
        let mut broken = Vec::new();
        for target in &self.targets {
            println!("fuzzing {target}, {minutes} minutes");
            let learnt = self.target_directory.join("fuzz-corpus").join(target);
            std::fs::create_dir_all(&learnt).map_err(Error::file(&learnt))?;
            let mut command = self.command("run");
            command.arg(target).arg(&learnt).arg(self.folder.join("corpus").join(target));
            command.arg("--").arg(format!("-max_total_time={}", minutes * 60)).arg(format!("-timeout={SLOWEST}"));
            if let Some(dictionary) = self.dictionary(target) {
                command.arg(format!("-dict={}", dictionary.display()));
            }
            match run::through(&mut command) {
                Ok(()) => {}
                Err(Error::Failed { .. }) => broken.push(target.as_str()),
                Err(error) => return Err(error),
            }
        }
        if broken.is_empty() {
            println!("{} fuzz targets kept their promises", self.targets.len());
            return Ok(());
        }
        Err(Error::Fuzzed { targets: broken.join(", "), artifacts: self.folder.join("artifacts") })
    }

    /// The words of the target's grammar, where there is a file of them: `imap.dict` for all `imap_...`.
    fn dictionary(&self, target: &str) -> Option<PathBuf> {
        let family = target.split('_').next()?;
        let file = self.folder.join("dictionaries").join(format!("{family}.dict"));
        file.is_file().then_some(file)
    }

    fn command(&self, what: &str) -> Command {
        let mut command = cargo_fuzz();
        command.arg(what).arg("--fuzz-dir").arg(&self.folder);
        command.arg("--target-dir").arg(self.target_directory.join("fuzz"));
        command
    }
}

/// `cargo fuzz` of the nightly toolchain, whichever we were started by.
fn cargo_fuzz() -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo", "fuzz"]);
    command
}

/// The names of the Rust files in a folder, sorted.
fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(Error::file(folder))? {
        let path = entry.map_err(Error::file(folder))?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rust_file_is_a_target() {
        let folder = tempfile::tempdir().expect("a folder");
        for file in ["b.rs", "a.rs", "README.md"] {
            std::fs::write(folder.path().join(file), "").expect("a file");
        }
        assert_eq!(names(folder.path()).expect("names"), ["a", "b"]);
        assert!(names(&folder.path().join("none")).is_err());
    }
}
