//! A client's side of handshakes.

use crate::{
    errors::{failure, handshake},
    facts,
    identity::certified_key,
    policy,
};
use dovetail_sdk::{
    tls::{ClientPolicy, TlsConnection, TlsConnectorProvider, TlsError, TlsErrorCode},
    Stream,
};
use rustls::{client::Resumption, crypto::CryptoProvider, pki_types::ServerName, sign::SingleCertAndKey, ClientConfig};
use std::sync::Arc;
use tokio::io::AsyncWriteExt;

const PLACE: &str = "TLS client";

/// One policy, for any number of connections.
pub struct Connector(tokio_rustls::TlsConnector);

impl Connector {
    pub fn new(policy: ClientPolicy, crypto: Arc<CryptoProvider>) -> Result<Self, TlsError> {
        let builder = ClientConfig::builder_with_provider(crypto)
            .with_protocol_versions(&policy::versions(PLACE, policy.min_version, policy.max_version)?)
            .map_err(|error| failure(TlsErrorCode::BadPolicy, PLACE, error))?
            .with_root_certificates(policy::anchors(PLACE, policy.anchors)?);
        let mut config = match &policy.identity {
            Some(identity) => {
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified_key(identity)?)))
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = policy::alpn(PLACE, policy.alpn)?;
        config.resumption = Resumption::disabled();
        Ok(Connector(Arc::new(config).into()))
    }
}

impl TlsConnectorProvider for Connector {
    async fn connect(&self, stream: Stream, server_name: String) -> Result<TlsConnection, TlsError> {
        let place = format!("TLS to {server_name}");
        let name = ServerName::try_from(server_name.clone())
            .map_err(|_| failure(TlsErrorCode::BadPolicy, &place, "this is neither a DNS name nor an IP address"))?;
        match self.0.connect(name, stream).into_fallible().await {
            Ok(stream) => {
                let facts = facts(stream.get_ref().1, Some(server_name));
                Ok(TlsConnection { stream: Stream::new(stream), facts })
            }
            Err((error, mut stream)) => {
                // Lets the alert out. The handshake's own error is the one to report.
                let _ = stream.shutdown().await;
                Err(handshake(&place, &error))
            }
        }
    }
}
