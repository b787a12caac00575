//! SCRAM keys of an account, beside the hash of its password.
//!
//! People change the hash in the file by hand. Keys of the old password must not go on working then, so the salt of keys that are
//! made here is a digest of the hash (which is random itself): keys with another salt belong to another password and count for
//! nothing. An account that has keys and no hash was brought from elsewhere, and its keys count.
//!
//! The number of iterations is what a client computes at each login, and what each guess costs who has stolen the file. The hash
//! beside is much dearer to guess at, so the keys are the weaker of the two: that is what SCRAM costs, and why `scram: Off` makes
//! none. RFC 7677 asks for 4,096 at least; [`DEFAULT_ITERATIONS`] takes a client some 20 to 60 ms.

use crate::content::Account;
use dovetail_mail::sasl::scram::{derive, parse_keys, write_keys, KeysError, ScramKeys};
use sha2::{Digest, Sha256};

/// Whether sessions offer SCRAM-SHA-256.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
pub enum Scram {
    /// If every account that may log in has keys.
    #[default]
    Auto,
    /// Whoever has keys: accounts without any cannot log in with clients that take SCRAM because it is offered.
    On,
    /// Not at all, and no keys are made.
    Off,
}

/// What the accounts have, taken together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Accounts that may log in with a password.
    pub accounts: usize,
    /// Those of them that have keys.
    pub with_keys: usize,
    /// The most frequent number of iterations.
    pub iterations: Option<u32>,
}

impl Summary {
    /// Whether there are accounts, and each has keys.
    pub fn is_complete(self) -> bool {
        self.accounts > 0 && self.with_keys == self.accounts
    }
}

/// Whether keys in the file can be read.
///
/// # Errors
/// Why not.
pub fn check(text: &str) -> Result<(), KeysError> {
    parse_keys(text).map(drop)
}

/// An account's keys, if it has any that belong to its password.
pub fn usable(account: &Account) -> Option<ScramKeys> {
    let keys = parse_keys(&account.scram).ok()?;
    (account.password.is_empty() || keys.salt == salt_of(&account.password)).then_some(keys)
}

/// The keys of a password that has this hash. Blocks for as long as the iterations take.
pub fn make(password: &[u8], hash: &str, iterations: u32) -> String {
    write_keys(&derive(password, &salt_of(hash), iterations))
}

/// Whether a password has these keys. Blocks for as long as their iterations take.
pub fn verify(password: &[u8], text: &str) -> bool {
    let Ok(keys) = parse_keys(text) else {
        return false;
    };
    let made = derive(password, &keys.salt, keys.iterations);
    // Digests of what is compared: where they differ tells nothing about it.
    Sha256::digest(made.stored_key.expose()) == Sha256::digest(keys.stored_key.expose())
}

fn salt_of(hash: &str) -> [u8; SALT_OCTETS] {
    let mut digest = Sha256::new();
    digest.update(b"dovetail scram salt\0");
    digest.update(hash.as_bytes());
    let mut salt = [0; SALT_OCTETS];
    salt.iter_mut().zip(digest.finalize()).for_each(|(octet, from)| *octet = from);
    salt
}

/// What new keys take.
pub const DEFAULT_ITERATIONS: u32 = 100_000;
/// Fewest that may be configured.
pub const MIN_ITERATIONS: u32 = 10_000;
/// Octets of a salt, of keys that are made here.
pub const SALT_OCTETS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

    fn account(password: &str, scram: &str) -> Account {
        Account { scram: scram.to_owned(), ..Account::new(password.to_owned()) }
    }

    #[test]
    fn keys_belong_to_the_hash_beside_them() {
        let keys = make(b"correct horse", HASH, MIN_ITERATIONS);
        check(&keys).unwrap();
        assert!(verify(b"correct horse", &keys) && !verify(b"wrong horse", &keys) && !verify(b"correct horse", ""));
        assert!(usable(&account(HASH, &keys)).is_some());
        assert!(usable(&account(&HASH.replace("CTFh", "CTFg"), &keys)).is_none(), "another password");
        assert!(usable(&account("", &keys)).is_some(), "brought from elsewhere");
        assert!(usable(&account(HASH, "")).is_none());
    }

    #[test]
    fn nothing_is_complete_without_accounts() {
        assert!(!Summary::default().is_complete());
        assert!(Summary { accounts: 2, with_keys: 2, iterations: None }.is_complete());
        assert!(!Summary { accounts: 2, with_keys: 1, iterations: None }.is_complete());
    }
}
