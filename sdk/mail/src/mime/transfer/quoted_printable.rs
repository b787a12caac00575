//! Quoted-printable in pieces (RFC 2045 section 6.7).

use memchr::memchr3;

use super::hex;

#[derive(Debug, Default)]
pub(super) struct QuotedPrintable {
    /// What may be white space at the end of a line, or an `=` with what stands behind it so far.
    held: Vec<u8>,
}

impl QuotedPrintable {
    pub(super) fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        let mut rest = piece;
        while !rest.is_empty() {
            if self.held.is_empty() {
                // What stands between the octets that mean something; white space before them may be such an octet.
                let length = memchr3(b'=', b'\n', b'\r', rest).unwrap_or(rest.len());
                let plain = rest.get(..length).unwrap_or(rest);
                let end = plain.iter().rposition(|&byte| !blank(byte)).map_or(0, |at| at + 1);
                let (plain, behind) = rest.split_at_checked(end).unwrap_or((rest, &[]));
                out.extend_from_slice(plain);
                rest = behind;
            }
            if let [byte, behind @ ..] = rest {
                self.octet(*byte, out);
                rest = behind;
            }
        }
    }

    fn octet(&mut self, byte: u8, out: &mut Vec<u8>) {
        match (self.held.as_slice(), byte) {
            // `=` and white space up to the line end: the line goes on.
            ([b'=', rest @ ..], b'\n') if rest.iter().all(|&byte| blank(byte)) => self.held.clear(),
            ([b'='], b' ' | b'\t' | b'\r') => self.held.push(byte),
            ([b'=', rest @ ..], b' ' | b'\t' | b'\r') if rest.iter().all(|&byte| blank(byte)) => self.hold(byte, out),
            ([b'='], _) if hex(byte).is_some() => self.held.push(byte),
            ([b'=', high], _) if hex(*high).is_some() && hex(byte).is_some() => {
                out.push(hex(*high).unwrap_or(0) << 4 | hex(byte).unwrap_or(0));
                self.held.clear();
            }
            ([b'=', ..], _) => {
                out.append(&mut self.held);
                self.octet(byte, out);
            }
            // White space at the end of a line was put there on the way (rule 3).
            ([.., b'\r'], b'\n') => {
                self.held.clear();
                out.extend_from_slice(b"\r\n");
            }
            (_, b'\n') => {
                self.held.clear();
                out.push(b'\n');
            }
            ([.., b'\r'], _) => {
                out.append(&mut self.held);
                self.octet(byte, out);
            }
            (_, b' ' | b'\t' | b'\r') => self.hold(byte, out),
            (_, b'=') => {
                out.append(&mut self.held);
                self.held.push(byte);
            }
            _ => {
                out.append(&mut self.held);
                out.push(byte);
            }
        }
    }

    fn hold(&mut self, byte: u8, out: &mut Vec<u8>) {
        if self.held.len() >= MAX_HELD {
            out.append(&mut self.held);
        }
        self.held.push(byte);
    }

    pub(super) fn finish(self) -> Vec<u8> {
        match self.held.as_slice() {
            [b'=', rest @ ..] if rest.iter().all(|&byte| blank(byte)) => Vec::new(),
            held if held.iter().all(|&byte| matches!(byte, b' ' | b'\t')) => Vec::new(),
            _ => self.held,
        }
    }
}

fn blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}

/// White space that quoted-printable keeps until it knows whether the line ends behind it.
pub(super) const MAX_HELD: usize = 1024;
