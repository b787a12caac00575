//! A TLS provider: TLS 1.2 and 1.3 on rustls, server and client side.
//!
//! `acceptor` is a listener's side of a handshake, `connector` a client's; `policy` says what the server wants in rustls' words,
//! `identity` does so with certificates and keys, `check` proves one of them, `errors` says in the server's words what went wrong.

mod acceptor;
mod check;
mod connector;
mod errors;
mod identity;
mod policy;

#[cfg(test)]
mod tests;

use acceptor::Acceptor;
use connector::Connector;
use dovetail_sdk::{
    certs::{Certs, Identity},
    export_plugin,
    tls::{ClientPolicy, ServerPolicy, Tls, TlsAcceptor, TlsConnector, TlsError, TlsFacts, TlsProvider},
    Context, Plugin, Service, StartFailure,
};
use rustls::{
    crypto::{aws_lc_rs, CryptoProvider},
    ConnectionCommon, NamedGroup, ProtocolVersion,
};
use std::sync::Arc;

/// The instance's section in the server's configuration: how a listener speaks TLS is among its own options.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {}

/// One instance.
struct {{Name}} {
    certs: Service<Certs>,
    /// Passed on, never installed: the process may hold several users of rustls.
    crypto: Arc<CryptoProvider>,
}

impl Plugin for {{Name}} {
    type Config = Config;

    async fn start(_config: Config, context: Context) -> Result<Self, StartFailure> {
        Ok({{Name}} { certs: context.service::<Certs>()?, crypto: Arc::new(aws_lc_rs::default_provider()) })
    }
}

impl TlsProvider for {{Name}} {
    fn acceptor(&self, policy: ServerPolicy) -> Result<TlsAcceptor, TlsError> {
        Ok(TlsAcceptor::new(Acceptor::new(policy, self.crypto.clone(), self.certs.clone())?))
    }

    fn connector(&self, policy: ClientPolicy) -> Result<TlsConnector, TlsError> {
        Ok(TlsConnector::new(Connector::new(policy, self.crypto.clone())?))
    }

    async fn check_identity(&self, identity: Identity) -> Result<(), TlsError> {
        check::identity(&identity, &self.crypto).await
    }
}

/// What is known about an established connection.
fn facts<Data>(connection: &ConnectionCommon<Data>, server_name: Option<String>) -> TlsFacts {
    let is_13 = connection.protocol_version() == Some(ProtocolVersion::TLSv1_3);
    // rustls sets a prefix of its own before the names of TLS 1.3's suites.
    let suite = connection.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite())).unwrap_or_default();
    let group = connection.negotiated_key_exchange_group().map(|group| group.name());
    let exported = || connection.export_keying_material(vec![0; 32], b"EXPORTER-Channel-Binding", Some(b"")).ok();
    TlsFacts {
        version: if is_13 { "TLSv1.3" } else { "TLSv1.2" }.into(),
        cipher: suite.replacen("TLS13_", "TLS_", 1),
        group: group.map(|group| match group {
            NamedGroup::X25519 => "x25519".into(),
            NamedGroup::secp256r1MLKEM768 => "SecP256r1MLKEM768".into(),
            other => format!("{other:?}"),
        }),
        server_name,
        alpn: connection.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned()),
        peer_chain: connection.peer_certificates().unwrap_or_default().iter().map(|der| der.to_vec()).collect(),
        resumed: false,
        // TLS 1.2 binds a channel with the extended master secret alone, and rustls does not tell whether it was used.
        exporter: if is_13 { exported() } else { None },
    }
}

export_plugin! {
    plugin: {{Name}},
    id: "{{name}}",
    summary: "TLS 1.2 and 1.3 on rustls",
    provides: [Tls],
    requires: [Certs],
}
