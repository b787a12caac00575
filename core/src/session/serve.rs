//! Serving one connection.

use super::{
    control::{too_slow, Control},
    id::SessionIds,
};
use crate::{
    config::{ListenerConfig, TlsMode},
    net::{
        limits::{ConnectionLimit, Full, Guessers, Permit},
        socket::Socket,
    },
    plugin::slot::Place,
};
use dovetail_abi::{
    protocol_v1::{Protocol, ProtocolTraits, SessionControl, SessionFailure, SessionInfo, SessionStart},
    tls_v1::{TlsAcceptor, TlsConnection, TlsError, TlsErrorCode, TlsFacts},
    AnyHandle, CallFailure, Stream,
};
use std::{
    net::SocketAddr,
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc, Mutex, PoisonError,
    },
    time::{Duration, Instant},
};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    sync::{watch, Semaphore},
};

/// A listener in service: all that its sessions share.
pub struct Listener {
    /// Its config.
    pub config: ListenerConfig,
    /// The addresses it is bound to.
    pub bound: Vec<SocketAddr>,
    /// The server's name.
    pub hostname: String,
    /// Where its protocol stands.
    pub protocol: Place,
    /// What core must know of the protocol.
    pub traits: ProtocolTraits,
    /// Its way to TLS, unless TLS is off.
    pub acceptor: Option<TlsAcceptor>,
    /// Its connections.
    pub limit: ConnectionLimit,
    /// Who guesses passwords, over all listeners.
    pub guessers: Arc<Guessers>,
    /// Makes session ids.
    pub ids: Arc<SessionIds>,
    /// Room for clients that are being told to try later; without it they are just closed.
    pub turning_away: Arc<Semaphore>,
    /// Turns true when sessions should end.
    pub drain: watch::Receiver<bool>,
    /// Turns true when sessions are ended, whatever they are doing.
    pub cut: watch::Receiver<bool>,
    /// Sessions since the start.
    pub served: AtomicU64,
    /// Connections that were refused since it was last said.
    pub refusals: Mutex<Refusals>,
}

/// Refused connections are counted, and told of now and then: a flood of them must not become a flood of lines.
#[derive(Debug, Default)]
pub struct Refusals {
    count: u64,
    said: Option<Instant>,
}

/// So often they are told of at most.
const REFUSALS_SAID_EVERY: Duration = Duration::from_secs(10);

impl Listener {
    /// Takes an accepted connection. Gives the future that serves it, or `None` if it was turned away.
    pub fn admit(
        self: &Arc<Self>,
        tcp: TcpStream,
        peer: SocketAddr,
    ) -> Option<impl std::future::Future<Output = ()> + Send + 'static> {
        let local = tcp.local_addr().ok()?;
        let listener = self.clone();
        let permit = match self.limit.enter(peer.ip()) {
            Ok(permit) => permit,
            Err(full) => {
                let why = match full {
                    Full::Listener => "the listener has its `max_connections`",
                    Full::Client => "the client has its `max_connections_per_address`",
                };
                self.refused(peer, why);
                listener.turn_away(tcp);
                return None;
            }
        };
        if self.guessers.is_blocked(peer.ip(), Instant::now()) {
            self.refused(peer, "the address failed to log in too often");
            listener.turn_away(tcp);
            return None;
        }
        self.served.fetch_add(1, Ordering::Relaxed);
        Some(async move { listener.serve(tcp, local, peer, permit).await })
    }

    fn refused(&self, peer: SocketAddr, why: &str) {
        tracing::debug!(listener = %self.config.name, %peer, why, "connection refused");
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        refusals.count += 1;
        if refusals.said.is_none_or(|said| said.elapsed() >= REFUSALS_SAID_EVERY) {
            let count = std::mem::take(&mut refusals.count);
            tracing::warn!(listener = %self.config.name, count, last = %peer, why, "connections refused");
            refusals.said = Some(Instant::now());
        }
    }

    /// Says "try later" in the protocol's words, where words can be said: never plain text on a TLS port.
    fn turn_away(self: Arc<Self>, tcp: TcpStream) {
        if self.config.options.tls == TlsMode::Implicit {
            return;
        }
        // A flood of connections must not become a flood of tasks.
        let Ok(room) = self.turning_away.clone().try_acquire_owned() else { return };
        tokio::spawn(async move {
            let mut socket = Socket::new(tcp, Duration::from_secs(5), Box::new(room));
            // A client that does not listen is turned away all the same.
            let _ = socket.write_all(&self.traits.try_later).await;
        });
    }

    async fn serve(self: Arc<Self>, tcp: TcpStream, local: SocketAddr, peer: SocketAddr, permit: Permit) {
        let session = self.ids.next();
        tracing::debug!(session, listener = %self.config.name, %peer, "connected");
        let permit = Arc::new(permit);
        let idle = Duration::from_secs(self.config.options.idle_seconds);
        let socket = Socket::new(tcp, idle, Box::new(permit.clone()));
        let mut cut = self.cut.clone();
        let outcome = tokio::select! {
            outcome = Box::pin(self.clone().speak(Stream::new(socket), session.clone(), local, peer)) => outcome,
            _ = cut.wait_for(|cut| *cut) => Err(SessionFailure::new("cut, since the time to drain is over")),
        };
        if let Err(failure) = outcome {
            tracing::info!(session, listener = %self.config.name, %peer, reason = %failure.message, "the session ended early");
        }
        tracing::debug!(session, "gone");
        drop(permit);
    }

    async fn speak(
        self: Arc<Self>,
        stream: Stream,
        session: String,
        local: SocketAddr,
        peer: SocketAddr,
    ) -> Result<(), SessionFailure> {
        let (stream, tls) = if self.config.options.tls == TlsMode::Implicit {
            let secured = Box::pin(self.handshake(stream)).await.map_err(|error| tls_failure(&error))?;
            (secured.stream, Some(secured.facts))
        } else {
            (stream, None)
        };
        let protocol: Protocol = current(&self.protocol)?;
        let start = self.session(stream, tls, session, local, peer);
        protocol.serve(start).await
    }

    fn session(
        self: &Arc<Self>,
        stream: Stream,
        tls: Option<TlsFacts>,
        id: String,
        local: SocketAddr,
        peer: SocketAddr,
    ) -> SessionStart {
        SessionStart {
            info: SessionInfo {
                id,
                listener: self.config.name.clone(),
                peer,
                local,
                hostname: self.hostname.clone(),
                tls,
                explicit_tls: self.config.options.tls == TlsMode::Explicit,
                require_tls: self.config.options.require_tls,
                insecure_auth: self.config.options.insecure_auth,
            },
            stream,
            control: SessionControl::new(Control { listener: self.clone(), peer }),
        }
    }

    /// The server's side of a TLS handshake, within the listener's deadline.
    ///
    /// # Errors
    /// As the provider gives them; `Timeout` at the deadline.
    pub async fn handshake(&self, stream: Stream) -> Result<TlsConnection, TlsError> {
        let acceptor = self.acceptor.clone().ok_or_else(|| TlsError {
            code: TlsErrorCode::BadPolicy,
            message: format!("listener `{}` has TLS off", self.config.name),
        })?;
        let deadline = Duration::from_secs(self.config.options.handshake_seconds);
        tokio::time::timeout(deadline, acceptor.accept(stream)).await.unwrap_or_else(|_| Err(too_slow()))
    }
}

fn current(place: &Place) -> Result<Protocol, SessionFailure> {
    let any: Option<AnyHandle> = place.get();
    any.ok_or(CallFailure::Unavailable)?.checked().map_err(SessionFailure::new)
}

fn tls_failure(error: &TlsError) -> SessionFailure {
    SessionFailure::new(match error.code {
        TlsErrorCode::PlaintextOnTlsPort => {
            format!("plain text on a port that speaks TLS from the first byte: {} (the client should use implicit TLS, or another port)", error.message)
        }
        _ => format!("TLS: {}", error.message),
    })
}
