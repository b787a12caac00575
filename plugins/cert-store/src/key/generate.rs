//! New keys. RSA takes its time (4096 bits: 1.4 s in the median, 4.3 s at worst): call it off the runtime's threads.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair};

use super::{KeyError, KeyKind, PrivateKey};

/// A kind of key that can be created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyType {
    /// RSA, 2048 bits.
    Rsa2048,
    /// RSA, 3072 bits.
    Rsa3072,
    /// RSA, 4096 bits: about twenty times the work of P-256 in each handshake.
    Rsa4096,
    /// ECDSA on P-256: fast, and understood by every client since 2012 or so.
    #[default]
    EcdsaP256,
    /// ECDSA on P-384.
    EcdsaP384,
    /// Ed25519: small and fast, and refused by every client that uses NSS.
    Ed25519,
}

impl KeyType {
    /// Every kind, in the order in which a help text lists them.
    pub const ALL: [Self; 6] =
        [Self::EcdsaP256, Self::EcdsaP384, Self::Rsa2048, Self::Rsa3072, Self::Rsa4096, Self::Ed25519];

    /// The word for it on a command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rsa2048 => "rsa-2048",
            Self::Rsa3072 => "rsa-3072",
            Self::Rsa4096 => "rsa-4096",
            Self::EcdsaP256 => "ecdsa-p256",
            Self::EcdsaP384 => "ecdsa-p384",
            Self::Ed25519 => "ed25519",
        }
    }

    /// Whether making one takes long enough to tell somebody who waits.
    pub fn is_slow(self) -> bool {
        matches!(self, Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096)
    }

    /// Makes a new key.
    pub fn generate(self) -> Result<PrivateKey, KeyError> {
        match self {
            Self::Rsa2048 => rsa(KeySize::Rsa2048),
            Self::Rsa3072 => rsa(KeySize::Rsa3072),
            Self::Rsa4096 => rsa(KeySize::Rsa4096),
            Self::EcdsaP256 => ecdsa(KeyKind::EcdsaP256, &signature::ECDSA_P256_SHA256_ASN1_SIGNING),
            Self::EcdsaP384 => ecdsa(KeyKind::EcdsaP384, &signature::ECDSA_P384_SHA384_ASN1_SIGNING),
            Self::Ed25519 => PrivateKey::from_ed25519(Ed25519KeyPair::generate().map_err(|_| KeyError::Generation)?),
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for KeyType {
    type Err = KeyError;

    fn from_str(word: &str) -> Result<Self, KeyError> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.word() == word)
            .ok_or_else(|| KeyError::NoSuchType { word: word.chars().take(40).collect() })
    }
}

fn rsa(size: KeySize) -> Result<PrivateKey, KeyError> {
    PrivateKey::from_rsa(RsaKeyPair::generate(size).map_err(|_| KeyError::Generation)?)
}

fn ecdsa(kind: KeyKind, algorithm: &'static signature::EcdsaSigningAlgorithm) -> Result<PrivateKey, KeyError> {
    let pair = EcdsaKeyPair::generate(algorithm).map_err(|_| KeyError::Generation)?;
    PrivateKey::from_ecdsa(kind, pair)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for kind in KeyType::ALL {
            assert_eq!(kind.word().parse::<KeyType>().unwrap(), kind);
        }
        let error = "dsa-1024".parse::<KeyType>().unwrap_err().to_string();
        assert!(error.contains("dsa-1024") && error.contains("ecdsa-p256"));
    }

    #[test]
    fn each_new_key_is_another_one_of_the_kind_asked_for() {
        for (kind, expected) in [
            (KeyType::EcdsaP256, KeyKind::EcdsaP256),
            (KeyType::EcdsaP384, KeyKind::EcdsaP384),
            (KeyType::Rsa2048, KeyKind::Rsa(2048)),
            (KeyType::Ed25519, KeyKind::Ed25519),
        ] {
            let (a, b) = (kind.generate().unwrap(), kind.generate().unwrap());
            assert_eq!(a.kind(), expected);
            assert_ne!(a.fingerprint(), b.fingerprint());
        }
    }
}
