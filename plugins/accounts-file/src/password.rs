//! Passwords: their argon2id hashes (RFC 9106), what a new one must look like, and random ones.
//!
//! Everything here blocks its thread for as long as a hash takes; callers run it off the runtime's threads.
//!
//! **Bounds**: a password has 8 characters to 1,024 octets; a hash may ask for 1 GiB of memory, 100 passes and 64 lanes.

use argon2::{
    password_hash::{Output, PasswordHash, PasswordHasher, SaltString},
    Algorithm, Argon2, Params, Version,
};
use zeroize::Zeroizing;

use crate::{
    imported::{self, Imported},
    scratch::Scratch,
};

/// What a new hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cost {
    /// Memory in KiB: 8 for each lane to 1048576.
    pub memory_kib: u32,
    /// Passes over it: 1 to 100.
    pub passes: u32,
    /// Lanes: 1 to 64.
    pub lanes: u32,
}

/// OWASP's recommendation for argon2id.
impl Default for Cost {
    fn default() -> Self {
        Cost { memory_kib: 19_456, passes: 2, lanes: 1 }
    }
}

/// Why a hash cannot be used or made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// Not a hash in PHC form.
    #[error("it is not of the form $argon2id$v=19$m=...,t=...,p=...$salt$hash")]
    Form,
    /// Another algorithm.
    #[error("it is of the kind {0:?}; argon2id, argon2i, argon2d, bcrypt and SHA-crypt are known here")]
    Algorithm(String),
    /// Costs beyond what is sane.
    #[error("memory must be 8 KiB (for each lane) to {MAX_MEMORY_KIB} KiB, passes 1 to {MAX_PASSES}, lanes 1 to {MAX_LANES}")]
    Cost,
    /// The costs of another scheme, beyond what is sane.
    #[error("its cost is too great: a bcrypt hash may have up to 15, one of SHA-crypt up to 1000000 rounds")]
    ImportedCost,
    /// The system gave no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(String),
}

/// Why a new password is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Too short.
    #[error("the password has {0} characters; it must have at least {MIN_CHARACTERS}")]
    Short(usize),
    /// Too long.
    #[error("the password has {0} octets; it may have at most {MAX_OCTETS}")]
    Long(usize),
    /// Not text.
    #[error("the password is not UTF-8 text")]
    NotText,
    /// A character that login protocols cannot carry.
    #[error("the password has a line end or another control character in it (one line end after it is fine)")]
    Control,
}

impl Cost {
    /// Whether hashes of this cost can be made.
    ///
    /// # Errors
    /// [`HashError::Cost`] if not.
    pub fn check(self) -> Result<(), HashError> {
        self.argon2().map(drop)
    }

    fn argon2(self) -> Result<Argon2<'static>, HashError> {
        if self.memory_kib > MAX_MEMORY_KIB || self.passes > MAX_PASSES || self.lanes > MAX_LANES {
            return Err(HashError::Cost);
        }
        let params = Params::new(self.memory_kib, self.passes, self.lanes, None).map_err(|_| HashError::Cost)?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

/// Hashes a password.
///
/// # Errors
/// A cost out of bounds, or no random bytes.
pub fn hash(password: &[u8], cost: Cost) -> Result<String, HashError> {
    let salt = SaltString::encode_b64(&random::<SALT_OCTETS>()?).map_err(|_| HashError::Form)?;
    let hash = cost.argon2()?.hash_password(password, &salt).map_err(|_| HashError::Cost)?;
    Ok(hash.to_string())
}

/// A hash that no password fits and that costs as much to try as a real one.
///
/// # Errors
/// A cost out of bounds, or no random bytes.
pub fn decoy(cost: Cost) -> Result<String, HashError> {
    let salt = SaltString::encode_b64(&random::<SALT_OCTETS>()?).map_err(|_| HashError::Form)?;
    let output = Output::new(&random::<OUTPUT_OCTETS>()?).map_err(|_| HashError::Form)?;
    let params = cost.argon2()?.params().try_into().map_err(|_| HashError::Cost)?;
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params,
        salt: Some(salt.as_salt()),
        hash: Some(output),
    };
    Ok(hash.to_string())
}

/// Whether a stored hash can be used.
///
/// # Errors
/// Why not.
pub fn check(hash: &str) -> Result<(), HashError> {
    if let Some(imported) = Imported::of(hash) {
        return imported.check();
    }
    let hash = imported::bare(hash);
    let hash = PasswordHash::new(hash).map_err(|_| HashError::Form)?;
    if Algorithm::try_from(hash.algorithm).is_err() {
        return Err(HashError::Algorithm(hash.algorithm.to_string()));
    }
    if hash.salt.is_none() || hash.hash.is_none() {
        return Err(HashError::Form);
    }
    let params = Params::try_from(&hash).map_err(|_| HashError::Cost)?;
    Cost { memory_kib: params.m_cost(), passes: params.t_cost(), lanes: params.p_cost() }.check()
}

/// Whether a password fits a stored hash. A hash that cannot be used fits none.
pub fn verify(password: &[u8], hash: &str, scratch: &Scratch) -> bool {
    if let Some(imported) = Imported::of(hash) {
        return imported.fits(password);
    }
    let hash = imported::bare(hash);
    check(hash).is_ok() && PasswordHash::new(hash).is_ok_and(|hash| scratch.fits(password, &hash) == Some(true))
}

/// A new password as it came from a file or prompt: without the one line end that an editor leaves.
///
/// # Errors
/// Why it is refused.
pub fn accept_new(bytes: &[u8]) -> Result<&[u8], Unfit> {
    let bytes = match bytes.strip_suffix(b"\n") {
        Some(line) => line.strip_suffix(b"\r").unwrap_or(line),
        None => bytes,
    };
    if bytes.len() > MAX_OCTETS {
        return Err(Unfit::Long(bytes.len()));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Unfit::NotText)?;
    if text.chars().any(char::is_control) {
        return Err(Unfit::Control);
    }
    match text.chars().count() {
        count if count < MIN_CHARACTERS => Err(Unfit::Short(count)),
        _ => Ok(bytes),
    }
}

/// A random password of 120 bits in letters and digits that cannot be mistaken for one another.
///
/// # Errors
/// No random bytes.
pub fn generate() -> Result<Zeroizing<String>, HashError> {
    let random = Zeroizing::new(random::<GENERATED>()?);
    let mut password = Zeroizing::new(String::with_capacity(GENERATED + GENERATED / GROUP));
    for (at, byte) in random.iter().enumerate() {
        if at > 0 && at % GROUP == 0 {
            password.push('-');
        }
        password.push(char::from(ALPHABET[usize::from(byte % 32)]));
    }
    Ok(password)
}

/// Random bytes of the system.
///
/// # Errors
/// [`HashError::Random`] if it has none.
pub fn random<const N: usize>() -> Result<[u8; N], HashError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| HashError::Random(error.to_string()))?;
    Ok(bytes)
}

/// Longest password that is looked at, when set and at login.
pub const MAX_OCTETS: usize = 1024;
const MIN_CHARACTERS: usize = 8;
const MAX_MEMORY_KIB: u32 = 1 << 20;
const MAX_PASSES: u32 = 100;
const MAX_LANES: u32 = 64;
const SALT_OCTETS: usize = 16;
const OUTPUT_OCTETS: usize = 32;
const GENERATED: usize = 24;
const GROUP: usize = 6;
/// 32 of them, so that a random byte picks without bias; no `l`, `o`, `0`, `1`.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A cost that makes tests quick.
#[cfg(test)]
pub const CHEAP: Cost = Cost { memory_kib: 8, passes: 1, lanes: 1 };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_fits_its_hash_and_no_other() {
        let hash = hash(b"correct horse", CHEAP).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}");
        check(&hash).unwrap();
        assert!(verify(b"correct horse", &hash, &Scratch::default()));
        assert!(!verify(b"correct horse ", &hash, &Scratch::default()));
        assert!(!verify(b"", &hash, &Scratch::default()));
        assert_ne!(hash, super::hash(b"correct horse", CHEAP).unwrap(), "salted");
    }

    #[test]
    fn a_hash_of_the_reference_implementation() {
        // printf password | argon2 somesalt -id -t 2 -k 65536 -p 1
        let hash = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        check(hash).unwrap();
        assert!(verify(b"password", hash, &Scratch::default()));
    }

    #[test]
    fn the_default_is_what_owasp_says() {
        let decoy = decoy(Cost::default()).unwrap();
        assert!(decoy.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{decoy}");
    }

    #[test]
    fn a_decoy_is_a_sound_hash_that_nothing_fits() {
        let decoy = decoy(CHEAP).unwrap();
        check(&decoy).unwrap();
        assert!(!verify(b"", &decoy, &Scratch::default()));
    }

    #[test]
    fn unusable_hashes() {
        for (hash, want) in [
            ("", HashError::Form),
            ("secret", HashError::Form),
            ("$argon2id$v=19$m=8,t=1,p=1", HashError::Form),
            ("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ", HashError::Form),
            ("$2b$12$abcdefgh", HashError::Form),
            (
                "$scrypt$ln=16,r=8,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
                HashError::Algorithm("scrypt".into()),
            ),
            (
                "$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
                HashError::Cost,
            ),
            ("$argon2id$v=19$m=8,t=1000,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", HashError::Cost),
            ("$argon2id$v=19$m=1,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", HashError::Cost),
        ] {
            assert_eq!(check(hash), Err(want), "{hash}");
            assert!(!verify(b"secret", hash, &Scratch::default()), "{hash}");
        }
    }

    #[test]
    fn new_passwords() {
        assert_eq!(accept_new(b"12345678"), Ok(&b"12345678"[..]));
        assert_eq!(accept_new(b"12345678\n"), Ok(&b"12345678"[..]));
        assert_eq!(accept_new(b"12345678\r\n"), Ok(&b"12345678"[..]));
        assert_eq!(accept_new(b" 1234567 "), Ok(&b" 1234567 "[..]));
        assert_eq!(accept_new("\u{fc}\u{fc}\u{fc}\u{fc}".as_bytes()), Err(Unfit::Short(4)));
        assert_eq!(accept_new(b"\n"), Err(Unfit::Short(0)));
        assert_eq!(accept_new(b"12345678\n\n"), Err(Unfit::Control));
        assert_eq!(accept_new(b"1234\x005678"), Err(Unfit::Control));
        assert_eq!(accept_new(b"12345678\xff"), Err(Unfit::NotText));
        assert!(accept_new(&[b'x'; MAX_OCTETS]).is_ok());
        assert_eq!(accept_new(&[b'x'; MAX_OCTETS + 1]), Err(Unfit::Long(MAX_OCTETS + 1)));
    }

    #[test]
    fn random_passwords_can_be_read_aloud_and_used() {
        let (one, two) = (generate().unwrap(), generate().unwrap());
        assert_ne!(one, two);
        assert_eq!(one.len(), 27);
        assert!(one.split('-').all(|group| group.len() == 6 && group.bytes().all(|b| ALPHABET.contains(&b))));
        assert_eq!(accept_new(one.as_bytes()), Ok(one.as_bytes()));
    }
}
