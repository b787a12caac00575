//! A bundle's integrity check, which is also what tells a wrong password: PKCS#12's own (RFC 7292 section 4) or PBMAC1
//! (RFC 9579).

use std::num::NonZeroU32;

use aws_lc_rs::{hmac, pbkdf2};
use zeroize::Zeroizing;

use super::names;
use crate::ber::{BerError, Reader, INTEGER};
use crate::encryption::{
    hmac_algorithm, is_pbkdf2, limited, pbkdf2_parameters, pkcs12_key, salt, Password, Pkcs12Hash, Pkcs12Purpose,
    SchemeError, Work,
};

/// How a bundle is protected against changes.
pub struct Mac {
    method: Method,
    expected: Zeroizing<Vec<u8>>,
}

enum Method {
    Own { hash: Pkcs12Hash, salt: Vec<u8>, rounds: u64 },
    Pbmac1 { prf: pbkdf2::Algorithm, hmac: hmac::Algorithm, salt: Vec<u8>, rounds: u64, key: usize },
}

impl Mac {
    /// Reads MacData's contents.
    pub fn read(mut data: Reader<'_>) -> Result<Self, SchemeError> {
        let mut digest_info = data.sequence("the integrity check's method")?;
        let mut algorithm = digest_info.sequence("the integrity check's hash")?;
        let expected = digest_info.octets("the integrity check's value")?;
        let oid = algorithm.identifier("a hash's identifier")?;
        if oid == names::PBMAC1 {
            // The salt and the rounds beside it mean nothing then.
            return Ok(Self { method: pbmac1(algorithm)?, expected });
        }
        let salt = salt(&mut data)?;
        let rounds = match data.optional(INTEGER)? {
            Some(element) => Reader::new(element.whole).number("the number of rounds")?,
            None => 1,
        };
        let hash = Pkcs12Hash::of(oid)
            .ok_or_else(|| SchemeError::Unsupported(format!("an integrity check with an unknown hash ({oid})")))?;
        Ok(Self { method: Method::Own { hash, salt, rounds }, expected })
    }

    /// Whether the contents are what they were under this password.
    pub fn fits(&self, password: &Password, contents: &[u8], work: &mut Work) -> Result<bool, SchemeError> {
        let key = match &self.method {
            Method::Own { hash, salt, rounds } => {
                work.charge(limited(*rounds, "PKCS#12's password hashing")?)?;
                let made = pkcs12_key(*hash, Pkcs12Purpose::Mac, &password.wide, salt, *rounds, hash.output_len());
                hmac::Key::new(hash.hmac(), &made)
            }
            Method::Pbmac1 { prf, hmac, salt, rounds, key } => {
                work.charge(limited(*rounds, "PBKDF2")?)?;
                let rounds = u32::try_from(*rounds).ok().and_then(NonZeroU32::new);
                let rounds = rounds.ok_or(BerError::Unexpected { expected: "a number of rounds" })?;
                let mut made = Zeroizing::new(vec![0; *key]);
                pbkdf2::derive(*prf, rounds, salt, &password.bytes, &mut made);
                hmac::Key::new(*hmac, &made)
            }
        };
        Ok(hmac::verify(&key, contents, &self.expected).is_ok())
    }
}

/// PBMAC1-params (RFC 8018 appendix A.5).
fn pbmac1(mut algorithm: Reader<'_>) -> Result<Method, SchemeError> {
    let mut parameters = algorithm.sequence("PBMAC1's parameters")?;
    let mut derivation = parameters.sequence("a key derivation")?;
    let oid = derivation.identifier("a key derivation's identifier")?;
    if !is_pbkdf2(oid) {
        return Err(SchemeError::Unsupported(format!("PBMAC1 without PBKDF2 ({oid})")));
    }
    let (prf, salt, rounds, len) = pbkdf2_parameters(&mut derivation)?;
    let oid = parameters.sequence("an HMAC")?.identifier("an HMAC's identifier")?;
    let hmac =
        hmac_algorithm(oid).ok_or_else(|| SchemeError::Unsupported(format!("PBMAC1 with an unknown HMAC ({oid})")))?;
    // RFC 9579 section 4: the length must be there.
    let key = match len {
        Some(len @ 1..=MAX_KEY) => len as usize,
        _ => return Err(BerError::Unexpected { expected: "a key length" }.into()),
    };
    Ok(Method::Pbmac1 { prf, hmac, salt, rounds, key })
}

/// The longest key of an HMAC; a hash's length is usual.
const MAX_KEY: u64 = 128;
