//! The SHA-256 of a DER structure, written the way `openssl` and `dovetail certs` write it.
//!
//! Two kinds are met and must not be confused: that of a whole certificate, which changes with each renewal, and that of its
//! public key (SubjectPublicKeyInfo, RFC 7469 section 2.4), which a renewal with the same key keeps. The accounts file holds
//! the latter. Read in either case, with colons or without.

use serde::{de::Error as _, Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};

/// See the module.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; LENGTH]);

/// Why a text is no [`Fingerprint`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no SHA-256 fingerprint: it has 64 hexadecimal digits, with colons between pairs or without")]
pub struct NoFingerprint(String);

impl Fingerprint {
    /// The fingerprint of these octets.
    pub fn of(der: &[u8]) -> Self {
        Fingerprint(Sha256::digest(der).into())
    }
}

impl FromStr for Fingerprint {
    type Err = NoFingerprint;
    fn from_str(text: &str) -> Result<Self, NoFingerprint> {
        let bad = || NoFingerprint(text.chars().take(MAX_SHOWN).collect());
        let mut octets = [0; LENGTH];
        let mut digits = text.trim().bytes();
        for (at, octet) in octets.iter_mut().enumerate() {
            let mut next = digits.next();
            if at > 0 && next == Some(b':') {
                next = digits.next();
            }
            let high = next.and_then(digit).ok_or_else(bad)?;
            let low = digits.next().and_then(digit).ok_or_else(bad)?;
            *octet = high << 4 | low;
        }
        match digits.next() {
            None => Ok(Fingerprint(octets)),
            Some(_) => Err(bad()),
        }
    }
}

fn digit(letter: u8) -> Option<u8> {
    char::from(letter).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, octet) in self.0.iter().enumerate() {
            let colon = if at > 0 { ":" } else { "" };
            write!(f, "{colon}{octet:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

const LENGTH: usize = 32;
const MAX_SHOWN: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn is_written_as_openssl_does_and_read_in_each_form() {
        // The SHA-256 of "abc" (FIPS 180-4, appendix B.1).
        let text = "BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD";
        let print = Fingerprint::of(b"abc");
        assert_eq!(print.to_string(), text);
        for form in [text.to_lowercase(), text.replace(':', ""), format!(" {text}\n")] {
            assert_eq!(form.parse(), Ok(print), "{form}");
        }
        let digits = text.replace(':', "");
        for bad in ["", "BA", &text[1..], &text[..94], &digits[..63], &format!("{text}00"), &text.replace(':', "-")] {
            assert!(bad.parse::<Fingerprint>().is_err(), "{bad}");
        }
        assert!(format!(":{text}").parse::<Fingerprint>().is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_nothing_panics(octets: [u8; 32], text in ".{0,200}") {
            let print = Fingerprint(octets);
            prop_assert_eq!(print.to_string().parse(), Ok(print));
            let _ = text.parse::<Fingerprint>();
        }
    }
}
