//! The conversation with whoever fills in a form. Questions go to standard error, so that standard output has the report alone.

use crate::cli::{operation::values, output};
use dovetail_abi::{operations_v1::Field, Secret};
use std::io::{BufRead, IsTerminal, Read, Write};

/// A longer line is no answer. Terminals give no longer ones either.
pub const MAX_LINE: u64 = 4096;

/// Somebody who can be asked.
pub trait Talk {
    /// Says something; line ends are kept.
    fn say(&mut self, text: &str);
    /// Asks for a line. `None` at the end of the input; the inner error says why a line is none.
    ///
    /// # Errors
    /// If nothing can be read.
    fn ask(&mut self, prompt: &str) -> Result<Option<Result<String, String>>, String>;
    /// Asks for a secret, which is not shown.
    ///
    /// # Errors
    /// If nothing can be read, or the two times differ.
    fn secret(&mut self, field: &Field) -> Result<Option<Secret>, String>;
}

/// Somebody at the terminal.
pub struct Terminal;

impl Terminal {
    /// The terminal, if there is one to ask at and to be asked on.
    pub fn here() -> Option<Self> {
        (std::io::stdin().is_terminal() && std::io::stderr().is_terminal()).then_some(Terminal)
    }
}

impl Talk for Terminal {
    fn say(&mut self, text: &str) {
        // Who can't read the question will not answer it.
        let _ = writeln!(std::io::stderr(), "{}", output::shown(text));
    }

    fn ask(&mut self, prompt: &str) -> Result<Option<Result<String, String>>, String> {
        let mut stderr = std::io::stderr();
        let _ = write!(stderr, "{}", output::shown(prompt)).and_then(|()| stderr.flush());
        let line = read(&mut std::io::stdin().lock()).map_err(|error| format!("standard input: {error}"))?;
        if line.is_none() {
            // The shell's prompt starts on a line of its own.
            let _ = writeln!(stderr);
        }
        Ok(line)
    }

    fn secret(&mut self, field: &Field) -> Result<Option<Secret>, String> {
        values::secret(field, None)
    }
}

/// Reads a line, without its end.
fn read(input: &mut impl BufRead) -> std::io::Result<Option<Result<String, String>>> {
    let mut bytes = Vec::new();
    input.by_ref().take(MAX_LINE + 1).read_until(b'\n', &mut bytes)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    if bytes.last() != Some(&b'\n') && bytes.len() as u64 > MAX_LINE {
        input.skip_until(b'\n')?;
        return Ok(Some(Err(format!("That is longer than {MAX_LINE} bytes."))));
    }
    Ok(Some(
        String::from_utf8(bytes)
            .map(|line| line.trim_end_matches(['\r', '\n']).to_owned())
            .map_err(|_| "That is not UTF-8: set the terminal to it, or type ASCII.".to_owned()),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_one_by_one_to_the_end() {
        let long = "x".repeat(10_000);
        let text = format!("one\r\n\n{long}\ntwo\nhalf");
        let mut input = text.as_bytes();
        let mut next = || read(&mut input).unwrap();
        assert_eq!(next(), Some(Ok("one".to_owned())));
        assert_eq!(next(), Some(Ok(String::new())));
        assert!(next().unwrap().unwrap_err().contains("4096"));
        assert_eq!(next(), Some(Ok("two".to_owned())));
        assert_eq!(next(), Some(Ok("half".to_owned())));
        assert_eq!(next(), None);
        assert!(read(&mut b"\xff\n".as_slice()).unwrap().unwrap().unwrap_err().contains("UTF-8"));
    }
}
