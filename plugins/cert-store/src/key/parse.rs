//! Private keys from DER: PKCS#8 (RFC 5958), PKCS#1 (RFC 8017), SEC1 (RFC 5915).
//!
//! The cryptographic library parses and checks (a forged public half is refused here); this file finds out
//! which parser to use and names what none of them takes.

use aws_lc_rs::signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, RsaKeyPair};
use pkcs8::der::asn1::ObjectIdentifier;
use pkcs8::PrivateKeyInfoRef;

use super::shape::{curve_name, pkcs1, refused_algorithm, refused_multi_prime, sec1_curve, Pkcs1, Sec1Curve};
use super::{KeyKind, PrivateKey};

/// Why a private key can't be used. Messages have no file name: the caller puts it in front.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It isn't what its label says.
    #[error("the private key is damaged: it doesn't parse as {format}")]
    Damaged {
        /// The format that it should have.
        format: &'static str,
    },
    /// It parses, but its numbers don't fit together.
    #[error("the private key is broken: its parts don't fit together")]
    Broken,
    /// A kind that no mail client accepts, or that we don't.
    #[error("this is {what}: {cure}")]
    Unsupported {
        /// With its article.
        what: String,
        /// What to do.
        cure: &'static str,
    },
    /// RSA below 2048 or above 8192 bits.
    #[error("the RSA key has {bits} bits: 2048 to 8192 are accepted")]
    RsaSize {
        /// How many it has.
        bits: usize,
    },
    /// Needs a password.
    #[error("the private key is encrypted: give its password with --password-file")]
    PasswordNeeded,
    /// Has one, but not this one.
    #[error("the password doesn't open the private key")]
    WrongPassword,
    /// Encrypted in a way that isn't supported.
    #[error(
        "the private key is encrypted with {scheme}, which isn't supported: decrypt it first, \
             openssl pkey -in KEY -out DECRYPTED"
    )]
    UnsupportedEncryption {
        /// The scheme.
        scheme: String,
    },
    /// A file that would keep us busy for minutes or eat the memory.
    #[error("the private key's password hashing is too costly: {what}, the limit is {limit}")]
    TooCostly {
        /// How costly it is.
        what: String,
        /// What is allowed.
        limit: &'static str,
    },
    /// Not a kind of key that can be created.
    #[error("there is no key type \"{word}\": use ecdsa-p256, ecdsa-p384, rsa-2048, rsa-3072, rsa-4096 or ed25519")]
    NoSuchType {
        /// What was asked for.
        word: String,
    },
    /// The cryptographic library failed.
    #[error("the cryptographic library couldn't make a key")]
    Generation,
}

impl PrivateKey {
    /// From an unencrypted PKCS#8 structure, version 1 or 2.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        const FORMAT: KeyError = KeyError::Damaged { format: "PKCS#8" };
        let info = PrivateKeyInfoRef::try_from(der).map_err(|_| FORMAT)?;
        let oid = info.algorithm.oid;
        if oid == RSA {
            return Self::from_pkcs1(info.private_key.as_bytes());
        }
        if oid == EC {
            let Ok(curve) = info.algorithm.parameters_oid() else {
                return Err(unsupported_curve(EXPLICIT));
            };
            let Some((kind, algorithm)) = curve_by_oid(curve) else {
                return Err(unsupported_curve(&curve_name(curve)));
            };
            let pair = EcdsaKeyPair::from_pkcs8(algorithm, der).map_err(|_| KeyError::Broken)?;
            return Self::from_ecdsa(kind, pair);
        }
        if oid == ED25519 {
            let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(|_| KeyError::Broken)?;
            return Self::from_ed25519(pair);
        }
        Err(refused_algorithm(&oid.to_string()))
    }

    /// From a PKCS#1 RSAPrivateKey.
    pub fn from_pkcs1(der: &[u8]) -> Result<Self, KeyError> {
        let Pkcs1 { bits, is_multi_prime } = pkcs1(der).ok_or(KeyError::Damaged { format: "PKCS#1" })?;
        if is_multi_prime {
            return Err(refused_multi_prime());
        }
        if !(2048..=8192).contains(&bits) {
            return Err(KeyError::RsaSize { bits });
        }
        Self::from_rsa(RsaKeyPair::from_der(der).map_err(|_| KeyError::Broken)?)
    }

    /// From a SEC1 ECPrivateKey. One that doesn't name its curve is tried on each.
    pub fn from_sec1(der: &[u8]) -> Result<Self, KeyError> {
        // Looked at here, because the library would take explicit parameters of a curve that it knows.
        match sec1_curve(der) {
            None => return Err(KeyError::Damaged { format: "SEC1" }),
            Some(Sec1Curve::Explicit) => return Err(unsupported_curve(EXPLICIT)),
            Some(Sec1Curve::Named(oid)) if curve_by_oid(oid).is_none() => {
                return Err(unsupported_curve(&curve_name(oid)));
            }
            Some(_) => {}
        }
        for (_, kind, algorithm) in curves() {
            if let Ok(pair) = EcdsaKeyPair::from_private_key_der(algorithm, der) {
                return Self::from_ecdsa(kind, pair);
            }
        }
        Err(KeyError::Broken)
    }

    /// From DER without a label: whichever of the three it is.
    pub fn from_unlabelled(der: &[u8]) -> Result<Self, KeyError> {
        if PrivateKeyInfoRef::try_from(der).is_ok() {
            Self::from_pkcs8(der)
        } else if pkcs1(der).is_some() {
            Self::from_pkcs1(der)
        } else if sec1_curve(der).is_some() {
            Self::from_sec1(der)
        } else {
            Err(KeyError::Damaged { format: "a private key" })
        }
    }
}

fn unsupported_curve(curve: &str) -> KeyError {
    KeyError::Unsupported {
        what: format!("an EC key on {curve}"),
        cure:
            "mail clients know P-256 and P-384, and some of them P-521: create a new key with `dovetail certs create`",
    }
}

type Curve = (ObjectIdentifier, KeyKind, &'static EcdsaSigningAlgorithm);

fn curves() -> [Curve; 3] {
    [
        (P256, KeyKind::EcdsaP256, &signature::ECDSA_P256_SHA256_ASN1_SIGNING),
        (P384, KeyKind::EcdsaP384, &signature::ECDSA_P384_SHA384_ASN1_SIGNING),
        (P521, KeyKind::EcdsaP521, &signature::ECDSA_P521_SHA512_ASN1_SIGNING),
    ]
}

fn curve_by_oid(oid: ObjectIdentifier) -> Option<(KeyKind, &'static EcdsaSigningAlgorithm)> {
    curves().into_iter().find(|(known, ..)| *known == oid).map(|(_, kind, algorithm)| (kind, algorithm))
}

const EXPLICIT: &str = "explicit curve parameters";
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");

#[cfg(test)]
mod tests;
