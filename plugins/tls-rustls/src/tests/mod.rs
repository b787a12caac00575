//! Handshakes and what follows them, over in-memory transports.

mod alpn;
mod check;
mod client;
mod clients;
mod handshake;
mod identities;
mod resumption;
mod strangers;
mod stream;

use super::provider::RustlsProvider;
use dovetail_sdk::{
    certs::{Certs, CertsFailure, CertsProvider, Identity},
    tls::{ServerPolicy, TlsAcceptor, TlsConnection, TlsError, TlsErrorCode, TlsProvider, TlsVersion},
    Secret, Service, Stream,
};
use dovetail_testkit::TestTickets;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, RsaKeySize, SignatureAlgorithm};
use rustls::{
    crypto::{aws_lc_rs, CryptoProvider},
    pki_types::{CertificateDer, ServerName},
    ClientConfig, RootCertStore, SupportedProtocolVersion,
};
use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex},
};
use tokio::io::{duplex, DuplexStream};
use tokio_rustls::client::TlsStream;

/// An authority that exists for one test.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(super) der: Vec<u8>,
}

impl Authority {
    pub(super) fn new() -> Self {
        Self::named("test authority")
    }

    pub(super) fn named(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let der = params.self_signed(&key).unwrap().der().to_vec();
        Authority { issuer: Issuer::new(params, key), der }
    }

    pub(super) fn issue(&self, name: &str, key: &KeyPair) -> Identity {
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(key, &self.issuer).unwrap();
        Identity { name: name.into(), chain: vec![certificate.der().to_vec()], key: Secret::new(key.serialize_der()) }
    }

    pub(super) fn ecdsa(&self, name: &str) -> Identity {
        self.issue(name, &KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap())
    }

    pub(super) fn rsa(&self, name: &str) -> Identity {
        self.issue(name, &rsa_key(&rcgen::PKCS_RSA_SHA256))
    }

    pub(super) fn client_config(&self, versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
        self.client_config_with(versions, aws_lc_rs::default_provider())
    }

    pub(super) fn client_config_with(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        crypto: CryptoProvider,
    ) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.der.clone())).unwrap();
        ClientConfig::builder_with_provider(Arc::new(crypto))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth()
    }
}

pub(super) fn rsa_key(algorithm: &'static SignatureAlgorithm) -> KeyPair {
    KeyPair::generate_rsa_for(algorithm, RsaKeySize::_2048).unwrap()
}

/// A certificate store that can be changed from outside.
#[derive(Clone, Default)]
pub(super) struct FakeCerts(Arc<Mutex<Held>>);

#[derive(Default)]
struct Held {
    names: HashMap<String, u64>,
    default: Option<u64>,
    sets: HashMap<u64, Vec<Identity>>,
    loads: usize,
    last_id: u64,
    /// The next load of this many fails, as if the store had been reloaded in between.
    forget: usize,
}

impl FakeCerts {
    /// One set, served for `name`.
    pub(super) fn with(name: &str, identities: Vec<Identity>) -> Self {
        let certs = FakeCerts::default();
        certs.set(name, identities);
        certs
    }

    pub(super) fn set(&self, name: &str, identities: Vec<Identity>) {
        let mut held = self.0.lock().unwrap();
        held.last_id += 1;
        let id = held.last_id;
        held.sets.insert(id, identities);
        held.names.insert(name.into(), id);
    }

    pub(super) fn set_default(&self, name: &str) {
        let mut held = self.0.lock().unwrap();
        held.default = held.names.get(name).copied();
    }

    pub(super) fn forget_next(&self) {
        self.0.lock().unwrap().forget = 1;
    }

    pub(super) fn loads(&self) -> usize {
        self.0.lock().unwrap().loads
    }

    pub(super) fn provider(&self) -> RustlsProvider {
        self.provider_with(&TestTickets::new())
    }

    pub(super) fn provider_with(&self, tickets: &TestTickets) -> RustlsProvider {
        RustlsProvider::new(Service::fixed(Certs::new(self.clone())), tickets.service())
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.provider().acceptor(policy()).unwrap()
    }
}

impl CertsProvider for FakeCerts {
    fn resolve(&self, certificate: Option<String>, server_name: Option<String>) -> Result<Option<u64>, CertsFailure> {
        let held = self.0.lock().unwrap();
        let named = |name: Option<String>| name.and_then(|name| held.names.get(&name).copied());
        Ok(named(certificate).or_else(|| named(server_name)).or(held.default))
    }

    fn load(&self, set: u64) -> Result<Vec<Identity>, CertsFailure> {
        let mut held = self.0.lock().unwrap();
        held.loads += 1;
        if held.forget > 0 {
            held.forget -= 1;
            return Err(CertsFailure { message: "no such set".into() });
        }
        held.sets.get(&set).cloned().ok_or_else(|| CertsFailure { message: "no such set".into() })
    }

    async fn changed(&self, _seen: u64) -> Result<u64, CertsFailure> {
        std::future::pending().await
    }
}

pub(super) fn policy() -> ServerPolicy {
    ServerPolicy::of("test")
}

pub(super) type Client = TlsStream<DuplexStream>;

/// Both ends of a handshake between a rustls client and `acceptor`.
pub(super) async fn shake(
    acceptor: &TlsAcceptor,
    config: Arc<ClientConfig>,
    name: &str,
) -> (io::Result<Client>, Result<TlsConnection, TlsError>) {
    let (near, far) = duplex(64 * 1024);
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let client = tokio_rustls::TlsConnector::from(config).connect(name, near);
    tokio::join!(client, acceptor.accept(Stream::new(far)))
}

/// A connection that must come about.
pub(super) async fn connected(
    acceptor: &TlsAcceptor,
    config: Arc<ClientConfig>,
    name: &str,
) -> (Client, TlsConnection) {
    let (client, server) = shake(acceptor, config, name).await;
    (client.unwrap(), server.unwrap())
}

/// The alert that the client got.
pub(super) fn alert(error: &io::Error) -> Option<rustls::AlertDescription> {
    match error.get_ref()?.downcast_ref()? {
        rustls::Error::AlertReceived(alert) => Some(*alert),
        _ => None,
    }
}
