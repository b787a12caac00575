//! Dialogue scripts: what a client says and what it must hear.
//!
//! A script is text, one step a line:
//!
//! | line | step |
//! |---|---|
//! | `C: text` | the client sends the text and CRLF |
//! | `C+ text` | the same, but held back and sent in one piece with the next `C:` or `C>` (pipelining) |
//! | `C> text` | the client sends the text without CRLF, with escapes: `\r` `\n` `\t` `\0` `\\` `\xHH` |
//! | `C!` | the client closes its side |
//! | `S: text` | the server must send this line; `*` stands for any text, `\*` for itself, escapes as above |
//! | `S: ...` | the server may send any number of lines before the next `S:` line |
//! | `S!` | the server must close the connection, without another octet |
//! | `TLS` | the client upgrades the connection (see [`Peer`]); nothing may have come before the handshake |
//! | `# text` | a comment; so is an empty line |
//!
//! One blank after the mark is no part of the text; all else is, blanks at the end too. A line of the server must end in CRLF.
//!
//! ```
//! use dovetail_testkit::Script;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let script = Script::parse("pipelining", r"
//! C+ EHLO client.example.org
//! C: QUIT
//! S: 250-mail.example.org greets *
//! S: ...
//! S: 250 *
//! S: 221 *
//! S!
//! ")?;
//! let (mut client, mut server) = tokio::io::duplex(4096);
//! tokio::spawn(async move {
//!     use tokio::io::AsyncWriteExt;
//!     server.write_all(b"250-mail.example.org greets you\r\n250-SIZE 1\r\n250 HELP\r\n221 bye\r\n").await
//! });
//! script.play(&mut client).await?;
//! # Ok(())
//! # }
//! ```
//!
//! **How it fails.** With script, line, what was expected and what came: [`DialogueError`]. A server that is silent for
//! longer than the time limit (10 s unless [`Script::limit`] says otherwise) has failed.
//!
//! **Bounds.** A script has at most 1 MiB; so has a line of the server.

mod files;
mod pattern;
mod peer;
mod play;
mod script;

pub use files::{run_dir, run_file};
pub use peer::{Peer, WithTls};

use pattern::Pattern;
use std::{io, path::PathBuf, time::Duration};

/// A script that was read and found good.
#[derive(Debug, Clone)]
pub struct Script {
    name: String,
    steps: Vec<Step>,
    limit: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    line: usize,
    act: Act,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Act {
    Send(Vec<u8>),
    Close,
    Expect(Pattern),
    /// Any lines, then this one.
    ExpectLater(Pattern),
    ExpectEnd,
    Tls,
}

/// Why a dialogue failed. Each begins with the script's name and line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DialogueError {
    /// The file or the folder could not be read.
    #[error("{path}: cannot be read: {source}")]
    Read {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The folder holds no script, so it would prove nothing.
    #[error("{path}: there is no file *.dialogue in this folder")]
    NoScript {
        /// Where.
        path: PathBuf,
    },
    /// The script breaks the grammar.
    #[error("{script}:{line}: {message}")]
    Grammar {
        /// The script's name.
        script: String,
        /// The line of the script.
        line: usize,
        /// What is wrong, and what to write.
        message: String,
    },
    /// The server said something else.
    #[error("{script}:{line}: the server said something else\n  expected: {expected}\n       got: {got}")]
    Differs {
        /// The script's name.
        script: String,
        /// The line of the script.
        line: usize,
        /// What should have come, as the script has it.
        expected: String,
        /// What came, with escapes.
        got: String,
    },
    /// The server was silent for too long.
    #[error("{script}:{line}: the server was silent for {limit:?}\n  expected: {expected}\n       got: {got}")]
    Silent {
        /// The script's name.
        script: String,
        /// The line of the script.
        line: usize,
        /// The time limit.
        limit: Duration,
        /// What should have come, as the script has it.
        expected: String,
        /// What had come of it, with escapes.
        got: String,
    },
    /// The connection failed.
    #[error("{script}:{line}: the connection failed at {doing}: {source}")]
    Io {
        /// The script's name.
        script: String,
        /// The line of the script.
        line: usize,
        /// What was being done.
        doing: String,
        /// How it failed.
        source: io::Error,
    },
}

impl Script {
    /// The server gets this long for each step instead of 10 s. By tokio's clock: if it is paused, it runs on whenever all
    /// tasks wait, so play against real sockets with a clock that is not.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }
}

const LIMIT: Duration = Duration::from_secs(10);
const MAX_SCRIPT: usize = 1 << 20;
const MAX_LINE: usize = 1 << 20;
