//! A private key in memory: what kind it is, how to sign with it, and its one form on disk and across the
//! boundary, PKCS#8 version 1 (the form that OpenSSL 3.0 and GnuTLS read for every kind).
//!
//! Every key that gets in here has been parsed and checked by the cryptographic library, and its public half
//! has been computed from the private one where the file didn't say it.

mod encrypted;
mod generate;
mod parse;
mod shape;
mod sign;

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair};
use zeroize::Zeroizing;

pub use encrypted::{decrypt_legacy, decrypt_pkcs8, parsed, refused};
pub use generate::KeyType;
pub use parse::KeyError;
pub use shape::bits_of;

use crate::fingerprint::Fingerprint;
use crate::import::pem;

/// What a key is, as far as a certificate cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyKind {
    /// RSA with a modulus of so many bits, which needn't fill its bytes.
    Rsa(usize),
    /// ECDSA on NIST P-256.
    EcdsaP256,
    /// ECDSA on NIST P-384.
    EcdsaP384,
    /// ECDSA on NIST P-521.
    EcdsaP521,
    /// Ed25519 (RFC 8032).
    Ed25519,
}

impl KeyKind {
    /// Whether what is said with one can be understood with the other: the same algorithm, on the same curve.
    pub fn is_like(self, other: Self) -> bool {
        matches!((self, other), (Self::Rsa(_), Self::Rsa(_))) || self == other
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa(bits) => write!(f, "RSA {bits}"),
            Self::EcdsaP256 => f.write_str("ECDSA P-256"),
            Self::EcdsaP384 => f.write_str("ECDSA P-384"),
            Self::EcdsaP521 => f.write_str("ECDSA P-521"),
            Self::Ed25519 => f.write_str("Ed25519"),
        }
    }
}

/// A private key, ready to sign.
pub struct PrivateKey {
    kind: KeyKind,
    signer: Signer,
    pkcs8: Zeroizing<Vec<u8>>,
    spki: Vec<u8>,
}

enum Signer {
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl PrivateKey {
    fn from_rsa(pair: RsaKeyPair) -> Result<Self, KeyError> {
        let pkcs8: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeyError::Broken)?;
        let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(|_| KeyError::Broken)?;
        let bits = shape::public_bits(pair.public_key().as_ref()).ok_or(KeyError::Broken)?;
        let pkcs8 = Zeroizing::new(pkcs8.as_ref().to_vec());
        let spki = spki.as_ref().to_vec();
        Ok(Self { kind: KeyKind::Rsa(bits), signer: Signer::Rsa(pair), pkcs8, spki })
    }

    fn from_ecdsa(kind: KeyKind, pair: EcdsaKeyPair) -> Result<Self, KeyError> {
        let pkcs8 = pair.to_pkcs8v1().map_err(|_| KeyError::Broken)?;
        let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(|_| KeyError::Broken)?;
        let pkcs8 = Zeroizing::new(pkcs8.as_ref().to_vec());
        let spki = spki.as_ref().to_vec();
        Ok(Self { kind, signer: Signer::Ecdsa(pair), pkcs8, spki })
    }

    fn from_ed25519(pair: Ed25519KeyPair) -> Result<Self, KeyError> {
        let pkcs8 = pair.to_pkcs8v1().map_err(|_| KeyError::Broken)?;
        let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(|_| KeyError::Broken)?;
        let pkcs8 = Zeroizing::new(pkcs8.as_ref().to_vec());
        let spki = spki.as_ref().to_vec();
        Ok(Self { kind: KeyKind::Ed25519, signer: Signer::Ed25519(pair), pkcs8, spki })
    }

    /// What it is.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// PKCS#8 version 1, DER.
    pub fn pkcs8(&self) -> &Zeroizing<Vec<u8>> {
        &self.pkcs8
    }

    /// The same as a PEM file.
    pub fn to_pem(&self) -> Zeroizing<String> {
        pem::encode("PRIVATE KEY", &self.pkcs8)
    }

    /// SHA-256 of the public half's SubjectPublicKeyInfo: the name of a key in messages.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.spki)
    }

    /// The public half as it stands in a SubjectPublicKeyInfo's bit string.
    pub(crate) fn public_raw(&self) -> &[u8] {
        match &self.signer {
            Signer::Rsa(pair) => pair.public_key().as_ref(),
            Signer::Ecdsa(pair) => pair.public_key().as_ref(),
            Signer::Ed25519(pair) => pair.public_key().as_ref(),
        }
    }

    /// How a signature by this key is checked.
    pub(crate) fn verification(&self) -> &'static dyn signature::VerificationAlgorithm {
        match self.kind {
            KeyKind::Rsa(_) => &signature::RSA_PKCS1_2048_8192_SHA256,
            KeyKind::EcdsaP256 => &signature::ECDSA_P256_SHA256_ASN1,
            KeyKind::EcdsaP384 => &signature::ECDSA_P384_SHA384_ASN1,
            KeyKind::EcdsaP521 => &signature::ECDSA_P521_SHA512_ASN1,
            KeyKind::Ed25519 => &signature::ED25519,
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({}, {})", self.kind, self.fingerprint())
    }
}
