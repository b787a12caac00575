//! Proves an identity: a TLS 1.3 handshake with itself, in memory. The server signs with the key, and the client verifies
//! with the certificate; nothing else is trusted or asked.

use super::{
    errors::{describe, failure},
    identity::{certified_key, IdentitySet},
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
    CertificateError, ClientConfig, ClientConnection, ConnectionCommon, DigitallySignedStruct, Error, ServerConfig,
    ServerConnection, SideData, SignatureScheme,
};
use std::{io, sync::Arc};

/// Checks an identity.
///
/// # Errors
/// [`TlsErrorCode::BadIdentity`], naming the identity.
pub(crate) fn identity(identity: &Identity, crypto: &Arc<CryptoProvider>) -> Result<(), TlsError> {
    let pair = certified_key(identity)?;
    let leaf = pair.cert.first().cloned().ok_or(Error::NoCertificatesPresented);
    let set = IdentitySet::new(0, std::slice::from_ref(identity))?;
    leaf.and_then(|leaf| shake_hands(leaf, Arc::new(set), crypto)).map_err(|error| {
        let place = format!("identity {}", identity.name);
        failure(TlsErrorCode::BadIdentity, &place, format!("a handshake with it fails: {}", describe(&error)))
    })
}

fn shake_hands(
    leaf: CertificateDer<'static>,
    set: Arc<IdentitySet>,
    crypto: &Arc<CryptoProvider>,
) -> Result<(), Error> {
    let server = ServerConfig::builder_with_provider(crypto.clone())
        .with_protocol_versions(&[&TLS13])?
        .with_no_client_auth()
        .with_cert_resolver(set);
    let client = ClientConfig::builder_with_provider(crypto.clone())
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Exactly { leaf, crypto: crypto.clone() }))
        .with_no_client_auth();
    let name = ServerName::try_from("identity.invalid").map_err(|_| Error::UnsupportedNameType)?;
    let mut server = ServerConnection::new(Arc::new(server))?;
    let mut client = ClientConnection::new(Arc::new(client), name)?;
    for _ in 0..MAX_TURNS {
        carry(&mut client, &mut server)?;
        carry(&mut server, &mut client)?;
        if !client.is_handshaking() && !server.is_handshaking() {
            return Ok(());
        }
    }
    Err(Error::HandshakeNotComplete)
}

/// Carries what one side has to say to the other.
fn carry<A: SideData, B: SideData>(from: &mut ConnectionCommon<A>, to: &mut ConnectionCommon<B>) -> Result<(), Error> {
    let failed = |error: io::Error| Error::General(error.to_string());
    let mut bytes = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut bytes).map_err(failed)?;
    }
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        to.read_tls(&mut rest).map_err(failed)?;
        to.process_new_packets()?;
    }
    Ok(())
}

/// Trusts one certificate, whatever its name and dates, and verifies signatures as always.
#[derive(Debug)]
struct Exactly {
    leaf: CertificateDer<'static>,
    crypto: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Exactly {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if *shown == self.leaf {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.crypto.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.crypto.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.crypto.signature_verification_algorithms.supported_schemes()
    }
}

/// A handshake takes two; one more for a retry of the key share.
const MAX_TURNS: usize = 4;
