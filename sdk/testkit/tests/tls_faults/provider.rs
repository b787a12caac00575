//! A small provider on rustls, good enough for the cases that its faults are for.

use super::stream::Wrapped;
use dovetail_sdk::{
    certs::{Certs, Identity},
    tls::*,
    Context, Plugin, Service, StartFailure, Stream,
};
use rustls::{
    crypto::aws_lc_rs::{default_provider, sign::any_supported_type, Ticketer},
    pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName},
    server::{NoServerSessionStorage, ProducesTickets, WebPkiClientVerifier},
    sign::{CertifiedKey, SingleCertAndKey},
    version::{TLS12, TLS13},
    ClientConfig, HandshakeKind, RootCertStore, ServerConfig,
};
use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex},
};
use tokio::io::AsyncWriteExt;
use tokio_rustls::LazyConfigAcceptor;

/// What it does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
pub(super) enum Fault {
    /// One key seals the tickets of all listeners and certificates.
    OneTicketKey,
    /// An end without close_notify is an end.
    SilentTruncation,
    /// A shutdown closes the transport and says nothing.
    NoCloseNotify,
    /// A write that was pending has to be repeated as it was.
    SameWriteAgain,
    /// What is written is kept, however much it is.
    Greedy,
    /// Whoever speaks no TLS gets a line of text.
    Talkative,
    /// A handshake that is dropped panics.
    PanicsWhenDropped,
    /// The exporter has another label.
    OtherExporter,
    /// Application protocols are what the client likes.
    AnyProtocol,
    /// The first certificate of a name is kept.
    OldCertificate,
    /// Clients' certificates are not judged.
    NoJudgement,
}

#[derive(serde::Deserialize)]
pub(super) struct Config {
    #[serde(default)]
    fault: Option<Fault>,
}

pub(super) struct Faulty(Arc<Inner>);

struct Inner {
    fault: Option<Fault>,
    certs: Service<Certs>,
    ticketers: Mutex<HashMap<String, Arc<dyn ProducesTickets>>>,
    first: Mutex<HashMap<Option<String>, u64>>,
}

impl Plugin for Faulty {
    type Config = Config;
    async fn start(config: Config, context: Context) -> Result<Self, StartFailure> {
        let certs = context.service::<Certs>()?;
        let (ticketers, first) = Default::default();
        Ok(Faulty(Arc::new(Inner { fault: config.fault, certs, ticketers, first })))
    }
}

impl TlsProvider for Faulty {
    fn acceptor(&self, policy: ServerPolicy) -> Result<TlsAcceptor, TlsError> {
        Ok(TlsAcceptor::new(Acceptor { inner: self.0.clone(), policy }))
    }
    fn connector(&self, policy: ClientPolicy) -> Result<TlsConnector, TlsError> {
        Ok(TlsConnector::new(Connector { inner: self.0.clone(), policy }))
    }
    async fn check_identity(&self, _: Identity) -> Result<(), TlsError> {
        Ok(())
    }
}

struct Acceptor {
    inner: Arc<Inner>,
    policy: ServerPolicy,
}

struct Connector {
    inner: Arc<Inner>,
    policy: ClientPolicy,
}

impl Inner {
    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn ticketer(&self, set: u64, clients: &ClientCertificates) -> Arc<dyn ProducesTickets> {
        let context = if self.has(Fault::OneTicketKey) { String::new() } else { format!("{set} {clients:?}") };
        self.ticketers.lock().unwrap().entry(context).or_insert_with(|| Ticketer::new().unwrap()).clone()
    }

    fn set(&self, policy: &ServerPolicy, name: Option<String>) -> Option<(u64, Identity)> {
        let certs = self.certs.get().ok()?;
        let found = certs.resolve(policy.certificate.clone(), name.clone()).ok()??;
        let set = match self.has(Fault::OldCertificate) {
            true => *self.first.lock().unwrap().entry(name).or_insert(found),
            false => found,
        };
        Some((set, certs.load(set).ok()?.into_iter().next()?))
    }
}

impl Acceptor {
    fn config(&self, name: Option<String>, offered: Vec<Vec<u8>>) -> Option<ServerConfig> {
        let (set, identity) = self.inner.set(&self.policy, name)?;
        let crypto = Arc::new(default_provider());
        let versions: &[_] = if self.policy.min_version == TlsVersion::Tls13 { &[&TLS13] } else { &[&TLS13, &TLS12] };
        let builder = ServerConfig::builder_with_provider(crypto.clone()).with_protocol_versions(versions).ok()?;
        let clients = &self.policy.clients;
        let builder = if clients.mode == ClientAuth::Off || self.inner.has(Fault::NoJudgement) {
            builder.with_no_client_auth()
        } else {
            let crls = clients.crls.iter().map(|list| list.clone().into());
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots(&clients.anchors)), crypto).with_crls(crls);
            let verifier =
                if clients.mode == ClientAuth::Optional { verifier.allow_unauthenticated() } else { verifier };
            builder.with_client_cert_verifier(verifier.build().ok()?)
        };
        let chain = identity.chain.into_iter().map(CertificateDer::from).collect();
        let key = any_supported_type(&PrivatePkcs8KeyDer::from(identity.key.expose().to_vec()).into()).ok()?;
        let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, key))));
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.ticketer = self.inner.ticketer(set, clients);
        config.alpn_protocols = match self.inner.has(Fault::AnyProtocol) {
            true => offered,
            false => self.policy.alpn.iter().map(|name| name.clone().into_bytes()).collect(),
        };
        Some(config)
    }

    async fn shake(&self, stream: Stream) -> Result<TlsConnection, TlsError> {
        let mut reading = LazyConfigAcceptor::new(Default::default(), stream);
        let start = match (&mut reading).await {
            Ok(start) => start,
            Err(error) => {
                if let Some(mut stream) = reading.take_io() {
                    if self.inner.has(Fault::Talkative) {
                        let _ = stream.write_all(b"500 speak TLS\r\n").await;
                    }
                    let _ = stream.shutdown().await;
                }
                return Err(failure(&error));
            }
        };
        let hello = start.client_hello();
        let name = hello.server_name().map(str::to_owned);
        let offered = hello.alpn().into_iter().flatten().map(<[u8]>::to_vec).collect();
        let Some(config) = self.config(name.clone(), offered) else {
            return Err(TlsError { code: TlsErrorCode::BadIdentity, message: "no config".into() });
        };
        match start.into_stream(Arc::new(config)).into_fallible().await {
            Ok(stream) => Ok(connection(&self.inner, stream.into(), name)),
            Err((error, mut stream)) => {
                let _ = stream.shutdown().await;
                Err(failure(&error))
            }
        }
    }
}

impl TlsAcceptorProvider for Acceptor {
    async fn accept(&self, stream: Stream) -> Result<TlsConnection, TlsError> {
        let mut bomb = Bomb(self.inner.has(Fault::PanicsWhenDropped));
        let outcome = self.shake(stream).await;
        bomb.0 = false;
        outcome
    }
}

struct Bomb(bool);

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(!self.0, "dropped in the middle");
    }
}

impl TlsConnectorProvider for Connector {
    async fn connect(&self, stream: Stream, server_name: String) -> Result<TlsConnection, TlsError> {
        let versions: &[_] = if self.policy.max_version == TlsVersion::Tls12 { &[&TLS12] } else { &[&TLS13, &TLS12] };
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots(&self.policy.anchors))
            .with_no_client_auth();
        let name = ServerName::try_from(server_name.clone()).unwrap();
        let connecting = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream);
        let stream = connecting.await.map_err(|error| failure(&error))?;
        Ok(connection(&self.inner, stream.into(), Some(server_name)))
    }
}

fn roots(anchors: &[Vec<u8>]) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(anchors.iter().cloned().map(CertificateDer::from));
    roots
}

fn connection(inner: &Inner, mut stream: tokio_rustls::TlsStream<Stream>, name: Option<String>) -> TlsConnection {
    if inner.has(Fault::Greedy) {
        match &mut stream {
            tokio_rustls::TlsStream::Server(stream) => stream.get_mut().1.set_buffer_limit(None),
            tokio_rustls::TlsStream::Client(stream) => stream.get_mut().1.set_buffer_limit(None),
        }
    }
    let tls = stream.get_ref().1;
    let is_13 = tls.protocol_version() == Some(rustls::ProtocolVersion::TLSv1_3);
    let label: &[u8] = if inner.has(Fault::OtherExporter) { b"EXPORTER-Other" } else { b"EXPORTER-Channel-Binding" };
    let exporter = match &stream {
        tokio_rustls::TlsStream::Server(stream) => {
            stream.get_ref().1.export_keying_material(vec![0; 32], label, Some(b""))
        }
        tokio_rustls::TlsStream::Client(stream) => {
            stream.get_ref().1.export_keying_material(vec![0; 32], label, Some(b""))
        }
    };
    let facts = TlsFacts {
        version: if is_13 { "TLSv1.3" } else { "TLSv1.2" }.into(),
        cipher: String::new(),
        group: None,
        server_name: name,
        alpn: tls.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned()),
        peer_chain: tls.peer_certificates().into_iter().flatten().map(|one| one.as_ref().to_vec()).collect(),
        resumed: tls.handshake_kind() == Some(HandshakeKind::Resumed),
        exporter: exporter.ok(),
    };
    TlsConnection { stream: Stream::new(Wrapped::new(stream, inner.fault)), facts }
}

fn failure(error: &io::Error) -> TlsError {
    use rustls::{CertificateError, Error};
    let code = match error.get_ref().and_then(|cause| cause.downcast_ref::<Error>()) {
        Some(Error::InvalidMessage(_)) => TlsErrorCode::PlaintextOnTlsPort,
        Some(Error::NoApplicationProtocol) => TlsErrorCode::NoApplicationProtocol,
        Some(Error::NoCertificatesPresented) => TlsErrorCode::NoPeerCertificate,
        Some(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => TlsErrorCode::PeerCertificateUntrusted,
        _ => TlsErrorCode::Other,
    };
    TlsError { code, message: error.to_string() }
}
