//! What can go wrong in a chore; each says what was tried and what came of it.

use std::io;
use std::path::{Path, PathBuf};

/// A chore that didn't succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A program that isn't there, or may not be run.
    #[error("can't start `{program}`: {source}")]
    Start {
        /// The program's name.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// A program that ran and failed.
    #[error("`{command}` failed ({status}){}", tail(.said))]
    Failed {
        /// The command line.
        command: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// The end of what it said.
        said: String,
    },
    /// A file that can't be read or written.
    #[error("{}: {source}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Output of a program that isn't the JSON it should be.
    #[error("{what} isn't the JSON that was expected: {source}")]
    Json {
        /// What was read.
        what: String,
        /// Where it went wrong.
        source: serde_json::Error,
    },
    /// The dependency rule is broken; the lines have been printed.
    #[error("{0} breach(es) of the dependency rule")]
    Rule(usize),
    /// The reference of options cannot be made, or something that is checked in says otherwise.
    #[error("{0}")]
    Reference(String),
    /// Fuzzing was asked for and isn't possible.
    #[error(
        "fuzzing needs a nightly toolchain with cargo-fuzz, and it doesn't run here ({0}); install them with \
         `rustup toolchain install nightly` and `cargo install --locked cargo-fuzz`, or leave out --fuzz-minutes"
    )]
    NoFuzzing(#[source] Box<Error>),
    /// Fuzz targets that ended with an input that breaks a promise, takes too long or too much memory.
    #[error("these fuzz targets failed: {targets}; their inputs are in {}", .artifacts.display())]
    Fuzzed {
        /// Which.
        targets: String,
        /// Where the fuzzer puts such inputs.
        artifacts: PathBuf,
    },
    /// A scan that can't be made, or that found something.
    #[error("{0}")]
    Scan(String),
    /// A server under test that doesn't do what it should.
    #[error("{0}")]
    Server(String),
}

impl Error {
    /// For `map_err` beside file operations.
    pub fn file(path: &Path) -> impl FnOnce(io::Error) -> Error + '_ {
        |source| Error::File { path: path.to_path_buf(), source }
    }
}

fn tail(said: &str) -> String {
    let said = said.trim();
    if said.is_empty() {
        String::new()
    } else {
        format!(": {said}")
    }
}
