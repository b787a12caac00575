//! Proves an identity by a handshake with itself in memory: the server signs with the key, and the client verifies with the
//! certificate. Its name, its dates and who vouches for it are not asked.

use crate::{
    errors::failure,
    identity::{certified_key, Identities},
};
use dovetail_sdk::{
    certs::Identity,
    tls::{TlsError, TlsErrorCode},
};
use rustls::{
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{verify_tls12_signature, verify_tls13_signature, CryptoProvider},
    pki_types::{CertificateDer, ServerName, UnixTime},
    version::TLS13,
    ClientConfig, DigitallySignedStruct, Error, ServerConfig, SignatureScheme,
};
use std::{io, sync::Arc};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Checks an identity.
pub async fn identity(identity: &Identity, crypto: &Arc<CryptoProvider>) -> Result<(), TlsError> {
    certified_key(identity)?;
    let identities = Identities::new(std::slice::from_ref(identity))?;
    shake_hands(identities, crypto).await.map_err(|error| {
        let place = format!("identity {}", identity.name);
        failure(TlsErrorCode::BadIdentity, &place, format!("a handshake with it fails: {error}"))
    })
}

async fn shake_hands(identities: Identities, crypto: &Arc<CryptoProvider>) -> io::Result<()> {
    let server = ServerConfig::builder_with_provider(crypto.clone())
        .with_protocol_versions(&[&TLS13])
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(identities));
    let client = ClientConfig::builder_with_provider(crypto.clone())
        .with_protocol_versions(&[&TLS13])
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(SignatureAlone(crypto.clone())))
        .with_no_client_auth();
    let name = ServerName::try_from("identity.invalid").map_err(io::Error::other)?;
    let (near, far) = tokio::io::duplex(16 * 1024);
    let client = TlsConnector::from(Arc::new(client)).connect(name, near);
    let server = TlsAcceptor::from(Arc::new(server)).accept(far);
    tokio::try_join!(client, server).map(drop)
}

/// Verifies the signature with whatever certificate is shown.
#[derive(Debug)]
struct SignatureAlone(Arc<CryptoProvider>);

impl ServerCertVerifier for SignatureAlone {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
