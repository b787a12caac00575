//! The client side of TLS: versions, key exchange, and a verifier that accepts any certificate.
use crate::args::Args;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::Resumption;
use rustls::crypto::{aws_lc_rs, CryptoProvider};
use rustls::pki_types::{pem::PemObject, CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use std::sync::Arc;

#[derive(Clone, Copy)]
pub struct TlsInfo {
    pub us: u32,
    pub resumed: bool,
}

pub fn client_config(a: &Args, resume: bool) -> std::result::Result<ClientConfig, String> {
    let mut p: CryptoProvider = aws_lc_rs::default_provider();
    p.kx_groups = match a.str("kx", "x25519").as_str() {
        "x25519" => vec![aws_lc_rs::kx_group::X25519, aws_lc_rs::kx_group::SECP256R1],
        "p256" => vec![aws_lc_rs::kx_group::SECP256R1],
        "mlkem" => vec![aws_lc_rs::kx_group::X25519MLKEM768, aws_lc_rs::kx_group::X25519],
        x => return Err(format!("--kx {x:?}: x25519, p256 or mlkem")),
    };
    let versions: &[&rustls::SupportedProtocolVersion] = match a.str("tls-version", "any").as_str() {
        "any" => rustls::ALL_VERSIONS,
        "1.2" => &[&rustls::version::TLS12],
        "1.3" => &[&rustls::version::TLS13],
        x => return Err(format!("--tls-version {x:?}: any, 1.2 or 1.3")),
    };
    let b =
        ClientConfig::builder_with_provider(Arc::new(p)).with_protocol_versions(versions).map_err(|e| e.to_string())?;
    let mut c = match a.get("ca") {
        Some(path) => {
            let mut roots = rustls::RootCertStore::empty();
            for cert in CertificateDer::pem_file_iter(path).map_err(|e| format!("{path}: {e}"))? {
                roots.add(cert.map_err(|e| format!("{path}: {e}"))?).map_err(|e| format!("{path}: {e}"))?;
            }
            b.with_root_certificates(roots).with_no_client_auth()
        }
        None => b.dangerous().with_custom_certificate_verifier(Arc::new(AcceptAny)).with_no_client_auth(),
    };
    c.resumption = if resume { Resumption::in_memory_sessions(256) } else { Resumption::disabled() };
    Ok(c)
}

/// No checks at all, so that the client's own signature work is not part of what is measured.
#[derive(Debug)]
struct AcceptAny;
impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        use SignatureScheme::*;
        vec![
            ECDSA_NISTP256_SHA256,
            ECDSA_NISTP384_SHA384,
            ED25519,
            RSA_PSS_SHA256,
            RSA_PSS_SHA384,
            RSA_PSS_SHA512,
            RSA_PKCS1_SHA256,
            RSA_PKCS1_SHA384,
            RSA_PKCS1_SHA512,
        ]
    }
}
