//! The other side: rustls as client and as server, with its own configuration and its own judgement.

use super::{case::Failed, lab::Lab};
use dovetail_sdk::{
    certs::Identity,
    tls::{TlsAcceptor, TlsConnection, TlsConnector, TlsError},
    Stream,
};
use rustls::{
    crypto::{aws_lc_rs, CryptoProvider},
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName},
    server::WebPkiClientVerifier,
    version::{TLS12, TLS13},
    ClientConfig, NamedGroup, RootCertStore, ServerConfig, SupportedProtocolVersion,
};
use std::{io, sync::Arc};
use tokio::io::{duplex, AsyncReadExt, DuplexStream};
use tokio_rustls::{client, server};

/// Versions as rustls wants them.
pub(super) type Versions = &'static [&'static SupportedProtocolVersion];
pub(super) const V12: Versions = &[&TLS12];
pub(super) const V13: Versions = &[&TLS13];
pub(super) const BOTH: Versions = &[&TLS13, &TLS12];

/// The peer's end of a connection to an acceptor.
pub(super) type Client = client::TlsStream<DuplexStream>;
/// The peer's end of a connection from a connector.
pub(super) type Server = server::TlsStream<DuplexStream>;

/// How a client behaves.
#[derive(Clone)]
pub(super) struct Peer {
    pub(super) versions: Versions,
    pub(super) anchors: Vec<Vec<u8>>,
    pub(super) alpn: Vec<&'static str>,
    pub(super) identity: Option<Identity>,
    pub(super) sni: bool,
    pub(super) crypto: CryptoProvider,
}

impl Peer {
    /// One that trusts the lab's authority.
    pub(super) fn new(lab: &Lab, versions: Versions) -> Self {
        Peer {
            versions,
            anchors: vec![lab.authority().der.clone()],
            alpn: Vec::new(),
            identity: None,
            sni: true,
            crypto: aws_lc_rs::default_provider(),
        }
    }

    /// One that shows this certificate.
    pub(super) fn showing(self, identity: Identity) -> Self {
        Peer { identity: Some(identity), ..self }
    }

    /// One that offers these application protocols.
    pub(super) fn offering(self, alpn: &[&'static str]) -> Self {
        Peer { alpn: alpn.to_vec(), ..self }
    }

    /// One with a single key exchange group.
    pub(super) fn group(mut self, group: NamedGroup) -> Self {
        self.crypto.kx_groups.retain(|known| known.name() == group);
        self
    }

    /// One that accepts only signatures of one kind of key, and the cipher suites that fit: `RSA`, `ECDSA`.
    pub(super) fn signatures(mut self, kind: &str) -> Self {
        let fits = |name: String| name.contains(kind) || (kind == "RSA" && name.contains("RSA_PSS"));
        self.crypto.cipher_suites.retain(|suite| {
            let name = format!("{:?}", suite.suite());
            name.starts_with("TLS13") || name.contains(&format!("_{kind}_"))
        });
        let mapping: Vec<_> = self
            .crypto
            .signature_verification_algorithms
            .mapping
            .iter()
            // "ECDSA" holds "DSA", never "RSA".
            .filter(|(scheme, _)| fits(format!("{scheme:?}")))
            .copied()
            .collect();
        // A case's few bytes: rustls wants its tables to live for ever.
        self.crypto.signature_verification_algorithms.mapping = Box::leak(mapping.into_boxed_slice());
        self
    }

    /// rustls' configuration. It remembers the tickets that it gets.
    pub(super) fn config(&self) -> Result<Arc<ClientConfig>, Failed> {
        let builder = ClientConfig::builder_with_provider(Arc::new(self.crypto.clone()))
            .with_protocol_versions(self.versions)?
            .with_root_certificates(roots(&self.anchors)?);
        let mut config = match &self.identity {
            Some(identity) => builder.with_client_auth_cert(chain(identity), key(identity))?,
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = self.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        config.enable_sni = self.sni;
        Ok(Arc::new(config))
    }
}

/// How a server behaves.
#[derive(Clone)]
pub(super) struct ServerPeer {
    pub(super) versions: Versions,
    pub(super) identity: Identity,
    pub(super) alpn: Vec<&'static str>,
    /// Whom clients must be certified by.
    pub(super) client_anchors: Vec<Vec<u8>>,
}

impl ServerPeer {
    pub(super) fn new(identity: Identity, versions: Versions) -> Self {
        ServerPeer { versions, identity, alpn: Vec::new(), client_anchors: Vec::new() }
    }

    pub(super) fn config(&self) -> Result<Arc<ServerConfig>, Failed> {
        let crypto = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(crypto.clone()).with_protocol_versions(self.versions)?;
        let builder = if self.client_anchors.is_empty() {
            builder.with_no_client_auth()
        } else {
            let anchors = Arc::new(roots(&self.client_anchors)?);
            builder.with_client_cert_verifier(WebPkiClientVerifier::builder_with_provider(anchors, crypto).build()?)
        };
        let mut config = builder.with_single_cert(chain(&self.identity), key(&self.identity))?;
        config.alpn_protocols = self.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Ok(Arc::new(config))
    }
}

fn roots(anchors: &[Vec<u8>]) -> Result<RootCertStore, Failed> {
    let mut roots = RootCertStore::empty();
    for anchor in anchors {
        roots.add(CertificateDer::from(anchor.clone()))?;
    }
    Ok(roots)
}

fn chain(identity: &Identity) -> Vec<CertificateDer<'static>> {
    identity.chain.iter().cloned().map(CertificateDer::from).collect()
}

fn key(identity: &Identity) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(identity.key.expose().to_vec()).into()
}

/// Both ends of a handshake between a client and the provider's acceptor.
pub(super) async fn meet(
    acceptor: &TlsAcceptor,
    config: &Arc<ClientConfig>,
    name: &str,
) -> Result<(io::Result<Client>, Result<TlsConnection, TlsError>), Failed> {
    let (near, far) = duplex(CAPACITY);
    let name = ServerName::try_from(name.to_owned())?;
    let client = tokio_rustls::TlsConnector::from(config.clone()).connect(name, near);
    Ok(tokio::join!(client, acceptor.accept(Stream::new(far))))
}

/// A connection that must come about.
pub(super) async fn connected(
    acceptor: &TlsAcceptor,
    config: &Arc<ClientConfig>,
    name: &str,
) -> Result<(Client, TlsConnection), Failed> {
    match meet(acceptor, config, name).await? {
        (Ok(client), Ok(server)) => Ok((client, server)),
        (_, Err(error)) => Err(Failed(format!("the acceptor refuses: {:?}: {error}", error.code))),
        (Err(error), Ok(_)) => Err(Failed(format!("the client refuses: {error}"))),
    }
}

/// A connection that the acceptor must refuse: the alert that the client got, and the acceptor's error.
pub(super) async fn refused(
    acceptor: &TlsAcceptor,
    config: &Arc<ClientConfig>,
    name: &str,
) -> Result<(Option<u8>, TlsError), Failed> {
    let (client, server) = meet(acceptor, config, name).await?;
    let Err(error) = server else {
        return Err(Failed("the acceptor accepts what it must refuse".into()));
    };
    let theirs = match client {
        Err(error) => error,
        // A client of TLS 1.3 is done before the server has judged it.
        Ok(mut client) => match client.read(&mut [0; 1]).await {
            Err(error) => error,
            Ok(count) => return Err(Failed(format!("the refused client reads {count} bytes instead of an error"))),
        },
    };
    Ok((alert(&theirs), error))
}

/// Both ends of a handshake between the provider's connector and a server.
pub(super) async fn reach(
    connector: &TlsConnector,
    config: &Arc<ServerConfig>,
    name: &str,
) -> (Result<TlsConnection, TlsError>, io::Result<Server>) {
    let (near, far) = duplex(CAPACITY);
    let server = tokio_rustls::TlsAcceptor::from(config.clone()).accept(far);
    tokio::join!(connector.connect(Stream::new(near), name.to_owned()), server)
}

/// A connection of the connector that must come about.
pub(super) async fn reached(
    connector: &TlsConnector,
    config: &Arc<ServerConfig>,
    name: &str,
) -> Result<(TlsConnection, Server), Failed> {
    match reach(connector, config, name).await {
        (Ok(client), Ok(server)) => Ok((client, server)),
        (Err(error), _) => Err(Failed(format!("the connector refuses: {:?}: {error}", error.code))),
        (_, Err(error)) => Err(Failed(format!("the server refuses: {error}"))),
    }
}

/// The connector's and the acceptor's ends of a connection between the two.
pub(super) async fn joined(
    connector: &TlsConnector,
    acceptor: &TlsAcceptor,
    name: &str,
) -> (Result<TlsConnection, TlsError>, Result<TlsConnection, TlsError>) {
    let (near, far) = duplex(CAPACITY);
    tokio::join!(connector.connect(Stream::new(near), name.to_owned()), acceptor.accept(Stream::new(far)))
}

/// The alert that rustls was sent.
pub(super) fn alert(error: &io::Error) -> Option<u8> {
    match error.get_ref()?.downcast_ref()? {
        rustls::Error::AlertReceived(alert) => Some(u8::from(*alert)),
        _ => None,
    }
}

/// What a transport holds between the two ends.
pub(super) const CAPACITY: usize = 64 * 1024;
