//! The server's side: one acceptor per listener.
//!
//! A handshake first reads the ClientHello, then asks the certificate store, then goes on with the config made for that
//! identity set. Whatever fails, the peer gets its alert (RFC 8446 §6.2) before the error is returned.

use super::{
    cache::Cache,
    errors::{failure, handshake},
    facts,
    hello::{offers_extended_master_secret, Noted},
    identity::IdentitySet,
    policy,
    resolver::{Identities, MAX_SETS},
};
use dovetail_sdk::{
    tls::{ServerPolicy, TlsAcceptorProvider, TlsConnection, TlsError, TlsErrorCode},
    Stream,
};
use rustls::{
    crypto::CryptoProvider, server::NoServerSessionStorage, AlertDescription, ServerConfig, SupportedProtocolVersion,
};
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio_rustls::{server::TlsStream, LazyConfigAcceptor, StartHandshake};

/// See the module.
pub(crate) struct Acceptor {
    place: String,
    certificate: Option<String>,
    versions: &'static [&'static SupportedProtocolVersion],
    alpn: Vec<Vec<u8>>,
    crypto: Arc<CryptoProvider>,
    identities: Arc<Identities>,
    configs: Cache<ServerConfig>,
}

impl Acceptor {
    /// # Errors
    /// [`TlsErrorCode::BadPolicy`] if the policy asks for what cannot be.
    pub(crate) fn new(
        policy: ServerPolicy,
        crypto: Arc<CryptoProvider>,
        identities: Arc<Identities>,
    ) -> Result<Self, TlsError> {
        let place = format!("listener {}", policy.listener);
        let acceptor = Acceptor {
            versions: policy::versions(&place, policy.min_version, policy.max_version)?,
            alpn: policy::alpn(&place, &policy.alpn)?,
            place,
            certificate: policy.certificate,
            crypto,
            identities,
            configs: Cache::new(MAX_SETS),
        };
        Ok(acceptor)
    }

    /// The config for an identity set.
    fn config(&self, set: &Arc<IdentitySet>) -> Result<Arc<ServerConfig>, TlsError> {
        if let Some(config) = self.configs.get(set.id) {
            return Ok(config);
        }
        let builder = ServerConfig::builder_with_provider(self.crypto.clone())
            .with_protocol_versions(self.versions)
            .map_err(|error| failure(TlsErrorCode::BadPolicy, &self.place, error))?;
        let mut config = builder.with_no_client_auth().with_cert_resolver(set.clone());
        config.alpn_protocols.clone_from(&self.alpn);
        // Tickets hold all there is; nothing is kept here per session.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        match &set.ticketer {
            Some(ticketer) => {
                config.ticketer = ticketer.clone();
                // Each resumption brings a new one, so one is enough for a client with one connection at a time; a
                // client that wants more says so (RFC 9149).
                config.send_tls13_tickets = 1;
                config.max_tls13_tickets = MAX_TICKETS;
            }
            None => config.send_tls13_tickets = 0,
        }
        Ok(self.configs.insert(set.id, config))
    }

    /// The config that a ClientHello asks for, or the alert that it gets.
    fn choose(&self, server_name: Option<&str>) -> Result<Arc<ServerConfig>, (AlertDescription, TlsError)> {
        let ours = |error| (AlertDescription::InternalError, error);
        let found = self.identities.find(self.certificate.as_deref(), server_name).map_err(ours)?;
        if let Some(set) = found {
            return self.config(&set).map_err(ours);
        }
        let (alert, text) = match server_name {
            Some(name) => (
                AlertDescription::UnrecognisedName,
                format!("no certificate for the name {name}, which the client asks for, and no default; add one with: dovetail certs create, or certs import"),
            ),
            None => (
                AlertDescription::HandshakeFailure,
                "the client names no server, and there is no default certificate; add one with: dovetail certs create, or certs import".into(),
            ),
        };
        Err((alert, failure(TlsErrorCode::UnknownServerName, &self.place, text)))
    }

    async fn read_hello(&self, stream: Stream) -> Result<(StartHandshake<Stream>, Vec<u8>), TlsError> {
        let mut reading = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), Noted::new(stream));
        match (&mut reading).await {
            Ok(start) => {
                let (stream, first) = start.io.into_parts();
                Ok((StartHandshake::from_parts(start.accepted, stream), first))
            }
            Err(error) => {
                let (stream, first) = match reading.take_io() {
                    Some(noted) => noted.into_parts(),
                    None => return Err(handshake(&self.place, &error, &[])),
                };
                end(stream).await;
                Err(handshake(&self.place, &error, &first))
            }
        }
    }

    /// Shakes hands, and gives rustls' stream.
    pub(crate) async fn accept_tls(&self, stream: Stream) -> Result<(TlsStream<Stream>, bool), TlsError> {
        let (start, first) = self.read_hello(stream).await?;
        let extended_master_secret = offers_extended_master_secret(&first);
        drop(first);
        let chosen = self.choose(start.client_hello().server_name());
        let config = match chosen {
            Ok(config) => config,
            Err((alert, error)) => {
                refuse(start.io, alert).await;
                return Err(error);
            }
        };
        match start.into_stream(config).into_fallible().await {
            Ok(stream) => Ok((stream, extended_master_secret)),
            Err((error, stream)) => {
                end(stream).await;
                // The first record was TLS, so there is nothing to guess.
                Err(handshake(&self.place, &error, &FIRST_RECORD))
            }
        }
    }
}

impl TlsAcceptorProvider for Acceptor {
    async fn accept(&self, stream: Stream) -> Result<TlsConnection, TlsError> {
        let (stream, extended_master_secret) = self.accept_tls(stream).await?;
        let connection = stream.get_ref().1;
        let facts = facts::of(connection, connection.server_name().map(str::to_owned), extended_master_secret);
        Ok(TlsConnection { stream: Stream::new(stream), facts })
    }
}

/// Sends a fatal alert (RFC 8446 §6) and closes. For the alerts that rustls has no occasion to send.
async fn refuse(mut stream: Stream, alert: AlertDescription) {
    // The peer may be gone; it is being refused anyway.
    let _ = stream.write_all(&[21, 3, 3, 0, 2, 2, u8::from(alert)]).await;
    end(stream).await;
}

/// Lets an alert out and closes, so that the peer sees it before the end.
async fn end(mut stream: Stream) {
    // The handshake's own error is the one to report.
    let _ = stream.shutdown().await;
}

const MAX_TICKETS: usize = 4;
const FIRST_RECORD: [u8; 3] = [22, 3, 1];
