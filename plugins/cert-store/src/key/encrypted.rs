//! Encrypted PKCS#8 keys (RFC 5958 section 3, RFC 8018 PBES2).
//!
//! PBKDF2 (SHA-1 and SHA-2) and scrypt with AES or 3DES are opened; the older PBES1 is named and refused.
//! Bounds, looked at before any work is done: [`MAX_ROUNDS`] of PBKDF2, [`MAX_MEMORY`] for scrypt.

use pkcs8::der::asn1::{AnyRef, ObjectIdentifier, OctetStringRef};
use pkcs8::der::{Decode, Reader, SliceReader};
use pkcs8::pkcs5::pbes2::Kdf;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::EncryptedPrivateKeyInfoRef;
use zeroize::Zeroizing;

use super::{KeyError, PrivateKey};

/// The most PBKDF2 rounds.
const MAX_ROUNDS: u32 = 10_000_000;
/// The most memory that scrypt may ask for.
const MAX_MEMORY: u64 = 256 * 1024 * 1024;

/// Opens an `ENCRYPTED PRIVATE KEY`.
pub fn decrypt_pkcs8(der: &[u8], password: Option<&[u8]>) -> Result<PrivateKey, KeyError> {
    const FORMAT: KeyError = KeyError::Damaged { format: "encrypted PKCS#8" };
    let info = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| {
        // Perhaps the structure is fine and only the scheme is none that the parser knows.
        scheme_of(der).map_or(FORMAT, |oid| KeyError::UnsupportedEncryption {
            scheme: match oid {
                PBES2 => "an unknown variant of PKCS#5 PBES2".to_owned(),
                oid => format!("an old or unknown method ({oid})"),
            },
        })
    })?;
    let EncryptionScheme::Pbes2(parameters) = &info.encryption_algorithm else {
        return Err(KeyError::UnsupportedEncryption { scheme: "an old method (PKCS#5 PBES1)".to_owned() });
    };
    let password = password.ok_or(KeyError::PasswordNeeded)?;
    match &parameters.kdf {
        Kdf::Pbkdf2(kdf) if kdf.iteration_count > MAX_ROUNDS => {
            return Err(KeyError::TooCostly {
                what: format!("{} rounds of PBKDF2", kdf.iteration_count),
                limit: "10,000,000",
            });
        }
        Kdf::Scrypt(kdf) => {
            let memory = u64::from(kdf.block_size).saturating_mul(128).saturating_mul(kdf.cost_parameter);
            // Parallelism multiplies the time, not the memory; it is bounded with it.
            if memory.saturating_mul(u64::from(kdf.parallelization)) > MAX_MEMORY {
                return Err(KeyError::TooCostly {
                    what: format!(
                        "scrypt with N={}, r={}, p={}",
                        kdf.cost_parameter, kdf.block_size, kdf.parallelization
                    ),
                    limit: "128 * N * r * p = 256 MiB",
                });
            }
        }
        _ => {}
    }
    let opened = info.decrypt(password).map_err(|error| match error {
        pkcs8::Error::EncryptedPrivateKey(pkcs8::pkcs5::Error::UnsupportedAlgorithm { oid }) => {
            KeyError::UnsupportedEncryption { scheme: format!("algorithm {oid}") }
        }
        _ => KeyError::WrongPassword,
    })?;
    // One wrong password in 256 decrypts to correct padding, and then to anything but a key.
    let plain = Zeroizing::new(opened.as_bytes().to_vec());
    match PrivateKey::from_pkcs8(&plain) {
        Err(KeyError::Damaged { .. }) => Err(KeyError::WrongPassword),
        other => other,
    }
}

/// The encryption's identifier, if the outer structure is an EncryptedPrivateKeyInfo at all.
fn scheme_of(der: &[u8]) -> Option<ObjectIdentifier> {
    let identifier = |reader: &mut SliceReader<'_>| -> pkcs8::der::Result<ObjectIdentifier> {
        let algorithm = AnyRef::decode(reader)?;
        let _encrypted = <&OctetStringRef>::decode(reader)?;
        ObjectIdentifier::decode(&mut SliceReader::new(algorithm.value())?)
    };
    SliceReader::new(der).ok()?.sequence(identifier).ok()
}

const PBES2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.13");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyType;
    use crate::testing::openssl;
    use pkcs8::der::Encode;

    fn encrypt(key: &PrivateKey, options: &[&str]) -> Vec<u8> {
        let mut args = vec!["pkcs8", "-topk8", "-outform", "DER", "-passout", "pass:sesame"];
        args.extend(options);
        openssl(&args, key.to_pem().as_bytes())
    }

    #[test]
    fn opens_what_openssl_writes() {
        let key = KeyType::EcdsaP256.generate().unwrap();
        for options in [
            &[][..],
            &["-v2", "aes128"],
            &["-v2", "des3"],
            &["-v2", "aes256", "-v2prf", "hmacWithSHA1"],
            &["-v2", "aes256", "-v2prf", "hmacWithSHA512"],
            &["-scrypt", "-scrypt_N", "1024"],
        ] {
            let der = encrypt(&key, options);
            let opened = decrypt_pkcs8(&der, Some(b"sesame"));
            assert_eq!(opened.unwrap().fingerprint(), key.fingerprint(), "{options:?}");
            assert_eq!(decrypt_pkcs8(&der, None).unwrap_err(), KeyError::PasswordNeeded);
            assert_eq!(decrypt_pkcs8(&der, Some(b"guess")).unwrap_err(), KeyError::WrongPassword);
        }
    }

    #[test]
    fn refuses_old_and_costly_ones_by_name() {
        let key = KeyType::EcdsaP256.generate().unwrap();
        let old = encrypt(&key, &["-v1", "PBE-SHA1-3DES"]);
        let error = decrypt_pkcs8(&old, Some(b"sesame")).unwrap_err();
        assert!(matches!(error, KeyError::UnsupportedEncryption { .. }), "{error}");
        let der = encrypt(&key, &[]);
        let mut info = EncryptedPrivateKeyInfoRef::try_from(&der[..]).unwrap();
        let EncryptionScheme::Pbes2(parameters) = &mut info.encryption_algorithm else {
            panic!("openssl wrote something else than PBES2");
        };
        let Kdf::Pbkdf2(kdf) = &mut parameters.kdf else {
            panic!("openssl used something else than PBKDF2");
        };
        kdf.iteration_count = MAX_ROUNDS + 1;
        let error = decrypt_pkcs8(&info.to_der().unwrap(), Some(b"sesame")).unwrap_err();
        assert!(error.to_string().contains("10000001 rounds"), "{error}");
        let der = encrypt(&key, &["-scrypt", "-scrypt_N", "1024"]);
        let mut info = EncryptedPrivateKeyInfoRef::try_from(&der[..]).unwrap();
        let EncryptionScheme::Pbes2(parameters) = &mut info.encryption_algorithm else {
            panic!("openssl wrote something else than PBES2");
        };
        let Kdf::Scrypt(kdf) = &mut parameters.kdf else {
            panic!("openssl used something else than scrypt");
        };
        kdf.parallelization = u16::MAX;
        let error = decrypt_pkcs8(&info.to_der().unwrap(), Some(b"sesame")).unwrap_err();
        assert!(error.to_string().contains("scrypt with N=1024"), "{error}");
    }

    #[test]
    fn junk_is_damage() {
        assert!(matches!(decrypt_pkcs8(b"\x30\x03\x02\x01\x00", None), Err(KeyError::Damaged { .. })));
    }
}
