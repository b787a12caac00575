//! Which certificates of clients are good (RFC 8446 section 4.3.2, RFC 5280 section 6).
//!
//! With any revocation list, each certificate below a trust anchor must be known not to be revoked: one whose issuer has no
//! list, or only a list past its `nextUpdate`, is refused. What a resumed session brings along is proved again, so that a
//! certificate does not outlive its own end by a ticket.

use super::{clock, errors::failure};
use aws_lc_rs::digest;
use dovetail_sdk::tls::{ClientAuth, ClientCertificates, TlsError, TlsErrorCode};
use rustls::{
    crypto::CryptoProvider,
    pki_types::{CertificateDer, CertificateRevocationListDer},
    server::{danger::ClientCertVerifier, WebPkiClientVerifier},
    Error, RootCertStore,
};
use std::sync::Arc;

/// See the module.
pub(crate) struct Clients {
    /// The same for equal policies and no others.
    pub(crate) hash: [u8; 32],
    verifier: Option<Arc<dyn ClientCertVerifier>>,
}

impl Clients {
    /// # Errors
    /// [`TlsErrorCode::BadPolicy`] if there are no trust anchors where some are needed, or one of them or a revocation list
    /// cannot be read; the text says which.
    pub(crate) fn new(
        place: &str,
        policy: ClientCertificates,
        crypto: &Arc<CryptoProvider>,
    ) -> Result<Clients, TlsError> {
        let hash = hash(&policy);
        if policy.mode == ClientAuth::Off {
            return Ok(Clients { hash, verifier: None });
        }
        if policy.anchors.is_empty() {
            return Err(failure(
                TlsErrorCode::BadPolicy,
                place,
                "certificates of clients are asked for, and there is no trust anchor to prove them by; give at least one",
            ));
        }
        let roots = Arc::new(roots(place, policy.anchors)?);
        let mut builder = WebPkiClientVerifier::builder_with_provider(roots.clone(), crypto.clone());
        for (position, list) in policy.crls.into_iter().enumerate() {
            let list = CertificateRevocationListDer::from(list);
            // Alone first: the builder does not say which of several it cannot read.
            let alone = WebPkiClientVerifier::builder_with_provider(roots.clone(), crypto.clone());
            if let Err(error) = alone.with_crls([list.clone()]).build() {
                let text = format!("revocation list {} cannot be used: {error}", position + 1);
                return Err(failure(TlsErrorCode::BadPolicy, place, text));
            }
            builder = builder.with_crls([list]);
        }
        builder = builder.enforce_revocation_expiration();
        if policy.mode == ClientAuth::Optional {
            builder = builder.allow_unauthenticated();
        }
        let verifier = builder.build().map_err(|error| failure(TlsErrorCode::BadPolicy, place, error))?;
        Ok(Clients { hash, verifier: Some(verifier) })
    }

    /// For a config.
    pub(crate) fn verifier(&self) -> Arc<dyn ClientCertVerifier> {
        self.verifier.clone().unwrap_or_else(WebPkiClientVerifier::no_client_auth)
    }

    /// Proves a chain that comes from an earlier session. An empty one was allowed then, under the same policy.
    ///
    /// # Errors
    /// As a full handshake would.
    pub(crate) fn still_good(&self, chain: Option<&[CertificateDer<'_>]>) -> Result<(), Error> {
        match (&self.verifier, chain.and_then(<[_]>::split_first)) {
            (Some(verifier), Some((leaf, rest))) => {
                verifier.verify_client_cert(leaf, rest, clock::now()).map(|_verified| ())
            }
            _ => Ok(()),
        }
    }
}

/// Trust anchors.
///
/// # Errors
/// [`TlsErrorCode::BadPolicy`] if one cannot be read, saying which.
pub(crate) fn roots(place: &str, anchors: Vec<Vec<u8>>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for (position, anchor) in anchors.into_iter().enumerate() {
        roots.add(CertificateDer::from(anchor)).map_err(|error| {
            let text = format!("trust anchor {} cannot be used: {error}", position + 1);
            failure(TlsErrorCode::BadPolicy, place, text)
        })?;
    }
    Ok(roots)
}

fn hash(policy: &ClientCertificates) -> [u8; 32] {
    let mut parts: Vec<&[u8]> = Vec::new();
    let counts;
    let mode = match policy.mode {
        ClientAuth::Off => 0_u8,
        ClientAuth::Optional => 1,
        _ => 2,
    };
    // Where nobody is asked it does not matter who would be trusted.
    if policy.mode != ClientAuth::Off {
        counts = (policy.anchors.len() as u64).to_be_bytes();
        parts.push(&counts);
        parts.extend(policy.anchors.iter().chain(&policy.crls).map(Vec::as_slice));
    }
    digest_of(&[mode], parts)
}

/// SHA-256 of parts, each with its length in front.
pub(crate) fn digest_of<'a>(first: &'a [u8], parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in std::iter::once(first).chain(parts) {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(mode: ClientAuth, anchors: &[&str], crls: &[&str]) -> ClientCertificates {
        let owned = |list: &[&str]| list.iter().map(|item| item.as_bytes().to_vec()).collect();
        ClientCertificates { mode, anchors: owned(anchors), crls: owned(crls) }
    }

    #[test]
    fn policies_have_hashes_of_their_own() {
        use ClientAuth::{Off, Optional, Required};
        let policies = [
            policy(Off, &[], &[]),
            policy(Optional, &["a"], &[]),
            policy(Required, &["a"], &[]),
            policy(Required, &["a", "b"], &[]),
            policy(Required, &["ab"], &[]),
            policy(Required, &["a"], &["b"]),
            policy(Required, &["a"], &["b", ""]),
        ];
        let hashes: std::collections::HashSet<_> = policies.iter().map(hash).collect();
        assert_eq!(hashes.len(), policies.len());
        assert_eq!(hash(&policies[0]), hash(&policy(Off, &["a"], &["b"])));
        assert_eq!(hash(&policies[5]), hash(&policies[5].clone()));
    }
}
