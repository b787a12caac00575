//! The client's side: one connector per policy.

use super::{
    clients,
    clock::HostClock,
    errors::{failure, handshake},
    facts,
    identity::certified_key,
    policy,
};
use dovetail_sdk::{
    tls::{ClientPolicy, TlsConnection, TlsConnectorProvider, TlsError, TlsErrorCode},
    Stream,
};
use rustls::{crypto::CryptoProvider, pki_types::ServerName, sign::SingleCertAndKey, ClientConfig};
use std::sync::Arc;
use tokio::io::AsyncWriteExt;

/// See the module.
pub(crate) struct Connector {
    inner: tokio_rustls::TlsConnector,
}

impl Connector {
    /// # Errors
    /// [`TlsErrorCode::BadPolicy`] if the policy asks for what cannot be, or a trust anchor cannot be read;
    /// [`TlsErrorCode::BadIdentity`] if what is to be shown to servers cannot be used.
    pub(crate) fn new(policy: ClientPolicy, crypto: Arc<CryptoProvider>) -> Result<Self, TlsError> {
        let bad = |text: String| failure(TlsErrorCode::BadPolicy, PLACE, text);
        if policy.anchors.is_empty() {
            return Err(bad("no trust anchors, so no server could ever be trusted; give at least one".into()));
        }
        let builder = ClientConfig::builder_with_details(crypto, Arc::new(HostClock))
            .with_protocol_versions(policy::versions(PLACE, policy.min_version, policy.max_version)?)
            .map_err(|error| bad(error.to_string()))?
            .with_root_certificates(clients::roots(PLACE, policy.anchors)?);
        let mut config = match &policy.identity {
            Some(identity) => {
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified_key(identity)?)))
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = policy::alpn(PLACE, &policy.alpn)?;
        Ok(Connector { inner: Arc::new(config).into() })
    }
}

impl TlsConnectorProvider for Connector {
    async fn connect(&self, stream: Stream, server_name: String) -> Result<TlsConnection, TlsError> {
        let place = format!("TLS to {server_name}");
        let name = ServerName::try_from(server_name.clone())
            .map_err(|_| failure(TlsErrorCode::BadPolicy, &place, "this is neither a DNS name nor an IP address"))?;
        match self.inner.connect(name, stream).into_fallible().await {
            Ok(stream) => {
                // rustls does not tell a client whether TLS 1.2 got its extended master secret: bind no channel there.
                let connection = stream.get_ref().1;
                let facts = facts::of(connection, Some(server_name), facts::exporter(connection, false));
                Ok(TlsConnection { stream: Stream::new(stream), facts })
            }
            Err((error, mut stream)) => {
                // Lets the alert out. The handshake's own error is the one to report.
                let _ = stream.shutdown().await;
                Err(handshake(&place, &error, &[]))
            }
        }
    }
}

const PLACE: &str = "TLS client";
