//! Hashes of other schemes, as they come with accounts from elsewhere: bcrypt (`$2a$`, `$2b$`, `$2y$`) and SHA-crypt (`$5$`,
//! `$6$`), with or without the `{SCHEME}` that some servers put in front, which argon2 hashes may have too.
//!
//! They are never made here: at the first right login each is replaced by ours ([`crate::upgrade`]). What is weaker than these
//! (unsalted or fast hashes) is not taken: such accounts need a new password.
//!
//! **Bounds**: what a check may cost: bcrypt's cost up to [`MAX_BCRYPT_COST`], SHA-crypt's rounds up to [`MAX_SHA_ROUNDS`]. Each of
//! its rounds hashes the password again, so that a longer one costs more: one of up to 128 octets always fits; a longer one does
//! not where it would cost more than [`MAX_SHA_BLOCKS`].

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
                if rounds(hash)? > MAX_SHA_ROUNDS {
                    return Err(HashError::ImportedCost);
                }
                let mut fields = hash.split('$').skip(2).peekable();
                fields.next_if(|field| field.starts_with(ROUNDS));
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
            Imported::Sha(hash) if !rounds(hash).is_ok_and(|rounds| is_affordable(hash, rounds, password)) => false,
            Imported::Sha(hash) => {
                PasswordHashRef::new(hash).is_ok_and(|hash| ShaCrypt::default().verify_password(password, hash).is_ok())
            }
        }
    }
}

/// How often SHA-crypt hashes.
fn rounds(hash: &str) -> Result<u32, HashError> {
    match hash.split('$').nth(2).and_then(|field| field.strip_prefix(ROUNDS)) {
        Some(rounds) => rounds.parse().map_err(|_| HashError::Form),
        None => Ok(DEFAULT_SHA_ROUNDS),
    }
}

/// Whether a guess costs no more than it may. A round takes the last digest, most often the salt, and the password up to twice.
fn is_affordable(hash: &str, rounds: u32, password: &[u8]) -> bool {
    let (digest, block, padding) = if hash.starts_with("$5$") { (32, 64, 9) } else { (64, 128, 17) };
    let octets = digest + MAX_SALT + 2 * password.len() + padding;
    u64::from(rounds) * octets.div_ceil(block) as u64 <= MAX_SHA_BLOCKS
}

/// About two seconds.
const MAX_BCRYPT_COST: u32 = 15;
/// Of these a password of 128 octets costs [`MAX_SHA_BLOCKS`].
const MAX_SHA_ROUNDS: u32 = 1_000_000;
/// About two seconds.
const MAX_SHA_BLOCKS: u64 = 5_000_000;
/// Crypt's own.
const DEFAULT_SHA_ROUNDS: u32 = 5_000;
const ROUNDS: &str = "rounds=";
const MAX_SALT: usize = 16;
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
            (SHA_512.replace("$6$", "$6$rounds=1000001$"), HashError::ImportedCost),
            (SHA_512.replace("$6$", "$6$rounds=9$rounds=9$"), HashError::Form),
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

    #[test]
    fn a_long_password_does_not_cost_more_than_a_guess_may() {
        for scheme in ["$5$", "$6$"] {
            let may = |rounds, octets| is_affordable(scheme, rounds, &vec![b'x'; octets]);
            assert!(may(MAX_SHA_ROUNDS, 128), "whatever is taken is good for ordinary passwords");
            assert!(!may(MAX_SHA_ROUNDS, 1024) && !may(656_000, 1024));
            assert!(may(DEFAULT_SHA_ROUNDS, 1024) && may(100_000, 1024));
        }
        // Quick, since it isn't even begun.
        let dear = SHA_512.replace("$6$", "$6$rounds=1000000$");
        let imported = Imported::of(&dear).unwrap();
        assert_eq!(imported.check(), Ok(()));
        assert!(!imported.fits(&[b'x'; 1024]));
    }
}
