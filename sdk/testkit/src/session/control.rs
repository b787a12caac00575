//! What core does for a session, pretended.

use dovetail_sdk::{
    abi::{protocol_v1::SessionControlProvider, CallFailure},
    protocol::{AuthReport, TlsFacts},
    tls::{TlsConnection, TlsError, TlsErrorCode},
    Stream,
};
use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::watch;

/// Both faces of a session's control: the protocol calls it, the test looks at it.
#[derive(Debug)]
pub(super) struct Control {
    upgrade: Result<TlsFacts, TlsError>,
    server_asked: watch::Sender<bool>,
    client: watch::Sender<Client>,
    draining: watch::Sender<bool>,
    reports: Mutex<Vec<AuthReport>>,
}

/// How far the client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Client {
    Plain,
    Handshake,
    Gone,
}

impl Control {
    pub(super) fn new(upgrade: Result<TlsFacts, TlsError>) -> Self {
        let (server_asked, draining) = (watch::Sender::new(false), watch::Sender::new(false));
        Control {
            upgrade,
            server_asked,
            client: watch::Sender::new(Client::Plain),
            draining,
            reports: Mutex::default(),
        }
    }

    pub(super) fn drain(&self) {
        self.draining.send_replace(true);
    }

    pub(super) fn auth_reports(&self) -> Vec<AuthReport> {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn client_is_gone(&self) {
        self.client.send_replace(Client::Gone);
    }

    /// The client's side of the handshake.
    pub(super) async fn client_upgrade(&self) -> io::Result<()> {
        if self.client.send_replace(Client::Handshake) == Client::Handshake {
            return Err(io::Error::other("the client is inside TLS already"));
        }
        until(&self.server_asked, |asked| *asked).await;
        match &self.upgrade {
            Ok(_) => Ok(()),
            Err(error) => Err(io::Error::new(io::ErrorKind::InvalidData, error.clone())),
        }
    }
}

async fn until<T>(state: &watch::Sender<T>, reached: impl FnMut(&T) -> bool) {
    // It cannot fail: the sender is borrowed here.
    let _ = state.subscribe().wait_for(reached).await;
}

/// The face that the protocol calls.
pub(super) struct Core(pub(super) Arc<Control>);

impl SessionControlProvider for Core {
    async fn start_tls(&self, stream: Stream) -> Result<TlsConnection, TlsError> {
        let failed = |code, text: &str| Err(TlsError { code, message: text.to_owned() });
        if self.0.server_asked.send_replace(true) {
            return failed(TlsErrorCode::BadPolicy, "the session is inside TLS already");
        }
        until(&self.0.client, |client| *client != Client::Plain).await;
        if *self.0.client.borrow() == Client::Gone {
            return failed(TlsErrorCode::Truncated, "the client closed the connection instead of a handshake");
        }
        let facts = self.0.upgrade.clone()?;
        Ok(TlsConnection { stream, facts })
    }

    async fn authenticated(&self, report: AuthReport) -> Result<(), CallFailure> {
        self.0.reports.lock().unwrap_or_else(PoisonError::into_inner).push(report);
        Ok(())
    }

    async fn draining(&self) -> Result<(), CallFailure> {
        until(&self.0.draining, |draining| *draining).await;
        Ok(())
    }
}
