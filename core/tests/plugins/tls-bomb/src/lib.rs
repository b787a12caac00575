//! A TLS provider for tests that panics in each handshake.

use dovetail_sdk::{
    certs::Identity,
    export_plugin,
    tls::{
        ClientPolicy, ServerPolicy, Tls, TlsAcceptor, TlsAcceptorProvider, TlsConnection, TlsConnector, TlsError,
        TlsErrorCode, TlsProvider,
    },
    Context, Plugin, StartFailure, Stream,
};

#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {}

struct TlsBomb;

impl Plugin for TlsBomb {
    type Config = Config;

    async fn start(_: Config, _: Context) -> Result<Self, StartFailure> {
        Ok(TlsBomb)
    }
}

impl TlsProvider for TlsBomb {
    fn acceptor(&self, _: ServerPolicy) -> Result<TlsAcceptor, TlsError> {
        Ok(TlsAcceptor::new(TlsBomb))
    }

    fn connector(&self, _: ClientPolicy) -> Result<TlsConnector, TlsError> {
        Err(TlsError { code: TlsErrorCode::Provider, message: "this provider takes connections only".into() })
    }

    async fn check_identity(&self, _: Identity) -> Result<(), TlsError> {
        Ok(())
    }
}

impl TlsAcceptorProvider for TlsBomb {
    async fn accept(&self, _: Stream) -> Result<TlsConnection, TlsError> {
        panic!("panic in handshake (on purpose)")
    }
}

export_plugin! {
    plugin: TlsBomb,
    id: "tls-bomb",
    summary: "Panics in each TLS handshake (for tests)",
    provides: [Tls],
    requires: [],
}
