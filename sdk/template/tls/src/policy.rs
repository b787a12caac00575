//! What policies say, in rustls' words. What cannot be is [`TlsErrorCode::BadPolicy`], at once and not at the first handshake.

use crate::errors::failure;
use dovetail_sdk::tls::{ClientAuth, ClientCertificates, ServerPolicy, TlsError, TlsErrorCode, TlsProfile, TlsVersion};
use rustls::{
    crypto::CryptoProvider,
    pki_types::{CertificateDer, CertificateRevocationListDer},
    server::{danger::ClientCertVerifier, WebPkiClientVerifier},
    version, RootCertStore, SupportedProtocolVersion,
};
use std::{fmt::Display, sync::Arc};

fn bad(place: &str, text: impl Display) -> TlsError {
    failure(TlsErrorCode::BadPolicy, place, text)
}

/// The oldest version of a listener. The cipher suites and groups of rustls are those of both profiles, so that is all that a
/// profile decides.
pub fn oldest(policy: &ServerPolicy) -> TlsVersion {
    match policy.profile {
        TlsProfile::Modern => TlsVersion::Tls13,
        _ => policy.min_version,
    }
}

/// The versions from `min` to `max`.
pub fn versions(
    place: &str,
    min: TlsVersion,
    max: TlsVersion,
) -> Result<Vec<&'static SupportedProtocolVersion>, TlsError> {
    match (min, max) {
        (TlsVersion::Tls12, TlsVersion::Tls12) => Ok(vec![&version::TLS12]),
        (_, TlsVersion::Tls12) => Err(bad(place, "the oldest TLS version allowed is newer than the newest")),
        (TlsVersion::Tls12, _) => Ok(vec![&version::TLS13, &version::TLS12]),
        _ => Ok(vec![&version::TLS13]),
    }
}

/// Application protocols as they go over the wire (RFC 7301 section 3.1).
pub fn alpn(place: &str, names: Vec<String>) -> Result<Vec<Vec<u8>>, TlsError> {
    match names.iter().find(|name| name.is_empty() || name.len() > 255) {
        Some(name) => Err(bad(place, format!("an application protocol has {} octets, not 1 to 255", name.len()))),
        None => Ok(names.into_iter().map(String::into_bytes).collect()),
    }
}

/// Who is trusted: at least one.
pub fn anchors(place: &str, anchors: Vec<Vec<u8>>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for (position, anchor) in anchors.into_iter().enumerate() {
        let added = roots.add(CertificateDer::from(anchor));
        added.map_err(|error| bad(place, format!("trust anchor {} cannot be used: {error}", position + 1)))?;
    }
    match roots.is_empty() {
        true => Err(bad(place, "there are no trust anchors, so no certificate could ever be trusted")),
        false => Ok(roots),
    }
}

/// Who judges certificates of clients.
pub fn clients(
    place: &str,
    clients: ClientCertificates,
    crypto: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    if clients.mode == ClientAuth::Off {
        return Ok(WebPkiClientVerifier::no_client_auth());
    }
    let roots = Arc::new(anchors(place, clients.anchors)?);
    let mut builder = WebPkiClientVerifier::builder_with_provider(roots, crypto.clone())
        .with_crls(clients.crls.into_iter().map(CertificateRevocationListDer::from))
        .enforce_revocation_expiration();
    if clients.mode == ClientAuth::Optional {
        builder = builder.allow_unauthenticated();
    }
    builder.build().map_err(|error| bad(place, format!("a revocation list cannot be used: {error}")))
}
