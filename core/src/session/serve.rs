//! Serving one connection.

use super::{
    control::{too_slow, Control},
    id::SessionIds,
    proxied::Ends,
    table::{Entry, Octets, Sessions},
    wrong_port,
};
use crate::{
    config::{ListenerConfig, TlsMode},
    net::{
        limits::{ConnectionLimit, Full, Guessers, Permit},
        socket::Socket,
    },
    plugin::{account::Account, generation::Generation, metered::Metered},
    telemetry::metrics::{metrics, Refusal},
};
use dovetail_abi::{
    protocol_v1::{Protocol, ProtocolTraits, SessionControl, SessionFailure, SessionInfo, SessionStart},
    tls_v1::{Tls, TlsAcceptor, TlsConnection, TlsError, TlsErrorCode, TlsFacts},
    Stream,
};
use std::{
    net::{IpAddr, SocketAddr},
    pin::pin,
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
    /// Its protocol; its sessions go on with this one, whatever a reload brings.
    pub protocol: Protocol,
    /// What core must know of the protocol.
    pub traits: ProtocolTraits,
    /// Which generation its protocol is.
    pub served_by: Arc<Generation>,
    /// The same of who does its TLS, unless TLS is off.
    pub tls_by: Option<Arc<Generation>>,
    /// What its protocol's instance uses; that also says whether it takes new sessions.
    pub account: Arc<Account>,
    /// The same of the instance that does its TLS, unless TLS is off.
    pub tls_account: Option<Arc<Account>>,
    /// Who does its TLS, unless TLS is off. Held so that it does not end before the listener's last session.
    pub tls: Option<Tls>,
    /// Its way to TLS, unless TLS is off.
    pub acceptor: Option<TlsAcceptor>,
    /// Its connections.
    pub limit: ConnectionLimit,
    /// Who guesses passwords, over all listeners.
    pub guessers: Arc<Guessers>,
    /// Makes session ids.
    pub ids: Arc<SessionIds>,
    /// The open sessions, over all listeners.
    pub sessions: Arc<Sessions>,
    /// Room for clients that are being told to try later; without it they are just closed.
    pub turning_away: Arc<Semaphore>,
    /// Turns true when sessions should end.
    pub drain: watch::Receiver<bool>,
    /// The same for the sessions of this listener alone: it is gone, or its protocol was replaced.
    pub retire: watch::Sender<bool>,
    /// Turns true when sessions are ended, whatever they are doing.
    pub cut: watch::Receiver<bool>,
    /// Sessions since the start.
    pub served: Arc<AtomicU64>,
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
        let trusted = self.config.options.proxy.trusts(peer.ip());
        let entered = if trusted { self.limit.enter_unknown() } else { self.limit.enter(peer.ip()) };
        let permit = match entered {
            Ok(permit) => permit,
            Err(full) => {
                self.refused(peer, full.into());
                listener.turn_away(tcp);
                return None;
            }
        };
        if !trusted && self.shuts_out(peer.ip()) {
            self.refused(peer, Refusal::Blocked);
            listener.turn_away(tcp);
            return None;
        }
        let ends = Ends { local, peer, proxy: None };
        Some(async move {
            let admitted = match trusted {
                true => Box::pin(listener.clone().behind_proxy(tcp, ends, permit)).await,
                false => Some((tcp, ends, permit)),
            };
            let Some((tcp, ends, permit)) = admitted else { return };
            if listener.rests() {
                listener.refused(ends.peer, Refusal::Quarantined);
                listener.put_off(tcp);
                return;
            }
            listener.served.fetch_add(1, Ordering::Relaxed);
            listener.serve(tcp, ends, permit).await;
        })
    }

    /// Whether an address failed to log in too often; a listener may not care.
    pub(super) fn shuts_out(&self, address: IpAddr) -> bool {
        self.config.options.block_failed_logins && self.guessers.is_blocked(address, Instant::now())
    }

    pub(super) fn refused(&self, peer: SocketAddr, refusal: Refusal) {
        let why = match refusal {
            Refusal::ListenerLimit => "the listener has its `max_connections`; raise it if these are wanted",
            Refusal::AddressLimit => "the client has its `max_connections_per_address`; raise it if these are wanted",
            Refusal::Blocked => {
                "the address failed to log in too often; `login_blocking` says for how long it is shut out"
            }
            Refusal::ProxyHeader => "a trusted proxy sent no PROXY header",
            Refusal::Quarantined => "its plugin instance is quarantined; `dovetail status` says until when",
        };
        self.refused_because(peer, refusal, why);
    }

    pub(super) fn refused_because(&self, peer: SocketAddr, refusal: Refusal, why: &str) {
        metrics().refused(&self.config.name, refusal);
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
    pub(super) fn turn_away(self: Arc<Self>, tcp: TcpStream) {
        if self.config.options.tls == TlsMode::Implicit {
            return;
        }
        // A flood of connections must not become a flood of tasks.
        let Ok(room) = self.turning_away.clone().try_acquire_owned() else { return };
        tokio::spawn(async move {
            let mut socket = Socket::new(tcp, Duration::from_secs(5), Box::new(room), Arc::default());
            // A client that does not listen is turned away all the same.
            let _ = socket.write_all(&self.traits.try_later).await;
        });
    }

    async fn serve(self: Arc<Self>, tcp: TcpStream, ends: Ends, permit: Permit) {
        let session = self.ids.next();
        let peer = ends.peer;
        let proxy = ends.proxy.map(tracing::field::display);
        tracing::debug!(session, listener = %self.config.name, %peer, proxy, "connected");
        let permit = Arc::new(permit);
        let idle = Duration::from_secs(self.config.options.idle_seconds);
        let _counted = self.account.session();
        let present =
            self.sessions.enter(&session, &self.config.name, self.served_by.clone(), peer, Octets::of(&self.account));
        let entry = present.entry.clone();
        let mut socket = Socket::new(tcp, idle, Box::new(permit.clone()), entry.octets.clone());
        // Where TLS is off the octets are the protocol's alone, which may be anything.
        if self.config.options.tls == TlsMode::Explicit {
            socket.expect_text();
        }
        let mut cut = self.cut.clone();
        let outcome = tokio::select! {
            outcome = Box::pin(self.clone().speak(Stream::new(socket), session.clone(), ends, entry)) => outcome,
            _ = cut.wait_for(|cut| *cut) => Err(SessionFailure::new("cut, since the time to drain is over")),
        };
        // Whatever its protocol makes of a read that failed.
        let outcome = match present.entry.octets.began_with_tls() {
            true => Err(wrong_port::tls_on_a_plain_one(&self.config)),
            false => outcome,
        };
        if let Err(failure) = outcome {
            tracing::info!(session, listener = %self.config.name, %peer, reason = %failure.message, "the session ended early");
        }
        drop(present);
        tracing::debug!(session, "gone");
        drop(permit);
    }

    async fn speak(
        self: Arc<Self>,
        stream: Stream,
        session: String,
        ends: Ends,
        entry: Arc<Entry>,
    ) -> Result<(), SessionFailure> {
        let (stream, tls) = if self.config.options.tls == TlsMode::Implicit {
            let secured = Box::pin(self.handshake(stream)).await.map_err(|error| wrong_port::or_other(&error))?;
            entry.secured(&secured.facts, self.tls_by.clone());
            (secured.stream, Some(secured.facts))
        } else {
            (stream, None)
        };
        let protocol = self.protocol.clone();
        let start = self.session(stream, tls, session, ends, entry);
        let account = self.account.clone();
        Metered::new(account, pin!(protocol.serve(start))).await
    }

    fn session(
        self: &Arc<Self>,
        stream: Stream,
        tls: Option<TlsFacts>,
        id: String,
        ends: Ends,
        entry: Arc<Entry>,
    ) -> SessionStart {
        SessionStart {
            info: SessionInfo {
                id,
                listener: self.config.name.clone(),
                peer: entry.peer,
                local: ends.local,
                hostname: self.hostname.clone(),
                tls,
                explicit_tls: self.config.options.tls == TlsMode::Explicit,
                require_tls: self.config.options.require_tls,
                insecure_auth: self.config.options.insecure_auth,
            },
            stream,
            control: SessionControl::new(Control { listener: self.clone(), entry, blockable: ends.is_client_known() }),
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
        let Some(account) = self.tls_account.clone().filter(|account| !account.is_quarantined()) else {
            return Err(TlsError {
                code: TlsErrorCode::Provider,
                message: "the TLS provider is quarantined for its faults; `dovetail status` says until when".into(),
            });
        };
        let deadline = Duration::from_secs(self.config.options.handshake_seconds);
        let mut accepting = pin!(acceptor.accept(stream));
        let accepting = Metered::new(account, accepting.as_mut());
        let made = tokio::time::timeout(deadline, accepting).await.unwrap_or_else(|_| Err(too_slow()));
        match &made {
            Ok(connection) => metrics().handshake(&self.config.name, &connection.facts.version),
            Err(error) => metrics().handshake_failed(&self.config.name, error.code),
        }
        made
    }
}

impl From<Full> for Refusal {
    fn from(full: Full) -> Refusal {
        match full {
            Full::Listener => Refusal::ListenerLimit,
            Full::Client => Refusal::AddressLimit,
        }
    }
}
