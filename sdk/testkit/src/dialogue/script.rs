//! Reading scripts.

use super::{
    pattern::{unescape, Pattern},
    Act, DialogueError, Script, Step, LIMIT, MAX_SCRIPT,
};
use std::{
    io::{self, Read},
    path::Path,
};

impl Script {
    /// Reads a script; `name` stands in the messages.
    ///
    /// # Errors
    /// [`DialogueError::Grammar`] at the first line that is none.
    pub fn parse(name: &str, text: &str) -> Result<Self, DialogueError> {
        let mut parser = Parser::default();
        for (index, line) in text.lines().enumerate() {
            parser.number = index + 1;
            parser.line(line).map_err(|message| grammar(name, parser.number, message))?;
        }
        parser.end().map_err(|message| grammar(name, parser.number, message))?;
        Ok(Script { name: name.to_owned(), steps: parser.steps, limit: LIMIT })
    }

    /// Reads a script from a file.
    ///
    /// # Errors
    /// If it cannot be read, is longer than 1 MiB, or breaks the grammar.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, DialogueError> {
        let path = path.as_ref();
        let text = read_bounded(path).map_err(|source| DialogueError::Read { path: path.to_owned(), source })?;
        Script::parse(&path.display().to_string(), &text)
    }
}

fn read_bounded(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = std::fs::File::open(path)?.take(MAX_SCRIPT as u64 + 1).read_to_string(&mut text)?;
    if read > MAX_SCRIPT {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "a script has at most 1 MiB"));
    }
    Ok(text)
}

fn grammar(name: &str, line: usize, message: String) -> DialogueError {
    DialogueError::Grammar { script: name.to_owned(), line, message }
}

#[derive(Default)]
struct Parser {
    number: usize,
    steps: Vec<Step>,
    held_back: Vec<u8>,
    any_lines: bool,
}

impl Parser {
    fn line(&mut self, line: &str) -> Result<(), String> {
        if line.trim().is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let (mark, text) = match line.split_at_checked(2) {
            Some((mark @ ("C:" | "C+" | "C>" | "S:"), rest)) => (mark, rest.strip_prefix(' ').unwrap_or(rest)),
            _ => (line.trim_end(), ""),
        };
        if mark != "S:" {
            self.not_after_any_lines()?;
        }
        if !mark.starts_with("C+") && !mark.starts_with("C:") && !mark.starts_with("C>") {
            self.nothing_held_back()?;
        }
        match mark {
            "C+" => self.hold_back(text.as_bytes(), b"\r\n"),
            "C:" => self.send(text.as_bytes(), b"\r\n"),
            "C>" => self.send(&unescape(text)?, b""),
            "C!" => self.step(Act::Close),
            "S:" if text == "..." => {
                self.not_after_any_lines()?;
                self.any_lines = true;
            }
            "S:" => {
                let pattern = Pattern::parse(text)?;
                let later = std::mem::take(&mut self.any_lines);
                self.step(if later { Act::ExpectLater(pattern) } else { Act::Expect(pattern) });
            }
            "S!" => self.step(Act::ExpectEnd),
            "TLS" => self.step(Act::Tls),
            _ => return Err(format!("`{line}` is no step: write C: C+ C> C! S: S! TLS or #")),
        }
        Ok(())
    }

    fn end(&self) -> Result<(), String> {
        self.not_after_any_lines()?;
        self.nothing_held_back()?;
        if self.steps.is_empty() {
            return Err("the script has no step, so it would prove nothing".to_owned());
        }
        Ok(())
    }

    fn not_after_any_lines(&self) -> Result<(), String> {
        if self.any_lines {
            return Err("`S: ...` needs an `S:` line after it, which says where the lines end".to_owned());
        }
        Ok(())
    }

    fn nothing_held_back(&self) -> Result<(), String> {
        if self.held_back.is_empty() {
            return Ok(());
        }
        Err("`C+` needs a `C:` or `C>` line after it, with which it is sent".to_owned())
    }

    fn hold_back(&mut self, text: &[u8], end: &[u8]) {
        self.held_back.extend_from_slice(text);
        self.held_back.extend_from_slice(end);
    }

    fn send(&mut self, text: &[u8], end: &[u8]) {
        self.hold_back(text, end);
        let bytes = std::mem::take(&mut self.held_back);
        self.step(Act::Send(bytes));
    }

    fn step(&mut self, act: Act) {
        self.steps.push(Step { line: self.number, act });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn acts(text: &str) -> Vec<(usize, Act)> {
        let script = Script::parse("t", text).unwrap();
        script.steps.into_iter().map(|step| (step.line, step.act)).collect()
    }

    fn refusal(text: &str) -> String {
        Script::parse("t", text).unwrap_err().to_string()
    }

    #[test]
    fn every_step_is_read() {
        let expect = |text| Act::Expect(Pattern::parse(text).unwrap());
        let text = "# begin\n\nC: a \nC:\nC> \\r\\x00\nC!\nS: x\nS: ...\nS: y*\nS:\nS!\nTLS\n";
        let expected = [
            (3, Act::Send(b"a \r\n".to_vec())),
            (4, Act::Send(b"\r\n".to_vec())),
            (5, Act::Send(b"\r\0".to_vec())),
            (6, Act::Close),
            (7, expect("x")),
            (9, Act::ExpectLater(Pattern::parse("y*").unwrap())),
            (10, expect("")),
            (11, Act::ExpectEnd),
            (12, Act::Tls),
        ];
        assert_eq!(acts(text), expected);
    }

    #[test]
    fn held_back_lines_leave_with_the_next() {
        let expected = [(3, Act::Send(b"RSET\r\nNOOP\r\nDA".to_vec()))];
        assert_eq!(acts("C+ RSET\nC+ NOOP\nC> DA"), expected);
    }

    #[test]
    fn one_blank_after_the_mark_is_no_text() {
        assert_eq!(acts("C:  x"), [(1, Act::Send(b" x\r\n".to_vec()))]);
    }

    #[test]
    fn errors_say_where_and_what_to_write() {
        assert!(refusal("C: a\nX: b").starts_with("t:2: `X: b` is no step"));
        assert!(refusal("C+ a\nS: b").starts_with("t:2: `C+` needs"));
        assert!(refusal("C+ a").contains("`C+` needs"));
        assert!(refusal("S: ...\nC: a").starts_with("t:2: `S: ...` needs"));
        assert!(refusal("S: ...\nS: ...\nS: a").starts_with("t:2: `S: ...` needs"));
        assert!(refusal("S: a\nS: ...").contains("`S: ...` needs"));
        assert!(refusal("S: ...\nS!").contains("`S: ...` needs"));
        assert!(refusal("C> \\q").contains("\\q"));
        assert!(refusal("# nothing").contains("prove nothing"));
    }

    #[test]
    fn a_file_that_is_too_long_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long.dialogue");
        std::fs::write(&path, vec![b'#'; MAX_SCRIPT + 1]).unwrap();
        assert!(Script::read(&path).unwrap_err().to_string().contains("at most 1 MiB"));
        std::fs::write(&path, "S: short").unwrap();
        assert_eq!(Script::read(&path).unwrap().steps.len(), 1);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "([CS][:+>!]|TLS|[ -~]|\\\\|\n| \\.\\.\\.|é)*") {
            if let Ok(script) = Script::parse("t", &text) {
                prop_assert!(!script.steps.is_empty());
            }
        }
    }
}
