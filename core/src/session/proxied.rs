//! Connections that proxies bring: who is behind them is learnt before anything is said.
//!
//! A connection from a network that the listener trusts (`proxy.trusted`) counts towards `max_connections` at once. What
//! concerns an address waits for the header's: its limit, its being shut out, the log. Where the header names nobody (health
//! checks), nobody is counted and nobody shut out; so a proxy never is. Everybody else's bytes are the protocol's, a header
//! among them.

use super::serve::Listener;
use crate::{
    net::{
        limits::Permit,
        proxy::{read, ReadError},
    },
    telemetry::metrics::Refusal,
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::TcpStream;

/// Between whom a connection is.
#[derive(Debug, Clone, Copy)]
pub struct Ends {
    /// Our address; behind a proxy the one that the client connected to.
    pub local: SocketAddr,
    /// The client; the proxy itself where it names nobody.
    pub peer: SocketAddr,
    /// The proxy.
    pub proxy: Option<SocketAddr>,
}

impl Ends {
    /// Whether `peer` is a client, whose failed logins are its own.
    pub fn is_client_known(&self) -> bool {
        self.proxy != Some(self.peer)
    }
}

impl Listener {
    /// Reads the header of a connection from a trusted network. `None` if it was turned away.
    pub(super) async fn behind_proxy(
        self: Arc<Self>,
        mut tcp: TcpStream,
        mut ends: Ends,
        mut permit: Permit,
    ) -> Option<(TcpStream, Ends, Permit)> {
        let proxy = ends.peer;
        let deadline = Duration::from_secs(self.config.options.proxy.timeout_seconds);
        let mut cut = self.cut.clone();
        let header = tokio::select! {
            header = tokio::time::timeout(deadline, read(&mut tcp)) => header,
            _ = cut.wait_for(|cut| *cut) => return None,
        };
        let why = match header {
            Ok(Ok(origin)) => {
                ends.proxy = Some(proxy);
                let Some(origin) = origin else { return Some((tcp, ends, permit)) };
                ends = Ends { local: origin.destination, peer: origin.client, ..ends };
                tracing::debug!(listener = %self.config.name, %proxy, peer = %ends.peer, "a proxy brings a client");
                let refusal = match permit.claim(ends.peer.ip()) {
                    Err(full) => full.into(),
                    Ok(()) if self.shuts_out(ends.peer.ip()) => Refusal::Blocked,
                    Ok(()) => return Some((tcp, ends, permit)),
                };
                self.refused(ends.peer, refusal);
                self.turn_away(tcp);
                return None;
            }
            Ok(Err(ReadError::Nothing)) => {
                tracing::debug!(listener = %self.config.name, %proxy, "{}", ReadError::Nothing);
                return None;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!(
                "no PROXY header came within {} seconds (switch it on in the proxy, or take its address out of `proxy.trusted`)",
                deadline.as_secs()
            ),
        };
        self.refused_because(proxy, Refusal::ProxyHeader, &why);
        None
    }
}
