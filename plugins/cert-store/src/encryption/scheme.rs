//! An encryption's AlgorithmIdentifier, read: which derivation, which cipher, and their parameters.
//!
//! PBES2 and PBES1 (RFC 8018 section 6) and PKCS#12's (RFC 7292 appendix C). Bound: [`MAX_SALT`].

use aws_lc_rs::pbkdf2;
use pkcs8::der::asn1::ObjectIdentifier;
use zeroize::Zeroizing;

use super::cipher::Cipher;
use super::kdf::{prf_of, Kdf};
use super::names;
use super::password::Password;
use super::{SchemeError, Work};
use crate::ber::{BerError, Reader, INTEGER, SEQUENCE};

/// The longest salt. Nobody has more than 64 bytes.
pub const MAX_SALT: usize = 1024;

/// How something is encrypted.
pub struct Scheme {
    kdf: Kdf,
    cipher: Cipher,
    /// `None`: the derivation makes it.
    iv: Option<Vec<u8>>,
}

impl Scheme {
    /// Reads an AlgorithmIdentifier's contents.
    pub fn read(mut algorithm: Reader<'_>) -> Result<Self, SchemeError> {
        let oid = algorithm.identifier("an encryption's identifier")?;
        if oid == names::PBES2 {
            return pbes2(algorithm);
        }
        let cipher = match oid {
            names::MD5_DES | names::SHA1_DES => Cipher::Des,
            names::MD5_RC2 | names::SHA1_RC2 => Cipher::Rc2 { key: 8, effective_bits: 64 },
            names::PKCS12_RC4_128 => Cipher::Rc4(16),
            names::PKCS12_RC4_40 => Cipher::Rc4(5),
            names::PKCS12_TRIPLE_DES => Cipher::TripleDes,
            names::PKCS12_TWO_KEY_TRIPLE_DES => Cipher::TwoKeyTripleDes,
            names::PKCS12_RC2_128 => Cipher::Rc2 { key: 16, effective_bits: 128 },
            names::PKCS12_RC2_40 => Cipher::Rc2 { key: 5, effective_bits: 40 },
            other => return Err(SchemeError::Unsupported(names::called(other))),
        };
        let mut parameters = algorithm.sequence("the encryption's salt and rounds")?;
        let salt = salt(&mut parameters)?;
        let rounds = parameters.number("the number of rounds")?;
        let kdf = match oid {
            names::MD5_DES | names::MD5_RC2 => Kdf::Pbkdf1 { md5: true, salt, rounds },
            names::SHA1_DES | names::SHA1_RC2 => Kdf::Pbkdf1 { md5: false, salt, rounds },
            _ => Kdf::Pkcs12 { salt, rounds },
        };
        Ok(Self { kdf, cipher, iv: None })
    }

    /// What opening costs, if that isn't too much; and whether the ciphertext can be one.
    pub fn check(&self, ciphertext: &[u8]) -> Result<u64, SchemeError> {
        if !self.cipher.fits(ciphertext.len()) {
            return Err(BerError::Truncated.into());
        }
        self.kdf.cost()
    }

    /// Decrypts. `None`: the padding is wrong, which is almost always the password.
    pub fn open(
        &self,
        password: &Password,
        ciphertext: &[u8],
        work: &mut Work,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, SchemeError> {
        work.charge(self.check(ciphertext)?)?;
        let derived_iv = if self.iv.is_some() { 0 } else { self.cipher.block_len() };
        let (key, iv) = self
            .kdf
            .derive(password, self.cipher.key_len(), derived_iv)
            .ok_or(BerError::Unexpected { expected: "usable parameters" })?;
        Ok(self.cipher.open(&key, self.iv.as_ref().unwrap_or(&iv), ciphertext))
    }
}

fn pbes2(mut algorithm: Reader<'_>) -> Result<Scheme, SchemeError> {
    let mut parameters = algorithm.sequence("PBES2's parameters")?;
    let derivation = parameters.sequence("a key derivation")?;
    let mut encryption = parameters.sequence("a cipher")?;
    let (kdf, stated_len) = derivation_of(derivation)?;
    let oid = encryption.identifier("a cipher's identifier")?;
    let (cipher, iv) = match oid {
        names::DES_CBC => (Cipher::Des, vector(&mut encryption)?),
        names::TRIPLE_DES_CBC => (Cipher::TripleDes, vector(&mut encryption)?),
        names::AES_128_CBC => (Cipher::Aes(16), vector(&mut encryption)?),
        names::AES_192_CBC => (Cipher::Aes(24), vector(&mut encryption)?),
        names::AES_256_CBC => (Cipher::Aes(32), vector(&mut encryption)?),
        names::RC2_CBC => rc2(&mut encryption, stated_len)?,
        other => return Err(SchemeError::Unsupported(names::called(other))),
    };
    if iv.len() != cipher.block_len() {
        return Err(BerError::Unexpected { expected: "an initial vector of one block" }.into());
    }
    if stated_len.is_some_and(|len| len != cipher.key_len() as u64) {
        return Err(BerError::Unexpected { expected: "a key length that fits the cipher" }.into());
    }
    Ok(Scheme { kdf, cipher, iv: Some(iv) })
}

fn vector(encryption: &mut Reader<'_>) -> Result<Vec<u8>, BerError> {
    Ok(encryption.octets("an initial vector")?.to_vec())
}

/// RC2-CBC-Parameter (RFC 8018 appendix B.2.3): its "version" says how many bits count.
fn rc2(encryption: &mut Reader<'_>, stated_len: Option<u64>) -> Result<(Cipher, Vec<u8>), SchemeError> {
    let mut parameters = encryption.sequence("RC2's parameters")?;
    let effective_bits = match parameters.number("RC2's version")? {
        160 => 40,
        120 => 64,
        58 => 128,
        bits @ 256..=1024 => bits as usize,
        other => return Err(SchemeError::Unsupported(format!("RC2 of version {other}"))),
    };
    let key = match stated_len {
        Some(len @ 1..=128) => len as usize,
        Some(_) => return Err(BerError::Unexpected { expected: "a key length that fits RC2" }.into()),
        None => effective_bits / 8,
    };
    Ok((Cipher::Rc2 { key, effective_bits }, vector(&mut parameters)?))
}

/// PBKDF2 or scrypt, and the key's length if it is stated.
fn derivation_of(mut derivation: Reader<'_>) -> Result<(Kdf, Option<u64>), SchemeError> {
    let oid = derivation.identifier("a key derivation's identifier")?;
    match oid {
        names::PBKDF2 => {
            let (prf, salt, rounds, len) = pbkdf2_parameters(&mut derivation)?;
            Ok((Kdf::Pbkdf2 { prf, salt, rounds }, len))
        }
        names::SCRYPT => {
            let mut parameters = derivation.sequence("scrypt's parameters")?;
            let salt = salt(&mut parameters)?;
            let n = parameters.number("scrypt's cost")?;
            let r = parameters.number("scrypt's block size")?;
            let p = parameters.number("scrypt's parallelism")?;
            let len = if parameters.is_empty() { None } else { Some(parameters.number("the key's length")?) };
            Ok((Kdf::Scrypt { salt, n, r, p }, len))
        }
        other => Err(SchemeError::Unsupported(names::called(other))),
    }
}

/// PBKDF2-params (RFC 8018 appendix A.2): which hash, the salt, the rounds, the key's length if it is stated.
pub fn pbkdf2_parameters(
    derivation: &mut Reader<'_>,
) -> Result<(pbkdf2::Algorithm, Vec<u8>, u64, Option<u64>), SchemeError> {
    let mut parameters = derivation.sequence("PBKDF2's parameters")?;
    // The standard leaves room for a salt from elsewhere; nobody has used it.
    let salt = salt(&mut parameters)?;
    let rounds = parameters.number("the number of rounds")?;
    let len = match parameters.optional(INTEGER)? {
        Some(element) => Some(Reader::new(element.whole).number("the key's length")?),
        None => None,
    };
    let oid = match parameters.optional(SEQUENCE)? {
        Some(prf) => prf.reader().identifier("a hash's identifier")?,
        None => names::HMAC_SHA1,
    };
    let prf = prf_of(oid).ok_or_else(|| SchemeError::Unsupported(names::called(oid)))?;
    Ok((prf, salt, rounds, len))
}

/// Whether an identifier is that of PBKDF2.
pub fn is_pbkdf2(oid: ObjectIdentifier) -> bool {
    oid == names::PBKDF2
}

/// A salt that isn't longer than [`MAX_SALT`].
pub fn salt(parameters: &mut Reader<'_>) -> Result<Vec<u8>, BerError> {
    let salt = parameters.octets("the salt")?;
    if salt.len() > MAX_SALT {
        return Err(BerError::Unexpected { expected: "a salt of at most 1,024 bytes" });
    }
    Ok(salt.to_vec())
}
