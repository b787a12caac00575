//! `dovetail.protocol/1`: a protocol served on listeners, and the session that core hands to it.

use crate::{
    tls_v1::{TlsConnection, TlsError, TlsFacts},
    wire_struct, CallFailure, Stream,
};
use std::net::SocketAddr;

wire_struct! {
    /// What is known about a session when it begins.
    #[derive(Debug, Clone)]
    pub struct SessionInfo => SessionInfoAbi {
        /// The session's id, unique for the life of the data directory; it stands in every log line.
        pub id: String,
        /// The listener's name.
        pub listener: String,
        /// The client's address.
        pub peer: SocketAddr,
        /// Our address.
        pub local: SocketAddr,
        /// The server's host name.
        pub hostname: String,
        /// The facts of implicit TLS.
        pub tls: Option<TlsFacts>,
        /// Whether the listener offers explicit TLS.
        pub explicit_tls: bool,
        /// Whether nothing but the way to TLS may be served before it.
        pub require_tls: bool,
        /// Whether passwords may cross without TLS (a listener marked insecure, loopback only).
        pub insecure_auth: bool,
    }
}

wire_struct! {
    /// The result of an authentication, so that core can block guessers.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct AuthReport => AuthReportAbi {
        /// The account, or the name that was tried.
        pub name: String,
        /// The SASL mechanism, or `USER`.
        pub mechanism: String,
        /// Whether the client proved itself.
        pub accepted: bool,
    }
}

crate::interface! {
    /// Core's side of a session.
    pub interface SessionControl, provider SessionControlProvider, table SessionControlVt = "dovetail.session/1" {
        /// Upgrades the plain stream: the server's side of the handshake, with the listener's policy and deadline.
        later fn start_tls(stream: Stream) -> Result<TlsConnection, TlsError>;
        /// Reports an authentication. A refusal is answered late, so that guessing is slow.
        later fn authenticated(report: AuthReport) -> Result<(), CallFailure>;
        /// Resolves when the session should end soon: the server stops, or its listener is gone.
        later fn draining() -> Result<(), CallFailure>;
    }
}

wire_struct! {
    /// A session, ready to be served.
    #[derive(Debug)]
    pub struct SessionStart => SessionStartAbi {
        /// What is known about it.
        pub info: SessionInfo,
        /// Its bytes: plain, or inside implicit TLS. Reads and writes that make no progress for the listener's idle
        /// time fail with `TimedOut`; one on which TLS is begun by a command fails with
        /// `InvalidData` if the client begins with TLS, which core logs.
        pub stream: Stream,
        /// Core's side of it.
        pub control: SessionControl,
    }
}

wire_struct! {
    /// How a session went wrong, for the log. An ordinary end, even an abrupt one by the peer, is no failure.
    #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
    #[error("{message}")]
    pub struct SessionFailure => SessionFailureAbi {
        /// What happened.
        pub message: String,
    }
}

impl SessionFailure {
    /// Says what happened.
    pub fn new(message: impl std::fmt::Display) -> Self {
        SessionFailure { message: message.to_string() }
    }
}

impl From<std::io::Error> for SessionFailure {
    fn from(error: std::io::Error) -> Self {
        SessionFailure::new(error)
    }
}

impl From<CallFailure> for SessionFailure {
    fn from(failure: CallFailure) -> Self {
        SessionFailure { message: failure.to_string() }
    }
}

wire_struct! {
    /// What core must know about a protocol before it serves a session.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ProtocolTraits => ProtocolTraitsAbi {
        /// The ALPN names (RFC 7301) to insist on when a client offers any; empty where none is registered.
        pub alpn: Vec<String>,
        /// What a client gets instead of a greeting when there are too many connections or the plugin rests, such as
        /// `421 ...\r\n`. Only ever sent on a plain stream or inside TLS.
        pub try_later: Vec<u8>,
    }
}

crate::interface! {
    /// A protocol.
    pub interface Protocol, provider ProtocolProvider, table ProtocolVt = "dovetail.protocol/1" {
        /// What core must know about it.
        now fn traits() -> Result<ProtocolTraits, SessionFailure>;
        /// Serves a session to its end.
        later fn serve(session: SessionStart) -> Result<(), SessionFailure>;
    }
}
