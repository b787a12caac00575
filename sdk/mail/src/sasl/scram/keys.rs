//! The keys of SCRAM-SHA-256 (RFC 5802 section 3, RFC 7677): how they are made of a password, and how they are written down.
//!
//! Making them takes as long as the iterations ask for, by design: do it where a thread may block.
//!
//! The written form is that of RFC 5803 and of many databases:
//! `SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY`, the latter three in base64.
//!
//! **Bounds**: [`MIN_ITERATIONS`] to [`MAX_ITERATIONS`], a salt of 1 to [`MAX_SALT`] octets.

use std::borrow::Cow;

use data_encoding::BASE64;
pub use dovetail_sdk::directory::ScramKeys;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Octets of a key.
pub const KEY_OCTETS: usize = 32;
/// Fewest iterations that may be used (RFC 7677 section 4).
pub const MIN_ITERATIONS: u32 = 4096;
/// Most iterations: a client would take seconds for them.
pub const MAX_ITERATIONS: u32 = 10_000_000;
/// Longest salt, in octets.
pub const MAX_SALT: usize = 64;

/// `StoredKey`, `ServerKey`, or a signature.
pub(crate) type Key = [u8; KEY_OCTETS];

/// Why a text is not the written form of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// Something else.
    #[error(
        "they are not of the form SCRAM-SHA-256$iterations:salt$storedkey:serverkey, with the last three in base64"
    )]
    Form,
    /// Too few or too many iterations.
    #[error("the iterations are {0}; there must be {MIN_ITERATIONS} to {MAX_ITERATIONS}")]
    Iterations(u32),
    /// A salt out of bounds.
    #[error("the salt has {0} octets; there must be 1 to {MAX_SALT}")]
    Salt(usize),
}

/// The keys of a password. Takes as long as the iterations ask for.
pub fn derive(password: &[u8], salt: &[u8], iterations: u32) -> ScramKeys {
    let mut salted = Zeroizing::new([0; KEY_OCTETS]);
    pbkdf2::pbkdf2_hmac::<Sha256>(&prepare(password), salt, iterations, salted.as_mut());
    let client_key = Zeroizing::new(mac(&salted, b"Client Key"));
    ScramKeys {
        salt: salt.to_vec(),
        iterations,
        stored_key: dovetail_sdk::Secret::new(Sha256::digest(client_key.as_slice()).to_vec()),
        server_key: dovetail_sdk::Secret::new(mac(&salted, b"Server Key").to_vec()),
    }
}

/// A password as keys are made of it: by SASLprep (RFC 4013). What is no UTF-8, or has characters that SASLprep does not allow
/// (those that came after Unicode 3.2, such as most emoji, among them), is taken as it is: clients that refuse it can do no
/// login, and all others that are known do the same.
pub fn prepare(password: &[u8]) -> Zeroizing<Vec<u8>> {
    let prepared = std::str::from_utf8(password).ok().and_then(|text| stringprep::saslprep(text).ok());
    Zeroizing::new(match prepared.filter(|text| !text.is_empty()) {
        Some(Cow::Owned(text)) => text.into_bytes(),
        Some(Cow::Borrowed(text)) => text.as_bytes().to_vec(),
        None => password.to_vec(),
    })
}

/// Writes keys down. Whoever reads that can guess passwords.
pub fn write_keys(keys: &ScramKeys) -> String {
    let (salt, stored) = (BASE64.encode(&keys.salt), BASE64.encode(keys.stored_key.expose()));
    format!("{NAME}${}:{salt}${stored}:{}", keys.iterations, BASE64.encode(keys.server_key.expose()))
}

/// Reads keys that were written down.
///
/// # Errors
/// [`KeysError`].
pub fn parse_keys(text: &str) -> Result<ScramKeys, KeysError> {
    let mut parts = text.split('$');
    let (Some(NAME), Some(costs), Some(keys), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err(KeysError::Form);
    };
    let (iterations, salt) = costs.split_once(':').ok_or(KeysError::Form)?;
    let (stored, server) = keys.split_once(':').ok_or(KeysError::Form)?;
    let octets = |text: &str| BASE64.decode(text.as_bytes()).map_err(|_| KeysError::Form);
    let key = |text: &str| octets(text).and_then(|octets| Key::try_from(octets).map_err(|_| KeysError::Form));
    // `parse` takes a sign too.
    let iterations = match iterations.bytes().all(|b| b.is_ascii_digit()) {
        true => iterations.parse::<u32>().map_err(|_| KeysError::Form)?,
        false => return Err(KeysError::Form),
    };
    if !(MIN_ITERATIONS..=MAX_ITERATIONS).contains(&iterations) {
        return Err(KeysError::Iterations(iterations));
    }
    let salt = octets(salt)?;
    if salt.is_empty() || salt.len() > MAX_SALT {
        return Err(KeysError::Salt(salt.len()));
    }
    let secret = |key: Key| dovetail_sdk::Secret::new(key.to_vec());
    Ok(ScramKeys { salt, iterations, stored_key: secret(key(stored)?), server_key: secret(key(server)?) })
}

/// HMAC-SHA-256.
pub(super) fn mac(key: &Key, message: &[u8]) -> Key {
    let mut block = [0; BLOCK];
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(message);
    mac.finalize().into_bytes().into()
}

const NAME: &str = "SCRAM-SHA-256";
/// Octets of a block of SHA-256.
const BLOCK: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_of_an_independent_implementation() {
        // python3: hashlib.pbkdf2_hmac, hmac and base64 over the password and salt of RFC 7677 section 3.
        let salt = BASE64.decode(b"W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let keys = derive(b"pencil", &salt, 4096);
        let text = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
        assert_eq!(write_keys(&keys), text);
        assert_eq!(write_keys(&parse_keys(text).unwrap()), text);
    }

    #[test]
    fn passwords_are_prepared() {
        for (password, prepared) in [
            // RFC 4013 section 3.
            ("I\u{ad}X", "IX"),
            ("\u{aa}", "a"),
            ("\u{2168}", "IX"),
            ("user", "user"),
            // Not allowed there, so taken as they are.
            ("a\u{7}b", "a\u{7}b"),
            ("\u{1f40e}", "\u{1f40e}"),
            ("\u{ad}", "\u{ad}"),
        ] {
            assert_eq!(prepare(password.as_bytes()).as_slice(), prepared.as_bytes(), "{password:?}");
        }
        assert_eq!(prepare(b"\xff\xfe").as_slice(), b"\xff\xfe");
    }

    #[test]
    fn what_is_no_written_form() {
        let key = BASE64.encode(&[1; 32]);
        let long = BASE64.encode(&[1; MAX_SALT + 1]);
        for (text, want) in [
            (String::new(), KeysError::Form),
            (format!("SCRAM-SHA-1$4096:AA==${key}:{key}"), KeysError::Form),
            (format!("SCRAM-SHA-256$4096:AA==${key}"), KeysError::Form),
            (format!("SCRAM-SHA-256$4096:AA==${key}:{key}$"), KeysError::Form),
            (format!("SCRAM-SHA-256$4096:AA${key}:{key}"), KeysError::Form),
            (format!("SCRAM-SHA-256$+4096:AA==${key}:{key}"), KeysError::Form),
            (format!("SCRAM-SHA-256$4096:AA==$AA==:{key}"), KeysError::Form),
            (format!("SCRAM-SHA-256$99999999999:AA==${key}:{key}"), KeysError::Form),
            (format!("SCRAM-SHA-256$4095:AA==${key}:{key}"), KeysError::Iterations(4095)),
            (format!("SCRAM-SHA-256$10000001:AA==${key}:{key}"), KeysError::Iterations(10_000_001)),
            (format!("SCRAM-SHA-256$4096:${key}:{key}"), KeysError::Salt(0)),
            (format!("SCRAM-SHA-256$4096:{long}${key}:{key}"), KeysError::Salt(65)),
        ] {
            assert_eq!(parse_keys(&text).map(|_| ()), Err(want), "{text}");
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let shown = format!("{:?}", derive(b"pencil", b"salt", 1));
        assert_eq!(shown.matches("Secret(32 bytes)").count(), 2, "{shown}");
        assert!(!shown.contains("pencil"));
    }

    proptest! {
        #[test]
        fn nothing_makes_the_reader_panic(text in "(SCRAM-SHA-256)?[$:0-9A-Za-z=+/]{0,60}") {
            let _ = parse_keys(&text);
        }
    }
}
