//! One password in the forms that key derivations take.
//!
//! PKCS#5 hashes its bytes. PKCS#12 hashes them as UTF-16, big endian, with two zero bytes behind (RFC 7292 appendix
//! B.1), about which programs disagree: what an empty password is, and how letters beyond ASCII become UTF-16. So a bundle
//! is tried with each form that some program is known to write.

use zeroize::Zeroizing;

/// A password.
pub struct Password {
    /// Its bytes, for PKCS#5.
    pub bytes: Zeroizing<Vec<u8>>,
    /// The same for PKCS#12.
    pub wide: Zeroizing<Vec<u8>>,
}

impl Password {
    /// As the standards have it.
    pub fn new(bytes: &[u8]) -> Self {
        Self { bytes: Zeroizing::new(bytes.to_vec()), wide: wide(bytes) }
    }

    /// Each form that a PKCS#12 bundle may be under, the likeliest first.
    pub fn forms(given: &[u8]) -> Vec<Self> {
        let mut forms = vec![Self::new(given)];
        let same_bytes = |wide: Zeroizing<Vec<u8>>| Self { bytes: Zeroizing::new(given.to_vec()), wide };
        if given.is_empty() {
            // No password at all, which some exporters distinguish from an empty one.
            forms.push(same_bytes(Zeroizing::new(Vec::new())));
        } else if !given.is_ascii() {
            // OpenSSL before 1.1 made each byte a letter.
            forms.push(same_bytes(terminated(given.iter().map(|&byte| u16::from(byte)))));
        }
        // NSS once used the PKCS#12 form with PKCS#5 schemes.
        let wide = wide(given);
        forms.push(Self { bytes: wide.clone(), wide });
        forms
    }
}

/// UTF-16, big endian, zero-terminated. What isn't UTF-8 is taken for Latin-1.
fn wide(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    match std::str::from_utf8(bytes) {
        Ok(text) => terminated(text.encode_utf16()),
        Err(_) => terminated(bytes.iter().map(|&byte| u16::from(byte))),
    }
}

fn terminated(units: impl Iterator<Item = u16>) -> Zeroizing<Vec<u8>> {
    let units: Zeroizing<Vec<u16>> = Zeroizing::new(units.chain([0]).collect());
    Zeroizing::new(units.iter().flat_map(|unit| unit.to_be_bytes()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pkcs12_takes_utf_16_with_zeros_behind() {
        // RFC 7292 appendix B.1: "Beavis".
        assert_eq!(Password::new(b"Beavis").wide[..], *b"\0B\0e\0a\0v\0i\0s\0\0");
        assert_eq!(Password::new("ä€𝄞".as_bytes()).wide[..], *b"\x00\xe4\x20\xac\xd8\x34\xdd\x1e\0\0");
        assert_eq!(Password::new(b"\xe4").wide[..], *b"\x00\xe4\0\0");
    }

    #[test]
    fn an_empty_password_is_also_none_and_letters_are_also_bytes() {
        let wides =
            |given: &[u8]| -> Vec<Vec<u8>> { Password::forms(given).iter().map(|form| form.wide.to_vec()).collect() };
        assert_eq!(wides(b""), [b"\0\0".to_vec(), b"".to_vec(), b"\0\0".to_vec()]);
        assert_eq!(wides("ä".as_bytes())[..2], [b"\0\xe4\0\0".to_vec(), b"\0\xc3\0\xa4\0\0".to_vec()]);
        let forms = Password::forms(b"x");
        assert_eq!((&forms[0].bytes[..], &forms[1].bytes[..]), (&b"x"[..], &b"\0x\0\0"[..]));
        assert_eq!(forms.len(), 2);
    }
}
