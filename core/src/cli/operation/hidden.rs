//! Secrets asked for on the terminal, and not shown there.
//!
//! The terminal stops showing what is typed before the question appears: whoever answers at once, or a program that waits for
//! the question, is not overheard.
//!
//! **How it fails**: if there is no terminal. It is as it was before in any case.

use rustix::termios::{tcgetattr, tcsetattr, LocalModes, OptionalActions, Termios};
use std::{fs::File, io};

/// Asks, and reads a line.
///
/// # Errors
/// If there is no terminal, or nothing can be read from it.
pub fn ask(question: &str) -> io::Result<String> {
    let _quiet = Quiet::new()?;
    rpassword::prompt_password(question)
}

/// A terminal that shows nothing of what is typed, until this is dropped.
struct Quiet {
    terminal: File,
    before: Termios,
}

impl Quiet {
    fn new() -> io::Result<Self> {
        let terminal = File::options().read(true).write(true).open("/dev/tty")?;
        let before = tcgetattr(&terminal)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&terminal, OptionalActions::Now, &quiet)?;
        Ok(Quiet { terminal, before })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // A terminal that has gone needs nothing.
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}
