//! What is kept of a password: its hash, and the SCRAM keys beside it.

use crate::{
    password::{self, Cost, HashError},
    scram,
};

/// What is kept of a password.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// The hash.
    pub password: String,
    /// The SCRAM keys; empty for none.
    pub scram: String,
}

/// What it costs to make that of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Costs {
    /// Of the hash.
    pub hash: Cost,
    /// Iterations of the SCRAM keys; without, none are made.
    pub scram: Option<u32>,
}

impl Costs {
    /// Makes what is kept of a password. Blocks for as long as that takes.
    ///
    /// # Errors
    /// A cost out of bounds, or no random bytes.
    pub fn store(self, password: &[u8]) -> Result<Stored, HashError> {
        Ok(self.with_hash(password, password::hash(password, self.hash)?))
    }

    /// The same, for a password that has this hash already.
    pub fn with_hash(self, password: &[u8], hash: String) -> Stored {
        let scram = self.scram.map(|iterations| scram::make(password, &hash, iterations)).unwrap_or_default();
        Stored { password: hash, scram }
    }
}

#[cfg(test)]
pub mod testing {
    use super::*;

    /// A hash alone.
    pub fn hashed(hash: &str) -> Stored {
        Stored { password: hash.to_owned(), scram: String::new() }
    }
}
