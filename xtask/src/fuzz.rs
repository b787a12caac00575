//! Part of `cargo xtask soak`: every fuzz target for a while, some of them at the same time.
//!
//! Needs a nightly toolchain and cargo-fuzz, and says so where they are not. What the fuzzer learns stays in
//! `target/fuzz-corpus`, so that the next run goes on from there; what broke a promise is in `fuzz/artifacts`, and what
//! the fuzzer said of a target in `target/fuzz-logs`.

use crate::error::Error;
use crate::run;
use crate::workspace::Workspace;
use std::fs::File;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

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

    /// Runs each for that time, so many at once. All have their turn, whatever becomes of one.
    pub fn run(&self, minutes: u64, jobs: u8) -> Result<(), Error> {
        let logs = self.target_directory.join("fuzz-logs");
        std::fs::create_dir_all(&logs).map_err(Error::file(&logs))?;
        let next = AtomicUsize::new(0);
        let done = std::thread::scope(|scope| {
            let work = || -> Result<Vec<&str>, Error> {
                let mut broken = Vec::new();
                while let Some(target) = self.targets.get(next.fetch_add(1, Ordering::Relaxed)) {
                    println!("{target}: {minutes} minutes");
                    if !self.kept(target, minutes, &logs.join(format!("{target}.log")))? {
                        println!("{target}: FAILED, see {}", logs.join(format!("{target}.log")).display());
                        broken.push(target.as_str());
                    }
                }
                Ok(broken)
            };
            let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
            let ended = workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)));
            ended.collect::<Result<Vec<_>, Error>>()
        })?;
        let broken = done.concat();
        if broken.is_empty() {
            println!("{} fuzz targets kept their promises", self.targets.len());
            return Ok(());
        }
        Err(Error::Fuzzed { targets: broken.join(", "), artifacts: self.folder.join("artifacts") })
    }

    /// Runs one; did it keep its promises?
    fn kept(&self, target: &str, minutes: u64, log: &Path) -> Result<bool, Error> {
        let learnt = self.target_directory.join("fuzz-corpus").join(target);
        std::fs::create_dir_all(&learnt).map_err(Error::file(&learnt))?;
        let said = File::create(log).map_err(Error::file(log))?;
        let mut command = self.command("run");
        command.stdout(said.try_clone().map_err(Error::file(log))?).stderr(said);
        command.arg(target).arg(&learnt).arg(self.folder.join("corpus").join(target));
        command.arg("--").arg(format!("-max_total_time={}", minutes * 60)).arg(format!("-timeout={SLOWEST}"));
        if let Some(dictionary) = self.dictionary(target) {
            command.arg(format!("-dict={}", dictionary.display()));
        }
        match run::through(&mut command) {
            Ok(()) => Ok(true),
            Err(Error::Failed { .. }) => Ok(false),
            Err(error) => Err(error),
        }
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
