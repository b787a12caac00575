//! Taking off a transfer encoding while octets go by (RFC 2045 sections 6.7 and 6.8).
//!
//! Lenient as clients are: base64 passes over what is not of its alphabet and goes on behind padding; quoted-printable
//! leaves an `=` alone that begins nothing. What is kept between pieces is at most a line's trailing white space, and of
//! that at most a kilobyte.

mod base64;
mod quoted_printable;

use super::summary::Part;
use base64::Base64;
use quoted_printable::QuotedPrintable;

/// A transfer encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// `7bit`, `8bit`, `binary`: nothing to take off.
    Identity,
    /// `base64`.
    Base64,
    /// `quoted-printable`.
    QuotedPrintable,
}

impl Encoding {
    /// The encoding of a part's body; `None` if it is not known (IMAP's `UNKNOWN-CTE`).
    pub fn of(part: &Part) -> Option<Encoding> {
        match part.encoding.as_str() {
            "7bit" | "8bit" | "binary" => Some(Encoding::Identity),
            "base64" => Some(Encoding::Base64),
            "quoted-printable" => Some(Encoding::QuotedPrintable),
            _ => None,
        }
    }
}

/// Decodes a body in pieces; what comes out does not depend on how it was cut.
#[derive(Debug)]
pub struct Decoder(Inner);

#[derive(Debug)]
enum Inner {
    Identity,
    Base64(Base64),
    QuotedPrintable(QuotedPrintable),
}

impl Decoder {
    /// A decoder at the begin of a body.
    pub fn new(encoding: Encoding) -> Self {
        Decoder(match encoding {
            Encoding::Identity => Inner::Identity,
            Encoding::Base64 => Inner::Base64(Base64::default()),
            Encoding::QuotedPrintable => Inner::QuotedPrintable(QuotedPrintable::default()),
        })
    }

    /// What the next octets of the body decode to; never much more than they are.
    pub fn push(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(piece.len());
        match &mut self.0 {
            Inner::Identity => out.extend_from_slice(piece),
            Inner::Base64(base64) => base64.push(piece, &mut out),
            Inner::QuotedPrintable(quoted) => quoted.push(piece, &mut out),
        }
        out
    }

    /// What is left at the end of the body.
    pub fn finish(self) -> Vec<u8> {
        match self.0 {
            Inner::Identity | Inner::Base64(_) => Vec::new(),
            Inner::QuotedPrintable(quoted) => quoted.finish(),
        }
    }
}

/// Base64 in one piece, as encoded-words have it.
pub(super) fn decode_base64(text: &[u8]) -> Vec<u8> {
    Decoder::new(Encoding::Base64).push(text)
}

/// The Q encoding of encoded-words (RFC 2047 section 4.2).
pub(super) fn decode_q(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, more @ ..] = rest {
        rest = more;
        match (*first, more) {
            (b'_', _) => out.push(b' '),
            (b'=', [high, low, behind @ ..]) => match hex(*high).zip(hex(*low)) {
                Some((high, low)) => {
                    out.push(high << 4 | low);
                    rest = behind;
                }
                None => out.push(b'='),
            },
            (byte, _) => out.push(byte),
        }
    }
    out
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(encoding: Encoding, text: &[u8]) -> Vec<u8> {
        let mut decoder = Decoder::new(encoding);
        let mut out = decoder.push(text);
        out.extend(decoder.finish());
        out
    }

    #[test]
    fn base64() {
        let check =
            |text: &str, want: &str| assert_eq!(decoded(Encoding::Base64, text.as_bytes()), want.as_bytes(), "{text}");
        check("QUJD\r\nRA==", "ABCD");
        check("QUJDRA", "ABCD");
        check("Q!U-J D\n=", "ABC");
        check("QQ==Qg==", "AB");
        check("", "");
    }

    #[test]
    fn quoted_printable() {
        let check = |text: &str, want: &str| {
            assert_eq!(decoded(Encoding::QuotedPrintable, text.as_bytes()), want.as_bytes(), "{text:?}")
        };
        check("Now's the time =\r\nfor all=20\r\n", "Now's the time for all \r\n");
        check("a=3Db=3db", "a=b=b");
        check("soft = \t\r\nbreak=\nhere", "soft breakhere");
        check("trailing \t \r\nspace \nx y ", "trailing\r\nspace\nx y");
        check("a=b=XY=4=", "a=b=XY=4");
        check("a =\r", "a ");
        check("a \rb", "a \rb");
        check("==41", "=A");
    }

    #[test]
    fn what_is_held_is_bounded() {
        let mut decoder = Decoder::new(Encoding::QuotedPrintable);
        let out = decoder.push(&b" ".repeat(100_000));
        assert!(out.len() >= 100_000 - quoted_printable::MAX_HELD);
        let mut decoder = Decoder::new(Encoding::QuotedPrintable);
        let out = decoder.push(&[b"=".as_slice(), &b" ".repeat(100_000)].concat());
        assert!(out.len() >= 100_000 - quoted_printable::MAX_HELD);
    }

    proptest! {
        #[test]
        fn base64_of_anything_decodes(octets in proptest::collection::vec(any::<u8>(), 0..100)) {
            let text = data_encoding::BASE64_MIME.encode(&octets);
            prop_assert_eq!(decoded(Encoding::Base64, text.as_bytes()), octets);
        }

        #[test]
        fn cuts_change_nothing(text in "[=A0 \t\r\nxyQ/]{0,40}", cut in 0_usize..40) {
            for encoding in [Encoding::Base64, Encoding::QuotedPrintable, Encoding::Identity] {
                let (begin, end) = text.as_bytes().split_at(cut.min(text.len()));
                let mut decoder = Decoder::new(encoding);
                let mut out = decoder.push(begin);
                out.extend(decoder.push(end));
                out.extend(decoder.finish());
                prop_assert_eq!(out, decoded(encoding, text.as_bytes()));
            }
        }
    }
}
