//! Running other programs: start, wait, and keep what they said when they fail.

use crate::error::Error;
use std::process::{Command, Stdio};

/// Runs to the end and gives standard output; a failure carries the end of what was said.
pub fn output(command: &mut Command) -> Result<String, Error> {
    let ran =
        command.stdin(Stdio::null()).output().map_err(|source| Error::Start { program: program(command), source })?;
    if !ran.status.success() {
        // Some say on standard output what they failed at.
        let said = [ran.stderr, ran.stdout].into_iter().find(|s| !s.is_empty());
        let said = said.unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        return Err(Error::Failed { command: line(command), status: ran.status, said: last_lines(&said) });
    }
    Ok(String::from_utf8_lossy(&ran.stdout).into_owned())
}

/// Runs to the end with our own standard output and error, unless it was given others.
pub fn through(command: &mut Command) -> Result<(), Error> {
    let status =
        command.stdin(Stdio::null()).status().map_err(|source| Error::Start { program: program(command), source })?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Failed { command: line(command), status, said: String::new() })
}

/// Is there a program of this name in `PATH`?
pub fn exists(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

/// `cargo`, as it was called.
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn program(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

fn line(command: &Command) -> String {
    let mut line = program(command);
    for arg in command.get_args() {
        line.push(' ');
        line.push_str(&arg.to_string_lossy());
    }
    line
}

fn last_lines(said: &str) -> String {
    let lines: Vec<&str> = said.trim_end().lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}
