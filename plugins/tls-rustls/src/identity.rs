//! Certificates and keys, as rustls wants them.

use super::{
    errors::{describe, failure},
    tickets::Ticketer,
};
use dovetail_sdk::{
    certs::Identity,
    tls::{HostTickets, TlsError, TlsErrorCode},
    Service,
};
use rustls::{
    crypto::aws_lc_rs::sign::any_supported_type,
    pki_types::{CertificateDer, PrivateKeyDer},
    server::{ClientHello, ParsedCertificate, ResolvesServerCert},
    sign::CertifiedKey,
    SignatureAlgorithm,
};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Makes the key pair of a stored identity.
///
/// # Errors
/// [`TlsErrorCode::BadIdentity`], naming the identity: a certificate or key that cannot be read, or that do not match.
pub(crate) fn certified_key(identity: &Identity) -> Result<CertifiedKey, TlsError> {
    let bad = |text: String| failure(TlsErrorCode::BadIdentity, &format!("identity {}", identity.name), text);
    let chain: Vec<CertificateDer<'static>> = identity.chain.iter().cloned().map(CertificateDer::from).collect();
    if chain.is_empty() {
        return Err(bad("it has no certificate; import it again".into()));
    }
    for (position, certificate) in chain.iter().enumerate() {
        ParsedCertificate::try_from(certificate).map_err(|error| {
            bad(format!("certificate {} of its chain cannot be used: {}", position + 1, describe(&error)))
        })?;
    }
    // Borrowed, so that no copy of the key stays behind unwiped.
    let key = any_supported_type(&PrivateKeyDer::Pkcs8(identity.key.expose().into()))
        .map_err(|error| bad(format!("its private key cannot be used: {}", describe(&error))))?;
    let pair = CertifiedKey::new(chain, key);
    pair.keys_match().map_err(|error| {
        bad(format!("its private key does not belong to its certificate ({}); import both again", describe(&error)))
    })?;
    Ok(pair)
}

/// The identities that answer for a name, and those who make the tickets given out under them. A changed certificate makes
/// a new set, and so ends the old one's tickets.
pub(crate) struct IdentitySet {
    /// The store's id for the set.
    pub(crate) id: u64,
    keys: Vec<Arc<CertifiedKey>>,
    /// By what stands for the policy for clients' certificates. As long as an acceptor of that policy uses one.
    ticketers: Mutex<Vec<([u8; 32], Weak<Ticketer>)>>,
}

impl IdentitySet {
    /// Makes a set of what the store has loaded. An unusable identity is left out and logged, if another is left.
    ///
    /// # Errors
    /// [`TlsErrorCode::BadIdentity`] if none can be used.
    pub(crate) fn new(id: u64, identities: &[Identity]) -> Result<Self, TlsError> {
        let mut keys = Vec::with_capacity(identities.len());
        let mut last = failure(TlsErrorCode::BadIdentity, "certificate store", "it gave an empty identity set");
        for identity in identities {
            match certified_key(identity) {
                Ok(key) => keys.push(Arc::new(key)),
                Err(error) => {
                    tracing::error!(identity = %identity.name, %error, "an identity cannot be served; import a good pair with `dovetail certs import --replace`");
                    last = error;
                }
            }
        }
        if keys.is_empty() {
            return Err(last);
        }
        keys.sort_by_key(|key| rank(key.key.algorithm()));
        Ok(IdentitySet { id, keys, ticketers: Mutex::default() })
    }

    /// Who makes this set's tickets under the policy that `clients` stands for; the same for all acceptors.
    pub(crate) fn ticketer(&self, clients: &[u8; 32], ring: &Service<HostTickets>) -> Arc<Ticketer> {
        // A panic while the lock was held leaves a list that is whole: each change is one call.
        let mut ticketers = self.ticketers.lock().unwrap_or_else(PoisonError::into_inner);
        ticketers.retain(|(_, ticketer)| ticketer.strong_count() > 0);
        let known = ticketers.iter().find(|(of, _)| of == clients).and_then(|(_, ticketer)| ticketer.upgrade());
        known.unwrap_or_else(|| {
            let leaves = self.keys.iter().filter_map(|key| key.cert.first());
            let ticketer = Arc::new(Ticketer::new(ring.clone(), clients, leaves));
            ticketers.push((*clients, Arc::downgrade(&ticketer)));
            ticketer
        })
    }

    #[cfg(test)]
    pub(crate) fn algorithms(&self) -> Vec<SignatureAlgorithm> {
        self.keys.iter().map(|key| key.key.algorithm()).collect()
    }
}

impl ResolvesServerCert for IdentitySet {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let fits = |key: &&Arc<CertifiedKey>| key.key.choose_scheme(hello.signature_schemes()).is_some();
        // Without one that fits, rustls says best what is missing.
        self.keys.iter().find(fits).or_else(|| self.keys.first()).cloned()
    }
}

impl std::fmt::Debug for IdentitySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "IdentitySet({}, {} keys)", self.id, self.keys.len())
    }
}

/// Cheap signatures first: an RSA signature costs about 20 times as much as an ECDSA one.
fn rank(algorithm: SignatureAlgorithm) -> u8 {
    match algorithm {
        SignatureAlgorithm::ECDSA => 0,
        SignatureAlgorithm::ED25519 => 1,
        _ => 2,
    }
}
