//! Where the log is read from. It is read twice: what belongs to a message is known only when its last line has been seen.
//!
//! **Bounds.** A line of a megabyte or more is passed over; standard input, which cannot be read twice, is kept in memory up to
//! [`MAX_INPUT`] octets.

use crate::telemetry::record::MAX_LINE;
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// So much of standard input is kept.
const MAX_INPUT: u64 = 256 << 20;

/// A log.
pub enum Source {
    /// A file.
    File(PathBuf),
    /// Standard input, read.
    Input(Vec<u8>),
    /// The journal of a unit.
    Journal(String),
}

impl Source {
    /// The file, standard input for `-`, or without either the unit's journal.
    ///
    /// # Errors
    /// If standard input cannot be read, or is too long.
    pub fn new(log: Option<&Path>, unit: &str) -> Result<Source, String> {
        match log {
            Some(path) if path.as_os_str() == "-" => {
                let mut all = Vec::new();
                let read = io::stdin().lock().take(MAX_INPUT + 1).read_to_end(&mut all);
                read.map_err(|error| {
                    format!("cannot read the log from standard input: {error} (give it with --log FILE)")
                })?;
                if all.len() as u64 > MAX_INPUT {
                    let limit = MAX_INPUT >> 20;
                    return Err(format!(
                        "the log on standard input is longer than {limit} MiB (give it with --log FILE, or less of it)"
                    ));
                }
                Ok(Source::Input(all))
            }
            Some(path) => Ok(Source::File(path.to_owned())),
            None => Ok(Source::Journal(unit.to_owned())),
        }
    }

    /// Its name for messages.
    pub fn name(&self) -> String {
        match self {
            Source::File(path) => path.display().to_string(),
            Source::Input(_) => "standard input".to_owned(),
            Source::Journal(unit) => format!("the journal of unit `{unit}`"),
        }
    }

    /// Reads it from the beginning, line by line.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn each(&mut self, mut line: impl FnMut(&str)) -> Result<(), String> {
        match self {
            Source::Input(all) => lines(all.as_slice(), &mut line)
                .map_err(|error| format!("cannot read the log from standard input: {error} (give it with --log FILE)")),
            Source::File(path) => {
                File::open(&*path).and_then(|file| lines(BufReader::new(file), &mut line)).map_err(|error| {
                    format!("cannot read the log {}: {error} (name the right file with --log)", path.display())
                })
            }
            Source::Journal(unit) => journal(unit, &mut line),
        }
    }
}

fn journal(unit: &str, line: &mut impl FnMut(&str)) -> Result<(), String> {
    let failed = |error: &dyn std::fmt::Display| {
        format!("cannot read the journal of unit `{unit}` by journalctl: {error} (give the log with --log FILE)")
    };
    let mut child = Command::new("journalctl")
        .args(["--no-pager", "--quiet", "--output=json", "--all", "--unit", unit])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(&error))?;
    if let Some(output) = child.stdout.take() {
        lines(BufReader::new(output), line).map_err(|error| failed(&error))?;
    }
    let status = child.wait().map_err(|error| failed(&error))?;
    // What it has to say it said on standard error.
    if status.success() {
        Ok(())
    } else {
        Err(failed(&format!("it ended with {status}")))
    }
}

/// Hands lines on, longer ones than [`MAX_LINE`] left out.
fn lines(mut from: impl BufRead, each: &mut impl FnMut(&str)) -> io::Result<()> {
    let mut line = Vec::new();
    let mut too_long = false;
    loop {
        line.clear();
        let count = (&mut from).take(MAX_LINE as u64).read_until(b'\n', &mut line)?;
        if count == 0 {
            return Ok(());
        }
        let whole = line.last() == Some(&b'\n') || count < MAX_LINE;
        if whole && !too_long {
            each(&String::from_utf8_lossy(&line));
        }
        too_long = !whole;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_too_long_are_passed_over() {
        let mut text = b"one\n".to_vec();
        text.extend(vec![b'x'; 3 * MAX_LINE + 7]);
        text.extend(b"\ntwo\nthree");
        let mut got = Vec::new();
        lines(text.as_slice(), &mut |line| got.push(line.trim_end().to_owned())).unwrap();
        assert_eq!(got, ["one", "two", "three"]);
    }

    #[test]
    fn a_file_that_is_not_there_is_named_with_the_cure() {
        let mut source = Source::new(Some(Path::new("/nonexistent/log")), "x").unwrap();
        let error = source.each(|_| {}).unwrap_err();
        assert!(error.contains("/nonexistent/log") && error.contains("--log"), "{error}");
    }
}
