//! Core's side of a session, as the protocol plugin sees it.

use super::{serve::Listener, table::Entry};
use crate::telemetry::metrics::metrics;
use dovetail_abi::{
    protocol_v1::{AuthReport, SessionControlProvider},
    tls_v1::{TlsConnection, TlsError, TlsErrorCode},
    CallFailure, Stream,
};
use std::{sync::Arc, time::Instant};

/// What core does for a session.
pub struct Control {
    /// The session's listener.
    pub listener: Arc<Listener>,
    /// Its place among the open ones.
    pub entry: Arc<Entry>,
    /// Whether its address is a client's and not a proxy's.
    pub blockable: bool,
}

impl SessionControlProvider for Control {
    async fn start_tls(&self, stream: Stream) -> Result<TlsConnection, TlsError> {
        let secured = self.listener.handshake(stream).await?;
        self.entry.secured(&secured.facts, self.listener.tls_by.clone());
        Ok(secured)
    }

    async fn authenticated(&self, report: AuthReport) -> Result<(), CallFailure> {
        metrics().login(&self.listener.config.name, &report.mechanism, report.accepted);
        if report.accepted {
            self.entry.logged_in(&report.name);
            return Ok(());
        }
        let counts = self.blockable && self.listener.config.options.block_failed_logins;
        let peer = self.entry.peer.ip();
        if counts && self.listener.guessers.failed(peer, Instant::now()) {
            metrics().address_blocked();
            tracing::warn!(
                session = self.entry.id,
                %peer,
                listener = %self.listener.config.name,
                "too many failed logins: the address is shut out for a time (`dovetail unblock {peer}` lets it in again)"
            );
        }
        tokio::time::sleep(self.listener.guessers.delay()).await;
        Ok(())
    }

    async fn draining(&self) -> Result<(), CallFailure> {
        let (mut drain, mut retire) = (self.listener.drain.clone(), self.listener.retire.subscribe());
        // A sender that is gone means that the server is.
        tokio::select! {
            _ = drain.wait_for(|draining| *draining) => {}
            _ = retire.wait_for(|retiring| *retiring) => {}
        }
        Ok(())
    }
}

/// A handshake that took too long.
pub fn too_slow() -> TlsError {
    TlsError { code: TlsErrorCode::Timeout, message: "the TLS handshake took too long".into() }
}
