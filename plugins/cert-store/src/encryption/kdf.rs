//! From a password to a key: PBKDF1 and PBKDF2 (RFC 8018), scrypt (RFC 7914), PKCS#12's own (RFC 7292 appendix B).
//!
//! Each knows its cost in rounds before it is run. scrypt's memory is counted as rounds, too.

use std::num::NonZeroU32;

use aws_lc_rs::{digest, hmac, pbkdf2};
use md5::{Digest, Md5};
use pkcs8::der::asn1::ObjectIdentifier;
use zeroize::Zeroizing;

use super::names;
use super::password::Password;
use super::{SchemeError, MAX_MEMORY, MAX_ROUNDS};

/// How a password becomes a key.
#[derive(Clone)]
pub enum Kdf {
    /// PBKDF1: the hash of the hash of ..., of which 16 bytes are used.
    Pbkdf1 {
        /// With MD5, or else SHA-1.
        md5: bool,
        /// The salt.
        salt: Vec<u8>,
        /// How often.
        rounds: u64,
    },
    /// PBKDF2.
    Pbkdf2 {
        /// With which hash.
        prf: pbkdf2::Algorithm,
        /// The salt.
        salt: Vec<u8>,
        /// How often.
        rounds: u64,
    },
    /// scrypt.
    Scrypt {
        /// The salt.
        salt: Vec<u8>,
        /// The cost: a power of two.
        n: u64,
        /// The block size.
        r: u64,
        /// The parallelism.
        p: u64,
    },
    /// PKCS#12's, with SHA-1.
    Pkcs12 {
        /// The salt.
        salt: Vec<u8>,
        /// How often.
        rounds: u64,
    },
}

impl Kdf {
    /// What it costs, in rounds, if that isn't too much.
    pub fn cost(&self) -> Result<u64, SchemeError> {
        let (rounds, name) = match self {
            Self::Pbkdf1 { rounds, .. } => (*rounds, "PBKDF1"),
            Self::Pbkdf2 { rounds, .. } => (*rounds, "PBKDF2"),
            Self::Pkcs12 { rounds, .. } => (*rounds, "PKCS#12's password hashing"),
            Self::Scrypt { n, r, p, .. } => return scrypt_cost(*n, *r, *p),
        };
        limited(rounds, name)
    }

    /// A key, and what follows it in the derivation: PBKDF1 and PKCS#12 make the initial vector, too. `None` if the
    /// parameters are none.
    pub fn derive(&self, password: &Password, key: usize, iv: usize) -> Option<(Zeroizing<Vec<u8>>, Vec<u8>)> {
        match self {
            Self::Pbkdf1 { md5, salt, rounds } => {
                let all = pbkdf1(*md5, &password.bytes, salt, *rounds);
                let (first, rest) = all.split_at_checked(key)?;
                Some((Zeroizing::new(first.to_vec()), rest.get(..iv)?.to_vec()))
            }
            Self::Pbkdf2 { prf, salt, rounds } => {
                let mut derived = Zeroizing::new(vec![0; key]);
                let rounds = NonZeroU32::new(u32::try_from(*rounds).ok()?)?;
                pbkdf2::derive(*prf, rounds, salt, &password.bytes, &mut derived);
                Some((derived, Vec::new()))
            }
            Self::Scrypt { salt, n, r, p } => {
                let log_n = u8::try_from(n.is_power_of_two().then(|| n.ilog2())?).ok()?;
                let params = scrypt::Params::new(log_n, u32::try_from(*r).ok()?, u32::try_from(*p).ok()?).ok()?;
                let mut derived = Zeroizing::new(vec![0; key]);
                scrypt::scrypt(&password.bytes, salt, &params, &mut derived).ok()?;
                Some((derived, Vec::new()))
            }
            Self::Pkcs12 { salt, rounds } => {
                let hash = Pkcs12Hash::Sha1;
                let derived = pkcs12_key(hash, Pkcs12Purpose::Key, &password.wide, salt, *rounds, key);
                let vector = pkcs12_key(hash, Pkcs12Purpose::Vector, &password.wide, salt, *rounds, iv);
                Some((derived, vector.to_vec()))
            }
        }
    }
}

/// The rounds, if they aren't too many.
pub fn limited(rounds: u64, name: &str) -> Result<u64, SchemeError> {
    if rounds > MAX_ROUNDS {
        return Err(SchemeError::TooCostly { what: format!("{rounds} rounds of {name}"), limit: "10,000,000" });
    }
    Ok(rounds)
}

fn scrypt_cost(n: u64, r: u64, p: u64) -> Result<u64, SchemeError> {
    // The parallelism multiplies the time, not the memory; it is bounded with it.
    let all = r.saturating_mul(128).saturating_mul(n).saturating_mul(p);
    if all > MAX_MEMORY {
        return Err(SchemeError::TooCostly {
            what: format!("scrypt with N={n}, r={r}, p={p}"),
            limit: "128 * N * r * p = 256 MiB",
        });
    }
    Ok(all / SCRYPT_BYTES_A_ROUND)
}

fn pbkdf1(md5: bool, password: &[u8], salt: &[u8], rounds: u64) -> Zeroizing<Vec<u8>> {
    let first = Zeroizing::new([password, salt].concat());
    let hash = |bytes: &[u8]| -> Zeroizing<Vec<u8>> {
        Zeroizing::new(match md5 {
            true => Md5::digest(bytes).to_vec(),
            false => digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().to_vec(),
        })
    };
    (1..rounds).fold(hash(&first), |last, _| hash(&last))
}

/// The hash of PKCS#12's derivation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pkcs12Hash {
    /// SHA-1: what was in use until 2020.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256: what is in use since.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Pkcs12Hash {
    /// By its identifier (RFC 8017 appendix B.1).
    pub fn of(oid: ObjectIdentifier) -> Option<Self> {
        Some(match oid {
            names::SHA1 => Self::Sha1,
            names::SHA224 => Self::Sha224,
            names::SHA256 => Self::Sha256,
            names::SHA384 => Self::Sha384,
            names::SHA512 => Self::Sha512,
            _ => return None,
        })
    }

    fn algorithm(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha224 => &digest::SHA224,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }

    /// The same hash for an HMAC.
    pub fn hmac(self) -> hmac::Algorithm {
        match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha224 => hmac::HMAC_SHA224,
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha384 => hmac::HMAC_SHA384,
            Self::Sha512 => hmac::HMAC_SHA512,
        }
    }

    /// The length of what it makes.
    pub fn output_len(self) -> usize {
        self.algorithm().output_len()
    }
}

/// What PKCS#12's derivation is for: the same password and salt give another result for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pkcs12Purpose {
    /// A cipher's key.
    Key = 1,
    /// A cipher's initial vector.
    Vector = 2,
    /// A message authentication key.
    Mac = 3,
}

/// PKCS#12's derivation (RFC 7292 appendix B.2). `password` is in its wide form.
pub fn pkcs12_key(
    hash: Pkcs12Hash,
    purpose: Pkcs12Purpose,
    password: &[u8],
    salt: &[u8],
    rounds: u64,
    len: usize,
) -> Zeroizing<Vec<u8>> {
    let algorithm = hash.algorithm();
    let block = algorithm.block_len();
    let stretched = |bytes: &[u8]| -> Zeroizing<Vec<u8>> {
        Zeroizing::new(bytes.iter().copied().cycle().take(bytes.len().div_ceil(block) * block).collect())
    };
    let mut input = Zeroizing::new([&stretched(salt)[..], &stretched(password)[..]].concat());
    let mut derived = Zeroizing::new(Vec::with_capacity(len + algorithm.output_len()));
    while derived.len() < len {
        let mut context = digest::Context::new(algorithm);
        context.update(&vec![purpose as u8; block]);
        context.update(&input);
        let mut made = context.finish();
        for _ in 1..rounds {
            made = digest::digest(algorithm, made.as_ref());
        }
        derived.extend_from_slice(made.as_ref());
        let addend: Zeroizing<Vec<u8>> = Zeroizing::new(made.as_ref().iter().copied().cycle().take(block).collect());
        for chunk in input.chunks_exact_mut(block) {
            add_one_more(chunk, &addend);
        }
    }
    derived.truncate(len);
    derived
}

/// `number = number + addend + 1`, big endian, both equally long, without the overflow.
fn add_one_more(number: &mut [u8], addend: &[u8]) {
    let mut carry = 1u16;
    for (digit, add) in number.iter_mut().zip(addend).rev() {
        carry += u16::from(*digit) + u16::from(*add);
        *digit = carry as u8;
        carry >>= 8;
    }
}

/// PBKDF2 with the hash of an HMAC's identifier (RFC 8018 appendix B.1.1).
pub fn prf_of(oid: ObjectIdentifier) -> Option<pbkdf2::Algorithm> {
    Some(match oid {
        names::HMAC_SHA1 => pbkdf2::PBKDF2_HMAC_SHA1,
        names::HMAC_SHA256 => pbkdf2::PBKDF2_HMAC_SHA256,
        names::HMAC_SHA384 => pbkdf2::PBKDF2_HMAC_SHA384,
        names::HMAC_SHA512 => pbkdf2::PBKDF2_HMAC_SHA512,
        _ => return None,
    })
}

/// The HMAC of its identifier.
pub fn hmac_algorithm(oid: ObjectIdentifier) -> Option<hmac::Algorithm> {
    Some(match oid {
        names::HMAC_SHA1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        names::HMAC_SHA224 => hmac::HMAC_SHA224,
        names::HMAC_SHA256 => hmac::HMAC_SHA256,
        names::HMAC_SHA384 => hmac::HMAC_SHA384,
        names::HMAC_SHA512 => hmac::HMAC_SHA512,
        _ => return None,
    })
}

/// scrypt mixes about so many bytes in the time of one round.
const SCRYPT_BYTES_A_ROUND: u64 = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;

    #[test]
    fn adding_carries_through_and_drops_the_overflow() {
        let mut number = [0x00, 0xff, 0xff];
        add_one_more(&mut number, &[0, 0, 0]);
        assert_eq!(number, [1, 0, 0]);
        let mut number = [0xff, 0xff];
        add_one_more(&mut number, &[0xff, 0xff]);
        assert_eq!(number, [0xff, 0xff]);
    }

    #[test]
    fn scrypt_is_that_of_rfc_7914() {
        // Section 12: "password", "NaCl", N=1024, r=8, p=16.
        let kdf = Kdf::Scrypt { salt: b"NaCl".to_vec(), n: 1024, r: 8, p: 16 };
        let (key, _) = kdf.derive(&Password::new(b"password"), 16, 0).unwrap();
        assert_eq!(HEXLOWER.encode(&key), "fdbabe1c9d3472007856e7190d01e9fe");
    }

    #[test]
    fn costs_are_known_before() {
        let rounds = |rounds| Kdf::Pkcs12 { salt: vec![], rounds }.cost();
        assert_eq!(rounds(MAX_ROUNDS), Ok(MAX_ROUNDS));
        assert!(matches!(rounds(MAX_ROUNDS + 1), Err(SchemeError::TooCostly { .. })));
        let memory = |n, r, p| Kdf::Scrypt { salt: vec![], n, r, p }.cost().is_ok();
        assert!(memory(1 << 18, 8, 1));
        assert!(!memory(1 << 19, 8, 1) && !memory(1 << 18, 8, 2) && !memory(u64::MAX, u64::MAX, 1));
    }

    #[test]
    fn impossible_parameters_derive_nothing() {
        let password = Password::new(b"x");
        for (n, r, p) in [(0, 8, 1), (1000, 8, 1), (1024, 0, 1), (1024, 8, 0)] {
            assert!(Kdf::Scrypt { salt: vec![], n, r, p }.derive(&password, 16, 0).is_none(), "{n} {r} {p}");
        }
        let none = Kdf::Pbkdf2 { prf: pbkdf2::PBKDF2_HMAC_SHA1, salt: vec![], rounds: 0 };
        assert!(none.derive(&password, 16, 0).is_none());
        let long = Kdf::Pbkdf1 { md5: true, salt: vec![], rounds: 1 };
        assert!(long.derive(&password, 16, 8).is_none());
    }
}
