//! `dovetail.tls/1`: a TLS provider, server and client side.

use crate::{certs_v1::Identity, wire_enum, wire_struct, CallFailure, Stream};

wire_enum! {
    /// A TLS version.
    pub enum TlsVersion: unknown Tls13 {
        /// TLS 1.2 (RFC 5246).
        Tls12 = 2,
        /// TLS 1.3 (RFC 8446).
        Tls13 = 3,
    }
}

wire_struct! {
    /// How a listener speaks TLS.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ServerPolicy => ServerPolicyAbi {
        /// The listener's name, for messages.
        pub listener: String,
        /// The certificate by name; without it the server name decides, then the default.
        pub certificate: Option<String>,
        /// The oldest version that is spoken.
        pub min_version: TlsVersion,
        /// The newest version that is spoken.
        pub max_version: TlsVersion,
        /// The application protocols (RFC 7301), best first. Empty: whatever is offered is ignored. Otherwise an offer
        /// in which none fits ends with alert 120; no offer goes on.
        pub alpn: Vec<String>,
    }
}

wire_struct! {
    /// How a client connection speaks TLS.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ClientPolicy => ClientPolicyAbi {
        /// The trust anchors, X.509 DER.
        pub anchors: Vec<Vec<u8>>,
        /// The oldest version that is spoken.
        pub min_version: TlsVersion,
        /// The application protocols to offer.
        pub alpn: Vec<String>,
    }
}

wire_struct! {
    /// What is known about an established TLS connection.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct TlsFacts => TlsFactsAbi {
        /// `TLSv1.2` or `TLSv1.3`.
        pub version: String,
        /// The cipher suite by its IANA name.
        pub cipher: String,
        /// The key exchange group by its IANA name.
        pub group: Option<String>,
        /// The server name that the client asked for.
        pub server_name: Option<String>,
        /// The application protocol that was chosen.
        pub alpn: Option<String>,
        /// The peer's certificate chain, leaf first, X.509 DER; only if it was verified.
        pub peer_chain: Vec<Vec<u8>>,
        /// Whether an earlier session was resumed.
        pub resumed: bool,
        /// The `EXPORTER-Channel-Binding` value (RFC 9266), where it may be used.
        pub exporter: Option<Vec<u8>>,
    }
}

wire_struct! {
    /// An established TLS connection.
    #[derive(Debug)]
    pub struct TlsConnection => TlsConnectionAbi {
        /// The plaintext side. A shutdown sends close_notify. An end without close_notify reads as `UnexpectedEof`.
        pub stream: Stream,
        /// What is known about it.
        pub facts: TlsFacts,
    }
}

wire_enum! {
    /// Why TLS failed, so that the reader knows who has to change what.
    pub enum TlsErrorCode: unknown Other {
        /// None of the below.
        Other = 0,
        /// The peer sent something that is not TLS.
        PlaintextOnTlsPort = 1,
        /// No version in common.
        NoCommonVersion = 2,
        /// No cipher suite or key exchange group in common.
        NoCommonCipher = 3,
        /// No certificate for the name that the client asked for, and no default.
        UnknownServerName = 4,
        /// None of the application protocols fits (alert 120).
        NoApplicationProtocol = 5,
        /// The peer sent an alert.
        AlertReceived = 6,
        /// The peer's certificate is not good.
        BadPeerCertificate = 7,
        /// The connection ended in the middle.
        Truncated = 8,
        /// The peer broke the protocol.
        PeerMisbehaved = 9,
        /// An I/O error below TLS.
        Io = 10,
        /// A certificate or key of ours cannot be used.
        BadIdentity = 11,
        /// The policy cannot be fulfilled by this provider.
        BadPolicy = 12,
        /// The provider panicked or is gone.
        Provider = 13,
        /// The handshake took too long.
        Timeout = 14,
    }
}

wire_struct! {
    /// A TLS failure.
    #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
    #[error("{message}")]
    pub struct TlsError => TlsErrorAbi {
        /// The stable code.
        pub code: TlsErrorCode,
        /// The text for the log; peers never see it.
        pub message: String,
    }
}

impl From<CallFailure> for TlsError {
    fn from(failure: CallFailure) -> Self {
        TlsError { code: TlsErrorCode::Provider, message: failure.to_string() }
    }
}

crate::interface! {
    /// The way a listener's connections become TLS. Holds what the provider made of the policy.
    pub interface TlsAcceptor, provider TlsAcceptorProvider, table TlsAcceptorVt = "dovetail.tls.acceptor/1" {
        /// The server's side of a handshake. The caller sets the deadline by dropping the future.
        later fn accept(stream: Stream) -> Result<TlsConnection, TlsError>;
    }
}

crate::interface! {
    /// The way outgoing connections become TLS.
    pub interface TlsConnector, provider TlsConnectorProvider, table TlsConnectorVt = "dovetail.tls.connector/1" {
        /// The client's side of a handshake with the server of this name (a DNS name or an IP address).
        later fn connect(stream: Stream, server_name: String) -> Result<TlsConnection, TlsError>;
    }
}

crate::interface! {
    /// A TLS provider.
    pub interface Tls, provider TlsProvider, table TlsVt = "dovetail.tls/1" {
        /// Makes an acceptor for a listener. Certificates are asked of `dovetail.certs/1` at each handshake.
        now fn acceptor(policy: ServerPolicy) -> Result<TlsAcceptor, TlsError>;
        /// Makes a connector.
        now fn connector(policy: ClientPolicy) -> Result<TlsConnector, TlsError>;
        /// Loads the identity, signs, verifies and shakes hands with itself in memory.
        later fn check_identity(identity: Identity) -> Result<(), TlsError>;
    }
}
