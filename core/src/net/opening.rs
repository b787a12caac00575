//! With what a client opens a connection, where text is expected: by mistake it may be TLS.
//!
//! A ClientHello comes in a record of type 22 whose version is 3.0 to 3.4 (RFC 8446 section 5.1); no command of a text protocol
//! begins so. Three octets decide, in however many packets they come.

/// The type of a record with a part of the handshake.
const HANDSHAKE: u8 = 22;
/// The major version of SSL 3.0 and all of TLS.
const MAJOR: u8 = 3;
/// The greatest minor version.
const LAST_MINOR: u8 = 4;

/// How much of the beginning has been seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening(u8);

impl Opening {
    /// Nothing has come yet.
    pub const AHEAD: Opening = Opening(0);
    /// It is decided, or does not matter.
    pub const OVER: Opening = Opening(u8::MAX);

    /// Whether nothing is left to decide.
    pub fn is_over(self) -> bool {
        self == Opening::OVER
    }

    /// Takes the octets that come next; whether it is certain by now that a ClientHello has begun.
    pub fn is_client_hello(&mut self, octets: &[u8]) -> bool {
        for &octet in octets {
            let fits = match self.0 {
                0 => octet == HANDSHAKE,
                1 => octet == MAJOR,
                2 => octet <= LAST_MINOR,
                _ => return false,
            };
            if !fits || self.0 == 2 {
                *self = Opening::OVER;
                return fits;
            }
            self.0 += 1;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_octets_decide_however_they_come() {
        for (octets, is_one) in [
            (&b"\x16\x03\x00"[..], true),
            (b"\x16\x03\x01\x02\x00\x01", true),
            (b"\x16\x03\x04", true),
            (b"\x16\x03\x05\x16\x03\x01", false),
            (b"\x16\x02\x01", false),
            (b"\x15\x03\x01", false),
            (b"N\x16\x03\x01", false),
            (b"NOOP\r\n", false),
            (b"\x16\x03", false),
        ] {
            let mut opening = Opening::AHEAD;
            assert_eq!(opening.is_client_hello(octets), is_one, "{octets:?} at once");
            let mut opening = Opening::AHEAD;
            let found = octets.chunks(1).filter(|piece| opening.is_client_hello(piece)).count();
            assert_eq!(found, usize::from(is_one), "{octets:?} one by one");
            assert_eq!(opening.is_over(), octets.len() > 2, "{octets:?}");
        }
    }
}
