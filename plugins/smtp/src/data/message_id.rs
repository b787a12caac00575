//! Finds the Message-ID (RFC 5322 section 3.6.4) while the message goes by, for the log.
//!
//! Bounds: no more than [`MAX`] octets of it are kept; one that is longer, or not printable ASCII, is taken for none.

use memchr::memchr;

/// No line of a header is longer (RFC 5322 section 2.1.1).
const MAX: usize = 998;

/// Looks at the header as it comes, in pieces of any size.
#[derive(Debug, Default)]
pub struct MessageId {
    place: Place,
    value: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// At the start of a line.
    #[default]
    Start,
    /// Behind this many octets of a line, all of which were those of `message-id:`.
    Name(usize),
    /// In the value.
    Value,
    /// At the start of the line after a line of the value.
    Fold,
    /// Further on in a line that does not matter.
    Rest,
    /// Nothing more is looked at.
    Done,
}

impl MessageId {
    /// Looks at the next octets of the decoded message.
    pub fn feed(&mut self, mut content: &[u8]) {
        while let Some((&byte, rest)) = content.split_first() {
            match self.place {
                Place::Done => return,
                Place::Rest => match memchr(b'\n', content) {
                    None => return,
                    Some(at) => {
                        self.place = Place::Start;
                        content = &content[at + 1..];
                        continue;
                    }
                },
                // In decoded content LF follows every CR: this line is empty, and the header over.
                Place::Start if byte == b'\r' => self.place = Place::Done,
                Place::Start => self.place = name(0, byte),
                Place::Name(matched) => self.place = name(matched, byte),
                Place::Fold if byte != b' ' && byte != b'\t' => self.place = Place::Done,
                Place::Value | Place::Fold => self.place = self.value(byte),
            }
            content = rest;
        }
    }

    /// The Message-ID as it stood there; empty if there is none.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.value).unwrap_or_default()
    }

    fn value(&mut self, byte: u8) -> Place {
        match byte {
            b'\n' => Place::Fold,
            b' ' | b'\t' | b'\r' => Place::Value,
            b'!'..=b'~' if self.value.len() < MAX => {
                self.value.push(byte);
                Place::Value
            }
            _ => {
                self.value.clear();
                Place::Done
            }
        }
    }
}

fn name(matched: usize, byte: u8) -> Place {
    match NAME.get(matched) {
        Some(expected) if *expected == byte.to_ascii_lowercase() => match matched + 1 == NAME.len() {
            true => Place::Value,
            false => Place::Name(matched + 1),
        },
        // A line that ends here already must not swallow the next one.
        _ if byte == b'\n' => Place::Start,
        _ => Place::Rest,
    }
}

const NAME: &[u8] = b"message-id:";

#[cfg(test)]
mod tests {
    use super::*;

    fn find(message: &[u8]) -> String {
        let mut whole = MessageId::default();
        whole.feed(message);
        let found = whole.text().to_owned();
        for cut in 0..message.len() {
            let mut cut_up = MessageId::default();
            cut_up.feed(&message[..cut]);
            cut_up.feed(&message[cut..]);
            assert_eq!(cut_up.text(), found, "cut at {cut}");
        }
        found
    }

    #[test]
    fn the_first_one_in_the_header_counts() {
        assert_eq!(find(b"Subject: x\r\nMESSAGE-ID: <a@x>\r\nMessage-ID: <b@x>\r\n\r\nMessage-ID: <c@x>\r\n"), "<a@x>");
        assert_eq!(find(b"X-Message-ID: <a@x>\r\nMessage-ID:<b@x>\r\n"), "<b@x>");
        assert_eq!(find(b"Message-ID:\r\n\t<a@x>  \r\nTo: b\r\n"), "<a@x>");
    }

    #[test]
    fn none_is_empty() {
        let long = [b"Message-ID: <".as_slice(), &[b'x'; 1000], b">\r\n"].concat();
        for message in [
            b"\r\nMessage-ID: <a@x>\r\n".as_slice(),
            b"Message-I: <a@x>\r\n",
            b"Message-ID: \xff<a@x>\r\n",
            b"Message-ID:\r\n\r\n<a@x>",
            b"",
            &long,
        ] {
            assert_eq!(find(message), "", "{}", String::from_utf8_lossy(message));
        }
    }
}
