//! Finds where a message's header section ends, while the message goes by (RFC 5322 section 2.1: the first empty line).
//!
//! Octets come in whatever pieces; remembered is a position and what the line has so far.

/// Looks for the first empty line. A message that begins with one has no header fields, and a header of that line alone.
#[derive(Debug)]
pub struct HeaderEnd {
    /// Octets that went by.
    seen: u64,
    line: Line,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// Nothing of it yet.
    Start,
    /// A CR and nothing else.
    Cr,
    /// Something.
    Text,
    /// The empty one went by; the header has so many octets, with it.
    Found(u64),
}

impl Default for HeaderEnd {
    fn default() -> Self {
        HeaderEnd { seen: 0, line: Line::Start }
    }
}

impl HeaderEnd {
    /// Looks at the next octets.
    pub fn feed(&mut self, octets: &[u8]) {
        for (position, &octet) in (1u64..).zip(octets) {
            self.line = match (self.line, octet) {
                (Line::Found(_), _) => break,
                (Line::Start | Line::Cr, b'\n') => Line::Found(self.seen + position),
                (Line::Start, b'\r') => Line::Cr,
                (_, b'\n') => Line::Start,
                _ => Line::Text,
            };
        }
        self.seen += octets.len() as u64;
    }

    /// The header's length with the empty line, if that went by.
    pub fn found(&self) -> Option<u64> {
        match self.line {
            Line::Found(length) => Some(length),
            _ => None,
        }
    }

    /// The header's length with the empty line; all that went by if there was none.
    pub fn length(&self) -> u64 {
        self.found().unwrap_or(self.seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ends_behind_the_first_empty_line() {
        for (message, length) in [
            (&b""[..], 0),
            (b"\r\n", 2),
            (b"\r\nbody", 2),
            (b"A: b\r\n", 6),
            (b"A: b\r\n\r\n", 8),
            (b"A: b\r\n\r\nbody\r\n\r\nmore", 8),
            (b"A: b\r\n \r\nB: c\r\n\r\nx", 17),
            (b"A: b\n\nbody", 6),
            (b"A: b\r\rx\r\n\r\n", 11),
            (b"\rA\r\n\r\n", 6),
        ] {
            let mut end = HeaderEnd::default();
            end.feed(message);
            assert_eq!(end.length(), length, "{:?}", String::from_utf8_lossy(message));
        }
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(message in "[ab:\r\n ]{0,40}", cuts in proptest::collection::vec(0usize..40, 0..5)) {
            let mut whole = HeaderEnd::default();
            whole.feed(message.as_bytes());
            let mut cut: Vec<usize> = cuts.into_iter().map(|at| at.min(message.len())).chain([0, message.len()]).collect();
            cut.sort_unstable();
            let mut parts = HeaderEnd::default();
            cut.windows(2).for_each(|pair| parts.feed(&message.as_bytes()[pair[0]..pair[1]]));
            prop_assert_eq!(whole.length(), parts.length());
        }
    }
}
