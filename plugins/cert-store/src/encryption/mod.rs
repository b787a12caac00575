//! Opening what is encrypted under a password: PKCS#5 (RFC 8018) and PKCS#12 (RFC 7292) schemes, and OpenSSL's old PEM
//! encryption.
//!
//! Reading only: what is stored here is never encrypted, because a server starts without a person. Old ciphers are
//! understood to get keys out of old files, never to protect anything. Fails by naming a method that isn't known, and on
//! costs above the limits, both before any work is done; a wrong password is told from damage as far as the format lets
//! us. Bounds: [`MAX_ROUNDS`] and [`MAX_MEMORY`] for one password hashing, [`MAX_TOTAL_ROUNDS`] for all of one file.

mod cipher;
mod kdf;
pub mod legacy;
mod names;
mod password;
mod scheme;

pub use kdf::{hmac_algorithm, limited, pkcs12_key, Pkcs12Hash, Pkcs12Purpose};
pub use password::Password;
pub use scheme::{is_pbkdf2, pbkdf2_parameters, salt, Scheme};

use crate::ber::BerError;

/// The most rounds of one password hashing.
pub const MAX_ROUNDS: u64 = 10_000_000;
/// The most memory that scrypt may ask for.
pub const MAX_MEMORY: u64 = 256 * 1024 * 1024;
/// The most rounds for everything in one file. A PKCS#12 bundle hashes its password three times or so.
pub const MAX_TOTAL_ROUNDS: u64 = 4 * MAX_ROUNDS;

/// A password, if there is one, and how much work it may cause.
pub struct Opener<'p> {
    /// What the user gave.
    pub password: Option<&'p [u8]>,
    work: Work,
}

impl<'p> Opener<'p> {
    /// For one file.
    pub fn new(password: Option<&'p [u8]>) -> Self {
        Self { password, work: Work { left: MAX_TOTAL_ROUNDS, limit: "40,000,000 rounds in one file" } }
    }

    /// For one of many files, with so many rounds for all that are left.
    pub fn among_many(password: Option<&'p [u8]>, rounds: u64) -> Self {
        match rounds >= MAX_TOTAL_ROUNDS {
            true => Self::new(password),
            false => Self { password, work: Work { left: rounds, limit: "160,000,000 rounds in all files together" } },
        }
    }

    /// The rounds that were spent.
    pub fn spent(&self, rounds: u64) -> u64 {
        rounds.min(MAX_TOTAL_ROUNDS).saturating_sub(self.work.left)
    }

    /// The work that is left.
    pub fn work(&mut self) -> &mut Work {
        &mut self.work
    }
}

/// The password hashing that a file may still cause, in rounds.
pub struct Work {
    left: u64,
    limit: &'static str,
}

impl Work {
    /// Takes away what is about to be done.
    pub fn charge(&mut self, rounds: u64) -> Result<(), SchemeError> {
        let left = self.left.checked_sub(rounds).ok_or_else(|| SchemeError::TooCostly {
            what: "several times the password hashing that one key needs".to_owned(),
            limit: self.limit,
        })?;
        self.left = left;
        Ok(())
    }
}

/// Why something can't be opened, whatever the password is. The caller says what it was about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemeError {
    /// The description of the encryption doesn't parse.
    Damaged(BerError),
    /// A method that isn't known here, by name.
    Unsupported(String),
    /// It would keep us busy for minutes, or eat the memory.
    TooCostly {
        /// How costly it is.
        what: String,
        /// What is allowed.
        limit: &'static str,
    },
}

impl From<BerError> for SchemeError {
    fn from(error: BerError) -> Self {
        Self::Damaged(error)
    }
}

#[cfg(test)]
mod tests;
