//! Core's side of a session, as the protocol plugin sees it.

use super::serve::Listener;
use dovetail_abi::{
    protocol_v1::{AuthReport, SessionControlProvider},
    tls_v1::{TlsConnection, TlsError, TlsErrorCode},
    CallFailure, Stream,
};
use std::{net::SocketAddr, sync::Arc, time::Instant};

/// What core does for a session.
pub struct Control {
    /// The session's listener.
    pub listener: Arc<Listener>,
    /// The client.
    pub peer: SocketAddr,
}

impl SessionControlProvider for Control {
    async fn start_tls(&self, stream: Stream) -> Result<TlsConnection, TlsError> {
        self.listener.handshake(stream).await
    }

    async fn authenticated(&self, report: AuthReport) -> Result<(), CallFailure> {
        if report.accepted {
            return Ok(());
        }
        let counts = self.listener.config.options.block_failed_logins;
        if counts && self.listener.guessers.failed(self.peer.ip(), Instant::now()) {
            tracing::warn!(peer = %self.peer.ip(), listener = %self.listener.config.name, "too many failed logins: the address is shut out for a time");
        }
        tokio::time::sleep(self.listener.guessers.delay()).await;
        Ok(())
    }

    async fn draining(&self) -> Result<(), CallFailure> {
        let mut drain = self.listener.drain.clone();
        // A sender that is gone means that the server is.
        let _ = drain.wait_for(|draining| *draining).await;
        Ok(())
    }
}

/// A handshake that took too long.
pub fn too_slow() -> TlsError {
    TlsError { code: TlsErrorCode::Timeout, message: "the TLS handshake took too long".into() }
}
