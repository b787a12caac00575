//! The server's side: one acceptor per listener.
//!
//! A handshake first reads the ClientHello, then asks the certificate store, then goes on with the config made for that
//! identity set. Whatever fails, the peer gets its alert (RFC 8446 §6.2) before the error is returned.

use super::{
    clients::Clients,
    clock::HostClock,
    driver::{exporter::ExporterSecret, Driver},
    errors::{certificate, failure, handshake},
    facts,
    hello::{offers_extended_master_secret, offers_tls13, Noted},
    identity::IdentitySet,
    policy,
};
use dovetail_sdk::{
    tls::{
        Cache, HostTickets, Identities, ServerPolicy, TlsAcceptorProvider, TlsConnection, TlsError, TlsErrorCode,
        MAX_SETS,
    },
    Service, Stream,
};
use rustls::{
    crypto::CryptoProvider,
    server::{Accepted, NoServerSessionStorage},
    version::TLS13,
    AlertDescription, CipherSuite, CommonState, HandshakeKind, ServerConfig, SupportedProtocolVersion,
};
use std::{io, sync::Arc};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio_rustls::{LazyConfigAcceptor, StartHandshake};

/// See the module.
pub(crate) struct Acceptor {
    place: String,
    certificate: Option<String>,
    versions: &'static [&'static SupportedProtocolVersion],
    alpn: Vec<Vec<u8>>,
    clients: Clients,
    /// The keys of tickets, if there are to be any.
    ring: Option<Service<HostTickets>>,
    crypto: Arc<CryptoProvider>,
    identities: Arc<Identities<IdentitySet>>,
    /// For clients that take what we like best.
    configs: Cache<ServerConfig>,
    /// For clients whose own order of cipher suites counts, see [`policy::chooses`].
    configs_of_choosers: Cache<ServerConfig>,
}

impl Acceptor {
    /// # Errors
    /// [`TlsErrorCode::BadPolicy`] if the policy asks for what cannot be.
    pub(crate) fn new(
        policy: ServerPolicy,
        crypto: Arc<CryptoProvider>,
        identities: Arc<Identities<IdentitySet>>,
        ring: Service<HostTickets>,
    ) -> Result<Self, TlsError> {
        let place = format!("listener {}", policy.listener);
        let acceptor = Acceptor {
            versions: policy::versions(&place, policy::oldest(policy.profile, policy.min_version), policy.max_version)?,
            alpn: policy::alpn(&place, &policy.alpn)?,
            clients: Clients::new(&place, policy.clients, &crypto)?,
            ring: policy.tickets.then_some(ring),
            place,
            certificate: policy.certificate,
            crypto,
            identities,
            configs: Cache::new(MAX_SETS),
            configs_of_choosers: Cache::new(MAX_SETS),
        };
        Ok(acceptor)
    }

    /// The config for an identity set and a client that `chooses` its cipher suite, or does not.
    fn config(&self, set: &Arc<IdentitySet>, chooses: bool) -> Result<Arc<ServerConfig>, TlsError> {
        let configs = if chooses { &self.configs_of_choosers } else { &self.configs };
        if let Some(config) = configs.get(set.id) {
            return Ok(config);
        }
        let builder = ServerConfig::builder_with_details(self.crypto.clone(), Arc::new(HostClock))
            .with_protocol_versions(self.versions)
            .map_err(|error| failure(TlsErrorCode::BadPolicy, &self.place, error))?;
        let mut config = builder.with_client_cert_verifier(self.clients.verifier()).with_cert_resolver(set.clone());
        config.alpn_protocols.clone_from(&self.alpn);
        config.ignore_client_order = !chooses;
        // Tickets hold all there is; nothing is kept here per session.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        match &self.ring {
            Some(ring) => {
                config.ticketer = set.ticketer(&self.clients.hash, ring);
                // Each resumption brings a new one, so one is enough for a client with one connection at a time; a
                // client that wants more says so (RFC 9149).
                config.send_tls13_tickets = 1;
                config.max_tls13_tickets = MAX_TICKETS;
            }
            None => config.send_tls13_tickets = 0,
        }
        Ok(configs.insert(set.id, config))
    }

    /// The config that a ClientHello asks for, or the alert that it gets.
    fn choose(
        &self,
        server_name: Option<&str>,
        suites: &[CipherSuite],
    ) -> Result<Arc<ServerConfig>, (AlertDescription, TlsError)> {
        let ours = |error| (AlertDescription::InternalError, error);
        let found = self.identities.find(self.certificate.as_deref(), server_name).map_err(ours)?;
        if let Some(set) = found {
            return self.config(&set, policy::chooses(suites)).map_err(ours);
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

    /// Reads the ClientHello; gives it with the transport and all that came over it.
    async fn read_hello(&self, stream: Stream) -> Result<(Accepted, Stream, Vec<u8>), TlsError> {
        let mut reading = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), Noted::new(stream));
        match (&mut reading).await {
            Ok(start) => {
                let (stream, first) = start.io.into_parts();
                Ok((start.accepted, stream, first))
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

    /// TLS 1.3, on [`Driver`]: connections that wait are small.
    async fn accept_13(
        &self,
        stream: Stream,
        config: &ServerConfig,
        first: &[u8],
        server_name: Option<String>,
    ) -> Result<TlsConnection, TlsError> {
        let secret = Arc::new(ExporterSecret::default());
        let mut config = config.clone();
        config.key_log = secret.clone();
        match Driver::accept(stream, Arc::new(config), first).await {
            Ok(driver) => {
                let driver = self.still_good(driver, Driver::tls).await?;
                let tls = driver.tls();
                let facts = facts::of(tls, server_name, secret.channel_binding(tls.negotiated_cipher_suite()));
                Ok(TlsConnection { stream: Stream::new(driver), facts })
            }
            Err((error, stream)) => Err(self.failed(error, stream).await),
        }
    }

    /// TLS 1.2.
    async fn accept_12(
        &self,
        start: StartHandshake<Stream>,
        config: Arc<ServerConfig>,
        server_name: Option<String>,
        extended_master_secret: bool,
    ) -> Result<TlsConnection, TlsError> {
        match start.into_stream(config).into_fallible().await {
            Ok(stream) => {
                let stream = self.still_good(stream, |stream| stream.get_ref().1).await?;
                let tls = stream.get_ref().1;
                let facts = facts::of(tls, server_name, facts::exporter(tls, extended_master_secret));
                Ok(TlsConnection { stream: Stream::new(stream), facts })
            }
            Err((error, stream)) => Err(self.failed(error, stream).await),
        }
    }

    /// A resumed connection shows no certificate again, so the one that its ticket holds is looked at again.
    async fn still_good<S: AsyncWrite + Unpin>(
        &self,
        mut stream: S,
        tls: impl Fn(&S) -> &CommonState,
    ) -> Result<S, TlsError> {
        let state = tls(&stream);
        if state.handshake_kind() == Some(HandshakeKind::Resumed) {
            if let Err(error) = self.clients.still_good(state.peer_certificates()) {
                // The handshake is over, so there is no alert for it any more.
                let _ = stream.shutdown().await;
                return Err(certificate(&self.place, &error));
            }
        }
        Ok(stream)
    }

    async fn failed(&self, error: io::Error, stream: Stream) -> TlsError {
        end(stream).await;
        // The first record was TLS, so there is nothing to guess.
        handshake(&self.place, &error, &FIRST_RECORD)
    }
}

impl TlsAcceptorProvider for Acceptor {
    async fn accept(&self, stream: Stream) -> Result<TlsConnection, TlsError> {
        let (accepted, stream, first) = self.read_hello(stream).await?;
        let hello = accepted.client_hello();
        let server_name = hello.server_name().map(str::to_owned);
        let config = match self.choose(server_name.as_deref(), hello.cipher_suites()) {
            Ok(config) => config,
            Err((alert, error)) => {
                refuse(stream, alert).await;
                return Err(error);
            }
        };
        if offers_tls13(&first) && self.versions.contains(&&TLS13) {
            drop(accepted);
            // Boxed, since each is large and only one of them is.
            return Box::pin(self.accept_13(stream, &config, &first, server_name)).await;
        }
        let extended_master_secret = offers_extended_master_secret(&first);
        let start = StartHandshake::from_parts(accepted, stream);
        Box::pin(self.accept_12(start, config, server_name, extended_master_secret)).await
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
