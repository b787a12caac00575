//! OpenSSL's old PEM encryption: `Proc-Type: 4,ENCRYPTED` and `DEK-Info: CIPHER,VECTOR` before the base64 (RFC 1421's
//! headers, but neither its ciphers nor its keys).
//!
//! The key is one round of MD5 over the password and the vector's first eight bytes. Nothing tells a wrong password but
//! padding and what comes out.

use data_encoding::HEXLOWER_PERMISSIVE;
use md5::{Digest, Md5};
use zeroize::Zeroizing;

use super::cipher::Cipher;
use super::SchemeError;
use crate::ber::BerError;

/// How a PEM block is encrypted.
#[derive(Debug, PartialEq, Eq)]
pub struct Legacy {
    cipher: Cipher,
    iv: Vec<u8>,
}

impl Legacy {
    /// Reads the block's headers; `None` if it isn't encrypted.
    pub fn of(headers: &[(String, String)]) -> Result<Option<Self>, SchemeError> {
        let value = |wanted: &str| {
            headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.as_str())
        };
        if !value("Proc-Type").is_some_and(|value| value.contains("ENCRYPTED")) {
            return Ok(None);
        }
        let info = value("DEK-Info").ok_or(BerError::Unexpected { expected: "a DEK-Info header" })?;
        let (name, iv) = info.split_once(',').unwrap_or((info, ""));
        let name = name.trim();
        let cipher = match name.to_ascii_uppercase().as_str() {
            "DES-CBC" => Cipher::Des,
            "DES-EDE3-CBC" => Cipher::TripleDes,
            "AES-128-CBC" => Cipher::Aes(16),
            "AES-192-CBC" => Cipher::Aes(24),
            "AES-256-CBC" => Cipher::Aes(32),
            _ => {
                let name: String = name.chars().take(MAX_NAME).collect();
                return Err(SchemeError::Unsupported(format!("OpenSSL's old method ({name})")));
            }
        };
        let unfit = BerError::Unexpected { expected: "an initial vector of one block in the DEK-Info header" };
        let iv = HEXLOWER_PERMISSIVE.decode(iv.trim().as_bytes()).map_err(|_| unfit)?;
        if iv.len() != cipher.block_len() {
            return Err(unfit.into());
        }
        Ok(Some(Self { cipher, iv }))
    }

    /// Whether a ciphertext can be one.
    pub fn fits(&self, ciphertext: &[u8]) -> bool {
        self.cipher.fits(ciphertext.len())
    }

    /// Decrypts. `None`: the padding is wrong, which is almost always the password.
    pub fn open(&self, password: &[u8], ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let salt = self.iv.get(..SALT)?;
        let len = self.cipher.key_len();
        let mut key = Zeroizing::new(Vec::with_capacity(len + 16));
        let mut last: Zeroizing<Vec<u8>> = Zeroizing::default();
        while key.len() < len {
            let hash = Md5::new().chain_update(&*last).chain_update(password).chain_update(salt).finalize();
            last = Zeroizing::new(hash.to_vec());
            key.extend_from_slice(&last);
        }
        self.cipher.open(&key[..len], &self.iv, ciphertext)
    }
}

const SALT: usize = 8;
const MAX_NAME: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(info: &str) -> Result<Option<Legacy>, SchemeError> {
        Legacy::of(&[("Proc-Type".into(), "4,ENCRYPTED".into()), ("DEK-Info".into(), info.into())])
    }

    #[test]
    fn only_an_encrypted_block_is_one() {
        assert_eq!(Legacy::of(&[]), Ok(None));
        assert_eq!(Legacy::of(&[("Proc-Type".into(), "4,MIC-ONLY".into())]), Ok(None));
        let found = of("DES-CBC, 00112233aaBBccDD").unwrap().unwrap();
        assert_eq!(found, Legacy { cipher: Cipher::Des, iv: b"\x00\x11\x22\x33\xaa\xbb\xcc\xdd".to_vec() });
    }

    #[test]
    fn a_bad_header_is_damage_and_another_cipher_is_named() {
        for info in ["DES-CBC", "DES-CBC,", "DES-CBC,0011", "AES-128-CBC,0011223344556677", "DES-CBC,xx"] {
            assert!(matches!(of(info), Err(SchemeError::Damaged(_))), "{info}");
        }
        let none = Legacy::of(&[("Proc-Type".into(), "4,ENCRYPTED".into())]);
        assert!(matches!(none, Err(SchemeError::Damaged(_))));
        let named = SchemeError::Unsupported("OpenSSL's old method (CAMELLIA-256-CBC)".into());
        assert_eq!(of("CAMELLIA-256-CBC,00"), Err(named));
    }
}
