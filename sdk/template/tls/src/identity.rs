//! Certificates and keys, as rustls wants them.

use crate::errors::failure;
use dovetail_sdk::{
    certs::Identity,
    tls::{TlsError, TlsErrorCode},
};
use rustls::{
    crypto::aws_lc_rs::sign::any_supported_type,
    pki_types::{CertificateDer, PrivateKeyDer},
    server::{ClientHello, ParsedCertificate, ResolvesServerCert},
    sign::CertifiedKey,
    SignatureAlgorithm,
};
use std::{fmt::Display, sync::Arc};

/// Makes the pair of a stored identity. A failure names it.
pub fn certified_key(identity: &Identity) -> Result<CertifiedKey, TlsError> {
    let bad = |what: &str, error: &dyn Display| {
        failure(TlsErrorCode::BadIdentity, &format!("identity {}", identity.name), format!("{what}: {error}"))
    };
    let chain: Vec<CertificateDer<'static>> = identity.chain.iter().cloned().map(CertificateDer::from).collect();
    for certificate in &chain {
        ParsedCertificate::try_from(certificate).map_err(|error| bad("a certificate cannot be used", &error))?;
    }
    // Borrowed, so that no copy of the key stays behind.
    let key = any_supported_type(&PrivateKeyDer::Pkcs8(identity.key.expose().into()))
        .map_err(|error| bad("its key cannot be used", &error))?;
    let pair = CertifiedKey::new(chain, key);
    pair.keys_match().map_err(|error| bad("its key does not belong to its certificate", &error))?;
    Ok(pair)
}

/// The identities that answer for a name, say one with ECDSA and one with RSA.
#[derive(Debug)]
pub struct Identities(Vec<Arc<CertifiedKey>>);

impl Identities {
    /// Leaves out what cannot be used, if something is left.
    pub fn new(identities: &[Identity]) -> Result<Self, TlsError> {
        let mut keys = Vec::new();
        let mut last = failure(TlsErrorCode::BadIdentity, "certificate store", "it gave an empty set of identities");
        for identity in identities {
            match certified_key(identity) {
                Ok(key) => keys.push(Arc::new(key)),
                Err(error) => {
                    tracing::error!(%error, "an identity cannot be served");
                    last = error;
                }
            }
        }
        // An RSA signature costs about 20 times as much as one of the others.
        keys.sort_by_key(|key| key.key.algorithm() == SignatureAlgorithm::RSA);
        match keys.is_empty() {
            true => Err(last),
            false => Ok(Identities(keys)),
        }
    }
}

impl ResolvesServerCert for Identities {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let fits = |key: &&Arc<CertifiedKey>| key.key.choose_scheme(hello.signature_schemes()).is_some();
        // Without one that fits, rustls says best what is missing.
        self.0.iter().find(fits).or_else(|| self.0.first()).cloned()
    }
}
