//! Hashes of other schemes, as they come with accounts from elsewhere: bcrypt (`$2a$`, `$2b$`, `$2y$`) and SHA-crypt (`$5$`,
//! `$6$`), with or without the `{SCHEME}` that some servers put in front, which argon2 hashes may have too.
//!
//! They are never made here: at the first right login each is replaced by ours ([`crate::upgrade`]). What is weaker than these
//! (unsalted or fast hashes) is not taken: such accounts need a new password.
//!
//! **Bounds**: what a check may cost: bcrypt's cost up to [`MAX_BCRYPT_COST`], SHA-crypt's rounds up to [`MAX_SHA_ROUNDS`].

use crate::password::HashError;
use sha_crypt::{PasswordHashRef, PasswordVerifier, ShaCrypt};

/// A hash of another scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imported<'a> {
    /// bcrypt.
    Bcrypt(&'a str),
    /// SHA-256-crypt or SHA-512-crypt.
    Sha(&'a str),
}

/// A hash without the `{SCHEME}` in front of it.
pub fn bare(hash: &str) -> &str {
    let scheme = hash.strip_prefix('{').and_then(|rest| rest.split_once('}'));
    match scheme {
        Some((scheme, rest)) if SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known)) => rest,
        _ => hash,
    }
}

impl<'a> Imported<'a> {
    /// The scheme of a hash, if it is one of these.
    pub fn of(hash: &'a str) -> Option<Self> {
        let hash = bare(hash);
        match hash.get(..3)? {
            "$2a" | "$2b" | "$2y" => Some(Imported::Bcrypt(hash)),
            "$5$" | "$6$" => Some(Imported::Sha(hash)),
            _ => None,
        }
    }

    /// Whether it can be used.
    ///
    /// # Errors
    /// Why not.
    pub fn check(self) -> Result<(), HashError> {
        match self {
            Imported::Bcrypt(hash) => {
                let parts = hash.parse::<bcrypt::HashParts>().map_err(|_| HashError::Form)?;
                match parts.get_cost() {
                    0..=MAX_BCRYPT_COST => Ok(()),
                    _ => Err(HashError::ImportedCost),
                }
            }
            Imported::Sha(hash) => {
                let mut fields = hash.split('$').skip(2).peekable();
                if let Some(rounds) = fields.peek().and_then(|field| field.strip_prefix("rounds=")) {
                    let rounds: u32 = rounds.parse().map_err(|_| HashError::Form)?;
                    if rounds > MAX_SHA_ROUNDS {
                        return Err(HashError::ImportedCost);
                    }
                    fields.next();
                }
                let length = if hash.starts_with("$5$") { SHA_256_LENGTH } else { SHA_512_LENGTH };
                match (fields.next(), fields.next(), fields.next()) {
                    (Some(_), Some(output), None) if output.len() == length && PasswordHashRef::new(hash).is_ok() => {
                        Ok(())
                    }
                    _ => Err(HashError::Form),
                }
            }
        }
    }

    /// Whether a password has this hash.
    pub fn fits(self, password: &[u8]) -> bool {
        if self.check().is_err() {
            return false;
        }
        match self {
            Imported::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
            Imported::Sha(hash) => {
                PasswordHashRef::new(hash).is_ok_and(|hash| ShaCrypt::default().verify_password(password, hash).is_ok())
            }
        }
    }
}

/// About two seconds.
const MAX_BCRYPT_COST: u32 = 15;
/// About two seconds; crypt's own default is 5,000.
const MAX_SHA_ROUNDS: u32 = 5_000_000;
const SHA_256_LENGTH: usize = 43;
const SHA_512_LENGTH: usize = 86;
const SCHEMES: [&str; 7] = ["ARGON2ID", "ARGON2I", "ARGON2", "BLF-CRYPT", "SHA256-CRYPT", "SHA512-CRYPT", "CRYPT"];

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the password `correct horse`, by others: `openssl passwd` and crypt(3).
    pub const BCRYPT: &str = "$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e";
    pub const SHA_512: &str =
        "$6$saltsalt$hRM5XZ86KXEw9UOmjigeVqFgULtFB2sgpC9lXQDfMib3Zgw7mEiUvBJI2EplzfAqxL5Vvwp2scFtv/uamSo5z0";
    const SHA_256: &str = "$5$saltsalt$myjXcpMpE2Ofk7fj9hqyNYSn6lmWG4Mqnjx.KIRRr4/";
    const SHA_ROUNDS: &str = "$6$rounds=10000$saltsalt$EMCAJaVdD8QpgIn1w2Sq1C8/BIypyMaemdjCDgDu8NxiKn5cVOzQe8ZMNovWPPitzBG6NZOSXfpu45VIxD1OF0";

    #[test]
    fn hashes_of_other_implementations() {
        for hash in [BCRYPT, &BCRYPT.replace("$2b$", "$2y$"), SHA_512, SHA_256, SHA_ROUNDS] {
            for hash in [hash.to_owned(), format!("{{CRYPT}}{hash}"), format!("{{blf-crypt}}{hash}")] {
                let imported = Imported::of(&hash).unwrap();
                assert_eq!(imported.check(), Ok(()), "{hash}");
                assert!(imported.fits(b"correct horse"), "{hash}");
                assert!(!imported.fits(b"wrong horse"), "{hash}");
            }
        }
    }

    #[test]
    fn what_is_not_one_of_them() {
        for other in ["", "$1$salt$hash", "$argon2id$v=19", "{SSHA}x", "{PLAIN}$6$x", "plain", "$"] {
            assert_eq!(Imported::of(other), None, "{other}");
        }
        assert_eq!(bare("{ARGON2ID}$argon2id$x"), "$argon2id$x");
    }

    #[test]
    fn hashes_that_cannot_be_used() {
        for (hash, want) in [
            (BCRYPT.replace("$04$", "$16$"), HashError::ImportedCost),
            (BCRYPT.replace("$04$", "$xx$"), HashError::Form),
            (BCRYPT[..59].to_owned(), HashError::Form),
            ("$2b$".to_owned(), HashError::Form),
            (SHA_512.replace("$6$", "$6$rounds=9000000$"), HashError::ImportedCost),
            (SHA_512.replace("$6$", "$6$rounds=x$"), HashError::Form),
            (SHA_512[..SHA_512.len() - 1].to_owned(), HashError::Form),
            (format!("{SHA_512}$x"), HashError::Form),
            ("$6$".to_owned(), HashError::Form),
        ] {
            let imported = Imported::of(&hash).unwrap();
            assert_eq!(imported.check(), Err(want), "{hash}");
            assert!(!imported.fits(b"correct horse"), "{hash}");
        }
    }
}
