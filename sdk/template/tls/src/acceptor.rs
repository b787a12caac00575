//! A listener's side of handshakes.
//!
//! A handshake reads the ClientHello, asks the certificate store who answers for the name in it, and goes on with the config made
//! for that. It has no deadline here: the caller drops the future. There are no session tickets, so every handshake is a full one.

use crate::{
    errors::{failure, handshake},
    facts,
    identity::Identities,
    policy,
};
use dovetail_sdk::{
    certs::{Certs, CertsFailure},
    tls::{ServerPolicy, TlsAcceptorProvider, TlsConnection, TlsError, TlsErrorCode},
    Service, Stream,
};
use rustls::{
    crypto::CryptoProvider,
    server::{danger::ClientCertVerifier, NoServerSessionStorage},
    AlertDescription, ServerConfig, SupportedProtocolVersion,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::io::AsyncWriteExt;
use tokio_rustls::LazyConfigAcceptor;

/// So many configs are kept ready. With more names in use than that, all of them are made anew now and then.
const MAX_CONFIGS: usize = 256;

/// See the module.
pub struct Acceptor {
    place: String,
    certificate: Option<String>,
    versions: Vec<&'static SupportedProtocolVersion>,
    alpn: Vec<Vec<u8>>,
    clients: Arc<dyn ClientCertVerifier>,
    crypto: Arc<CryptoProvider>,
    certs: Service<Certs>,
    /// By the store's ids of identity sets. An id never means another set.
    configs: Mutex<HashMap<u64, Arc<ServerConfig>>>,
}

impl Acceptor {
    pub fn new(policy: ServerPolicy, crypto: Arc<CryptoProvider>, certs: Service<Certs>) -> Result<Self, TlsError> {
        let place = format!("listener {}", policy.listener);
        Ok(Acceptor {
            versions: policy::versions(&place, policy::oldest(&policy), policy.max_version)?,
            alpn: policy::alpn(&place, policy.alpn)?,
            clients: policy::clients(&place, policy.clients, &crypto)?,
            certificate: policy.certificate,
            place,
            crypto,
            certs,
            configs: Mutex::default(),
        })
    }

    /// The config for a server name; `None` if there is no certificate for it.
    fn config(&self, server_name: Option<&str>) -> Result<Option<Arc<ServerConfig>>, TlsError> {
        let no_answer = |error: CertsFailure| failure(TlsErrorCode::BadIdentity, "certificate store", error);
        let certs = self.certs.get().map_err(|error| no_answer(error.into()))?;
        let set = certs.resolve(self.certificate.clone(), server_name.map(str::to_owned)).map_err(no_answer)?;
        let Some(set) = set else { return Ok(None) };
        // A panic while the lock was held leaves a map that is whole: each change is one call.
        let known = self.configs.lock().unwrap_or_else(PoisonError::into_inner).get(&set).cloned();
        if known.is_some() {
            return Ok(known);
        }
        let identities = Identities::new(&certs.load(set).map_err(no_answer)?)?;
        let builder = ServerConfig::builder_with_provider(self.crypto.clone())
            .with_protocol_versions(&self.versions)
            .map_err(|error| failure(TlsErrorCode::BadPolicy, &self.place, error))?;
        let mut config =
            builder.with_client_cert_verifier(self.clients.clone()).with_cert_resolver(Arc::new(identities));
        config.alpn_protocols.clone_from(&self.alpn);
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        let config = Arc::new(config);
        let mut configs = self.configs.lock().unwrap_or_else(PoisonError::into_inner);
        if configs.len() >= MAX_CONFIGS {
            configs.clear();
        }
        configs.insert(set, config.clone());
        Ok(Some(config))
    }
}

impl TlsAcceptorProvider for Acceptor {
    async fn accept(&self, stream: Stream) -> Result<TlsConnection, TlsError> {
        let mut reading = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream);
        let start = match (&mut reading).await {
            Ok(start) => start,
            Err(error) => {
                if let Some(stream) = reading.take_io() {
                    end(stream).await;
                }
                return Err(handshake(&self.place, &error));
            }
        };
        let server_name = start.client_hello().server_name().map(str::to_owned);
        let config = match self.config(server_name.as_deref()) {
            Ok(Some(config)) => config,
            Ok(None) => {
                refuse(start.io, AlertDescription::UnrecognisedName).await;
                let name = server_name.as_deref().unwrap_or("no name at all");
                let text =
                    format!("the client asks for {name}, and the store has no certificate for that, and no default");
                return Err(failure(TlsErrorCode::UnknownServerName, &self.place, text));
            }
            Err(error) => {
                refuse(start.io, AlertDescription::InternalError).await;
                return Err(error);
            }
        };
        match start.into_stream(config).into_fallible().await {
            Ok(stream) => {
                let facts = facts(stream.get_ref().1, server_name);
                Ok(TlsConnection { stream: Stream::new(stream), facts })
            }
            Err((error, stream)) => {
                end(stream).await;
                Err(handshake(&self.place, &error))
            }
        }
    }
}

/// Sends a fatal alert (RFC 8446 section 6) where rustls has no occasion to, and closes.
async fn refuse(mut stream: Stream, alert: AlertDescription) {
    // The peer may be gone; it is being refused anyway.
    let _ = stream.write_all(&[21, 3, 3, 0, 2, 2, u8::from(alert)]).await;
    end(stream).await;
}

/// Lets an alert out before the end. What ended the handshake is the error to report, not this.
async fn end(mut stream: Stream) {
    let _ = stream.shutdown().await;
}
