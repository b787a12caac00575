//! `dovetail.protocol/1`: protocols, and the session that a protocol serves.

pub use crate::login::{Claim, Login};
use crate::{host, line::LineStream};
use dovetail_abi::{
    contained::Contained,
    handle::{Described, Interface, Offer},
    protocol_v1::{self, SessionControl, SessionStart},
    scope, AnyHandle,
};
pub use dovetail_abi::{
    protocol_v1::{AuthReport, ProtocolTraits, SessionFailure, SessionInfo},
    tls_v1::TlsFacts,
};
use std::{future::Future, io, sync::Arc};

/// What a protocol plugin implements.
pub trait ProtocolProvider: Send + Sync + 'static {
    /// What the server must know before it serves a session.
    fn traits(&self) -> ProtocolTraits;
    /// Serves a session to its end. An ordinary end, even an abrupt one by the peer, is `Ok`.
    fn serve(&self, session: Session) -> impl Future<Output = Result<(), SessionFailure>> + Send;
}

/// A session: a client, its bytes, and what is known about it.
#[derive(Debug)]
pub struct Session {
    /// What was known when it began, TLS apart: see [`Session::tls`].
    pub info: SessionInfo,
    /// Its bytes, read by lines.
    pub stream: LineStream,
    tls: Option<TlsFacts>,
    control: SessionControl,
}

/// Why an upgrade to TLS ended the session.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartTlsError {
    /// The client sent bytes after its command without waiting for the answer: either it is broken, or somebody between
    /// it and us tries to smuggle commands in. They are not interpreted; end the session.
    #[error("bytes were pipelined after the command for TLS (command injection is refused)")]
    Injection,
    /// The handshake failed.
    #[error(transparent)]
    Tls(#[from] dovetail_abi::tls_v1::TlsError),
    /// The connection failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Session {
    /// Takes a session as core hands it over.
    pub fn new(mut start: SessionStart) -> Self {
        Session {
            tls: start.info.tls.take(),
            info: start.info,
            stream: LineStream::new(start.stream),
            control: start.control,
        }
    }

    /// The facts of TLS, implicit or explicit, if the session is encrypted.
    pub fn tls(&self) -> Option<&TlsFacts> {
        self.tls.as_ref()
    }

    /// Whether a password may be taken now: under TLS, or where the operator marked a loopback listener as insecure and does not
    /// demand TLS of it.
    pub fn may_take_password(&self) -> bool {
        self.tls.is_some() || self.info.insecure_auth && !self.info.require_tls
    }

    /// Whether STARTTLS or STLS can be offered now.
    pub fn may_start_tls(&self) -> bool {
        self.tls.is_none() && self.info.explicit_tls
    }

    /// Upgrades to TLS: sends `go_ahead` and does the handshake. Afterwards the protocol's state starts over (RFC 3207
    /// section 4.2, RFC 2595 section 4, RFC 9051 section 6.2.1).
    ///
    /// # Errors
    /// Each of them ends the session; after [`StartTlsError::Injection`] nothing has been sent.
    pub async fn start_tls(&mut self, go_ahead: &[u8]) -> Result<(), StartTlsError> {
        if !self.stream.buffered().is_empty() {
            return Err(StartTlsError::Injection);
        }
        self.stream.queue(go_ahead);
        self.stream.flush().await?;
        let plain = self.stream.take_stream().ok_or(StartTlsError::Injection)?;
        let connection = self.control.start_tls(plain).await?;
        self.stream = LineStream::new(connection.stream);
        self.tls = Some(connection.facts);
        Ok(())
    }

    /// Tells core how an authentication ended, before the client is told. After a refusal this takes a while, so that
    /// guessing is slow; core may block the address.
    pub async fn authenticated(&self, name: &str, mechanism: &str, accepted: bool) {
        let report = AuthReport { name: name.to_owned(), mechanism: mechanism.to_owned(), accepted };
        // Core counts; the protocol goes on either way.
        let _ = self.control.authenticated(report).await;
    }

    /// Resolves when the session should end soon: finish the transaction, say goodbye.
    pub fn draining(&self) -> impl Future<Output = ()> + Send + 'static {
        let control = self.control.clone();
        async move {
            // A control that is gone means that the server is.
            let _ = control.draining().await;
        }
    }
}

/// What `export_plugin!` lists under `provides` for a protocol.
#[derive(Debug, Clone, Copy)]
pub struct Protocol;

impl Described for Protocol {
    const INTERFACE: &'static str = protocol_v1::Protocol::INTERFACE;
    fn layout() -> &'static dovetail_abi::reexport::abi_stable::type_layout::TypeLayout {
        <protocol_v1::Protocol as Described>::layout()
    }
}

impl<P: ProtocolProvider> Offer<P> for Protocol {
    fn offer(provider: &Arc<Contained<P>>) -> AnyHandle {
        let adapter = Adapter(provider.clone());
        // Made within the plugin's scope, so that its calls run there.
        provider
            .call(|_| protocol_v1::Protocol::new(adapter))
            .map(Interface::erase)
            .unwrap_or_else(|| protocol_v1::Protocol::new(Adapter(provider.clone())).erase())
    }
}

struct Adapter<P>(Arc<Contained<P>>);

impl<P: ProtocolProvider> protocol_v1::ProtocolProvider for Adapter<P> {
    fn traits(&self) -> Result<ProtocolTraits, SessionFailure> {
        Ok(self.0.value().traits())
    }

    // No async fn: it would keep the start and the work beside the box that the work is moved to, for the whole session.
    fn serve(&self, start: SessionStart) -> impl Future<Output = Result<(), SessionFailure>> + Send {
        let place = host::current().map(|host| host.scope(Some(&start.info.id)));
        scope::scoped(place, self.0.value().serve(Session::new(start)))
    }
}
