//! Where TOP stops: behind the header, the empty line, and so many lines of the body (RFC 1939 section 7).

use memchr::memchr;

/// Counts lines while the message goes by.
#[derive(Debug)]
pub struct TopFilter {
    in_header: bool,
    line: Line,
    lines_left: u64,
}

/// What has come of the current line, in however many pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// Nothing.
    Empty,
    /// One CR.
    Cr,
    /// Anything else.
    Text,
}

impl TopFilter {
    /// A filter at the start of a message, for this many lines of its body.
    pub fn new(lines: u64) -> Self {
        TopFilter { in_header: true, line: Line::Empty, lines_left: lines }
    }

    /// How many octets of the next piece belong to the answer. Once that is fewer than there are, or
    /// [`TopFilter::done`], the rest of the message is of no interest.
    pub fn take(&mut self, piece: &[u8]) -> usize {
        let mut at = 0;
        while at < piece.len() && !self.done() {
            let Some(length) = memchr(b'\n', &piece[at..]) else {
                self.look(&piece[at..]);
                return piece.len();
            };
            self.look(&piece[at..at + length]);
            self.end_line();
            at += length + 1;
        }
        at
    }

    /// Whether nothing more belongs to the answer.
    pub fn done(&self) -> bool {
        !self.in_header && self.lines_left == 0
    }

    fn look(&mut self, part: &[u8]) {
        self.line = match (self.line, part) {
            (line, b"") => line,
            (Line::Empty, b"\r") => Line::Cr,
            _ => Line::Text,
        };
    }

    fn end_line(&mut self) {
        if self.in_header {
            self.in_header = self.line == Line::Text;
        } else {
            self.lines_left -= 1;
        }
        self.line = Line::Empty;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn top<'a>(lines: u64, pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
        let mut filter = TopFilter::new(lines);
        let mut out = Vec::new();
        for piece in pieces {
            let taken = filter.take(piece);
            out.extend_from_slice(&piece[..taken]);
            assert!(taken == piece.len() || filter.done());
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn header_and_lines() {
        for (message, lines, want) in [
            ("A: b\r\n\r\none\r\ntwo\r\n", 0, "A: b\r\n\r\n"),
            ("A: b\r\n\r\none\r\ntwo\r\n", 1, "A: b\r\n\r\none\r\n"),
            ("A: b\r\n\r\none\r\ntwo\r\n", 99, "A: b\r\n\r\none\r\ntwo\r\n"),
            ("A: b\r\n\r\n\r\n\r\nx", 2, "A: b\r\n\r\n\r\n\r\n"),
            ("A: b\r\nno body", 5, "A: b\r\nno body"),
            ("\r\nonly body\r\n", 0, "\r\n"),
            ("A: b\n\nunix\n", 0, "A: b\n\n"),
            ("A\r:\r\n\r\nx", 0, "A\r:\r\n\r\n"),
            ("A: b\r\n\r\r\n\r\nx", 0, "A: b\r\n\r\r\n\r\n"),
            ("", 3, ""),
        ] {
            assert_eq!(top(lines, [message.as_bytes()]), want, "{message:?} {lines}");
            assert_eq!(top(lines, message.as_bytes().chunks(1)), want, "{message:?} {lines} octet by octet");
        }
    }
}
