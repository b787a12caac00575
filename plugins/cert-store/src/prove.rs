//! The proof that a key and a certificate belong together: sign with the one, verify with the other.
//!
//! Comparing public keys is not enough, because a key file can carry a public half that isn't its own.

use aws_lc_rs::rand;
use aws_lc_rs::signature::UnparsedPublicKey;

use crate::certificate::Certificate;
use crate::fingerprint::Fingerprint;
use crate::key::PrivateKey;

/// The key isn't the certificate's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the private key doesn't belong to the certificate: the key is {key_name} with fingerprint {key}, \
     the certificate was made for {certificate_key_name} with fingerprint {certificate} (find the key it was made \
     with, or have a certificate made for this one)"
)]
pub struct Mismatch {
    /// The private key's kind.
    pub key_name: String,
    /// The private key's public half.
    pub key: Fingerprint,
    /// The kind of key that the certificate is for.
    pub certificate_key_name: String,
    /// The certificate's public key.
    pub certificate: Fingerprint,
}

/// How surely a key and a certificate belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// By a signature.
    Signature,
    /// By comparing the public halves, of which the cryptographic library has checked that it is the key's own when it read it.
    /// For thousands of pairs at a start, which get their signatures after it.
    Comparison,
}

impl Proof {
    /// Whether `key` is the one that `certificate` was made for.
    ///
    /// # Errors
    /// If it isn't.
    pub fn find(self, key: &PrivateKey, certificate: &Certificate) -> Result<(), Mismatch> {
        let same = is_like(key, certificate) && key.public_raw() == certificate.public_key;
        match self {
            Self::Comparison if same => Ok(()),
            // The same point can be written in two ways.
            Self::Comparison | Self::Signature => prove(key, certificate),
        }
    }
}

/// Signs something fresh with `key` and verifies it with the public key in `certificate`.
pub fn prove(key: &PrivateKey, certificate: &Certificate) -> Result<(), Mismatch> {
    if is_like(key, certificate) && signs_for(key, &certificate.public_key) {
        return Ok(());
    }
    Err(Mismatch {
        key_name: key.kind().to_string(),
        key: key.fingerprint(),
        certificate_key_name: certificate.key_name.clone(),
        certificate: certificate.key_fingerprint,
    })
}

/// Whether the keys are of one kind: bytes of an RSA key mean nothing to ECDSA. How large they are is no matter.
fn is_like(key: &PrivateKey, certificate: &Certificate) -> bool {
    certificate.key_kind.is_some_and(|kind| kind.is_like(key.kind()))
}

fn signs_for(key: &PrivateKey, public_key: &[u8]) -> bool {
    let mut challenge = [0; 32];
    if rand::fill(&mut challenge).is_err() {
        return false;
    }
    let Some(signature) = key.sign(&challenge) else {
        return false;
    };
    UnparsedPublicKey::new(key.verification(), public_key).verify(&challenge, &signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{KeyKind, KeyType};
    use crate::testing::openssl;

    fn certificate_for(key: &PrivateKey) -> Certificate {
        let der = openssl(
            &["req", "-x509", "-new", "-key", "/dev/stdin", "-outform", "DER", "-subj", "/CN=x"],
            key.to_pem().as_bytes(),
        );
        Certificate::from_der(&der).unwrap()
    }

    #[test]
    fn only_the_right_key_proves_it() {
        let keys: Vec<PrivateKey> =
            [KeyType::EcdsaP256, KeyType::EcdsaP256, KeyType::EcdsaP384, KeyType::Rsa2048, KeyType::Rsa2048]
                .iter()
                .map(|kind| kind.generate().unwrap())
                .collect();
        for (i, owner) in keys.iter().enumerate() {
            let certificate = certificate_for(owner);
            for (j, key) in keys.iter().enumerate() {
                assert_eq!(prove(key, &certificate).is_ok(), i == j, "{owner:?} {key:?}");
            }
        }
    }

    #[test]
    fn an_rsa_key_of_any_size_belongs_to_its_certificate_and_has_its_true_size() {
        for bits in [2050, 3070, 4094] {
            let option = format!("rsa_keygen_bits:{bits}");
            let pem = openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", &option], b"");
            let pkcs8 = openssl(&["pkcs8", "-topk8", "-nocrypt", "-outform", "DER"], &pem);
            let key = PrivateKey::from_pkcs8(&pkcs8).unwrap();
            let certificate = certificate_for(&key);
            assert_eq!(key.kind(), KeyKind::Rsa(bits));
            assert_eq!((certificate.key_kind, &certificate.key_name), (Some(key.kind()), &format!("RSA {bits}")));
            for proof in [Proof::Comparison, Proof::Signature] {
                assert_eq!(proof.find(&key, &certificate), Ok(()), "{bits}");
            }
        }
    }

    #[test]
    fn a_mismatch_names_both() {
        let (a, b) = (KeyType::EcdsaP256.generate().unwrap(), KeyType::EcdsaP384.generate().unwrap());
        let said = prove(&a, &certificate_for(&b)).unwrap_err().to_string();
        for part in
            [a.fingerprint().to_string(), b.fingerprint().to_string(), "ECDSA P-256".into(), "ECDSA P-384".into()]
        {
            assert!(said.contains(&part), "{said}");
        }
    }
}
