//! Where a line says that a literal follows it (RFC 9051 section 4.3, RFC 7888, `literal8` of RFC 3516).
//!
//! This decides where the next command begins, so the session and whoever sits between it and the client must see the
//! same. A mark counts only at the very end of a line, outside quotes, and where a value can begin: behind a space or
//! `(`. A line that looks as if a non-synchronizing literal followed, but where the grammar has none, is an error that
//! ends the connection: its next octets may be data or commands, and nobody can tell which.

use thiserror::Error;

/// The mark of a literal: `{5}`, `{5+}`, `~{5}` at the end of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiteralMark {
    /// Octets that follow the line's end.
    pub size: u64,
    /// Whether the client waits for `+` before it sends them. `LITERAL-` allows up to 4096 octets without.
    pub synchronizing: bool,
    /// Whether it is a `literal8`, which may hold NUL.
    pub binary: bool,
}

/// A line that looks like the beginning of a literal and can't be one. Answer `BAD` and close the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LiteralError {
    /// A mark inside an unfinished quoted string, or glued to something.
    #[error("A literal can't stand here; what follows can't be told from commands")]
    Misplaced,
    /// More than 2^63 - 1 octets.
    #[error("The literal's size is no number that IMAP allows")]
    Size,
}

/// The literal that follows this line, given without its CRLF: the first line of a command, or what came behind an
/// earlier literal of it. None if the command is complete.
///
/// # Errors
/// [`LiteralError`], for non-synchronizing literals only: who waits for `+` gets a `BAD` from the parser instead.
pub fn at_end(line: &[u8]) -> Result<Option<LiteralMark>, LiteralError> {
    let Some((before, digits, synchronizing)) = shape(line) else {
        return Ok(None);
    };
    let refuse = |error| if synchronizing { Ok(None) } else { Err(error) };
    let (before, binary) = match before.split_last() {
        Some((b'~', before)) => (before, true),
        _ => (before, false),
    };
    if !matches!(before.last(), Some(b' ' | b'(')) || ends_in_quotes(before) {
        return refuse(LiteralError::Misplaced);
    }
    match size(digits) {
        Some(size) => Ok(Some(LiteralMark { size, synchronizing, binary })),
        None => refuse(LiteralError::Size),
    }
}

/// Splits `... {123+}` into what is before the brace, the digits, and whether the client waits.
pub(crate) fn shape(line: &[u8]) -> Option<(&[u8], &[u8], bool)> {
    let inner = line.strip_suffix(b"}")?;
    let (inner, synchronizing) = match inner.strip_suffix(b"+") {
        Some(inner) => (inner, false),
        None => (inner, true),
    };
    let digits = inner.iter().rev().take_while(|octet| octet.is_ascii_digit()).count();
    let (before, digits) = inner.split_at_checked(inner.len().checked_sub(digits)?)?;
    let before = before.strip_suffix(b"{")?;
    (!digits.is_empty()).then_some((before, digits, synchronizing))
}

/// A `number64`.
pub(crate) fn size(digits: &[u8]) -> Option<u64> {
    let mut size = 0u64;
    for digit in digits {
        size = size.checked_mul(10)?.checked_add(u64::from(digit.wrapping_sub(b'0')))?;
    }
    (size <= i64::MAX as u64).then_some(size)
}

/// Whether a quoted string is open at the end.
fn ends_in_quotes(text: &[u8]) -> bool {
    let (mut open, mut escaped) = (false, false);
    for &octet in text {
        match octet {
            _ if escaped => escaped = false,
            b'\\' if open => escaped = true,
            b'"' => open = !open,
            _ => {}
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mark(size: u64, synchronizing: bool, binary: bool) -> Result<Option<LiteralMark>, LiteralError> {
        Ok(Some(LiteralMark { size, synchronizing, binary }))
    }

    #[test]
    fn marks_are_found() {
        assert_eq!(at_end(b"A001 LOGIN {11}"), mark(11, true, false));
        assert_eq!(at_end(b"A001 LOGIN {11+}"), mark(11, false, false));
        assert_eq!(at_end(b"A APPEND x ~{0}"), mark(0, true, true));
        assert_eq!(at_end(b"A APPEND x (\\Seen) ~{10+}"), mark(10, false, true));
        assert_eq!(at_end(b" {7+}"), mark(7, false, false));
        assert_eq!(at_end(b"A LIST \"\" ({3}"), mark(3, true, false));
        assert_eq!(at_end(b"A LOGIN \"a\\\"b\" {3+}"), mark(3, false, false));
        assert_eq!(at_end(b"A LOGIN \"a\\\\\" {3+}"), mark(3, false, false));
        assert_eq!(at_end(b"A X {9223372036854775807}"), mark(i64::MAX as u64, true, false));
        assert_eq!(at_end(b"A X {05+}"), mark(5, false, false));
    }

    #[test]
    fn other_ends_are_none() {
        for line in [
            "",
            "}",
            "{}",
            "A NOOP",
            "A X {",
            "A X {}",
            "A X {+}",
            "A X {5-}",
            "A X {5++}",
            "A X {5} ",
            "A X {-5}",
            "A X \"{5+}\"",
            "A X \"{5}\"",
            "A X 5}",
            "A X 5+}",
        ] {
            assert_eq!(at_end(line.as_bytes()), Ok(None), "{line}");
        }
    }

    #[test]
    fn doubtful_marks_end_the_connection_unless_the_client_waits() {
        for line in [
            "A X \"{5+}",
            "A X \"a\\\" {5+}",
            "A X a{5+}",
            "{5+}",
            "A X a\"b {5+}",
            "A X ]{5+}",
            "A X ~~{5+}",
            "A X a~{5+}",
            "~{5+}",
        ] {
            assert_eq!(at_end(line.as_bytes()), Err(LiteralError::Misplaced), "{line}");
            assert_eq!(at_end(line.replace('+', "").as_bytes()), Ok(None), "{line}");
        }
        assert_eq!(at_end(b"A X {9223372036854775808+}"), Err(LiteralError::Size));
        assert_eq!(at_end(b"A X {99999999999999999999999+}"), Err(LiteralError::Size));
        assert_eq!(at_end(b"A X {9223372036854775808}"), Ok(None));
    }

    proptest! {
        #[test]
        fn never_panics(line in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = at_end(&line);
        }

        #[test]
        fn never_inside_quotes(text in "[a-z{}+0-9~ \\\\\"]{0,20}", size in any::<u32>()) {
            let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
            let line = format!("A LOGIN \"{escaped} {{{size}}}");
            prop_assert_eq!(at_end(line.as_bytes()), Ok(None));
            let line = format!("A LOGIN \"{escaped}\" {{{size}+}}");
            prop_assert_eq!(at_end(line.as_bytes()), mark(u64::from(size), false, false));
        }
    }
}
