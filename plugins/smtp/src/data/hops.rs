//! Counts `Received:` fields, so that a message that goes round in circles is stopped (RFC 5321 section 6.3).

use memchr::memchr;

/// Counts while the content goes by; remembers a position, no octets.
#[derive(Debug)]
pub struct HopCounter {
    hops: usize,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Behind this many octets of a line, all of which were those of `received:`.
    Name(usize),
    /// Further on in a line.
    Rest,
    /// Behind the empty line.
    Body,
}

impl Default for HopCounter {
    fn default() -> Self {
        HopCounter { hops: 0, place: Place::Name(0) }
    }
}

impl HopCounter {
    /// Looks at the next octets of the decoded message.
    pub fn feed(&mut self, mut content: &[u8]) {
        while let Some((&byte, rest)) = content.split_first() {
            match self.place {
                Place::Body => return,
                Place::Rest => match memchr(b'\n', content) {
                    None => return,
                    Some(at) => {
                        self.place = Place::Name(0);
                        content = &content[at + 1..];
                    }
                },
                Place::Name(matched) => {
                    self.place = self.name(matched, byte);
                    content = rest;
                }
            }
        }
    }

    /// How many there are in the header so far.
    pub fn hops(&self) -> usize {
        self.hops
    }

    fn name(&mut self, matched: usize, byte: u8) -> Place {
        if matched == 0 && byte == b'\r' {
            // In decoded content LF follows every CR: this line is empty.
            return Place::Body;
        }
        if RECEIVED[matched] != byte.to_ascii_lowercase() {
            // A line that ends here already must not swallow the next one.
            return if byte == b'\n' { Place::Name(0) } else { Place::Rest };
        }
        if matched + 1 < RECEIVED.len() {
            return Place::Name(matched + 1);
        }
        self.hops += 1;
        Place::Rest
    }
}

const RECEIVED: &[u8] = b"received:";

#[cfg(test)]
mod tests {
    use super::*;

    fn count(pieces: &[&[u8]]) -> usize {
        let mut hops = HopCounter::default();
        for piece in pieces {
            hops.feed(piece);
        }
        hops.hops()
    }

    #[test]
    fn counts_in_the_header_only() {
        let message: &[u8] = b"Received: a\r\n by b\r\nRECEIVED: c\r\nX-Received: d\r\nReceivedd: e\r\n Received: f\r\n\r\nReceived: g\r\n";
        assert_eq!(count(&[message]), 2);
        let octets: Vec<&[u8]> = message.chunks(1).collect();
        assert_eq!(count(&octets), 2);
        for cut in 0..message.len() {
            assert_eq!(count(&[&message[..cut], &message[cut..]]), 2, "cut at {cut}");
        }
    }

    #[test]
    fn a_message_without_header_has_no_hops() {
        assert_eq!(count(&[b"\r\nReceived: a\r\n"]), 0);
        assert_eq!(count(&[b""]), 0);
    }
}
