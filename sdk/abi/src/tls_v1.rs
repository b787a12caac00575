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

wire_enum! {
    /// What is spoken to whom, by Mozilla's server-side recommendations.
    pub enum TlsProfile: unknown Intermediate {
        /// TLS 1.3 alone.
        Modern = 1,
        /// TLS 1.2 with forward secrecy and AEAD alone, and TLS 1.3: all that is still maintained.
        Intermediate = 2,
    }
}

wire_enum! {
    /// Whether a client shows a certificate.
    pub enum ClientAuth: unknown Required {
        /// It is not asked for one.
        Off = 0,
        /// It is asked; one that it shows must be good.
        Optional = 1,
        /// It is asked, and without a good one there is no connection.
        Required = 2,
    }
}

wire_struct! {
    /// Which certificates of clients are good.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ClientCertificates => ClientCertificatesAbi {
        /// Whether they are asked for.
        pub mode: ClientAuth,
        /// The trust anchors, X.509 DER. At least one, unless the mode is `Off`.
        pub anchors: Vec<Vec<u8>>,
        /// Revocation lists, X.509 DER. With any, a certificate below an anchor whose issuer has none here, or only one past its
        /// `nextUpdate`, is refused: its state is unknown.
        pub crls: Vec<Vec<u8>>,
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
        /// What is spoken within these versions. `Modern` speaks TLS 1.3 alone, whatever `min_version` says.
        pub profile: TlsProfile,
        /// The application protocols (RFC 7301), best first. Empty: whatever is offered is ignored. Otherwise an offer
        /// in which none fits ends with alert 120; no offer goes on.
        pub alpn: Vec<String>,
        /// Which certificates of clients are good.
        pub clients: ClientCertificates,
        /// Whether clients get session tickets, with which they come back without a full handshake. Their keys are those of
        /// `dovetail.host.tickets/1` for the provider, the identity set and `clients`, so that a ticket is good on every
        /// listener with an equal policy and on no other.
        pub tickets: bool,
    }
}

impl ClientCertificates {
    /// Clients are not asked for certificates.
    pub fn off() -> Self {
        ClientCertificates { mode: ClientAuth::Off, anchors: Vec::new(), crls: Vec::new() }
    }
}

impl ServerPolicy {
    /// What a listener of this name speaks if nothing else is said: TLS 1.2 and 1.3 of the intermediate profile with the
    /// certificate that the server name asks for, no application protocols, no certificates of clients, and tickets.
    pub fn of(listener: &str) -> Self {
        ServerPolicy {
            listener: listener.to_owned(),
            certificate: None,
            min_version: TlsVersion::Tls12,
            max_version: TlsVersion::Tls13,
            profile: TlsProfile::Intermediate,
            alpn: Vec::new(),
            clients: ClientCertificates::off(),
            tickets: true,
        }
    }
}

wire_struct! {
    /// How a client connection speaks TLS.
    #[derive(Debug, Clone)]
    pub struct ClientPolicy => ClientPolicyAbi {
        /// The trust anchors, X.509 DER.
        pub anchors: Vec<Vec<u8>>,
        /// The oldest version that is spoken.
        pub min_version: TlsVersion,
        /// The newest version that is spoken.
        pub max_version: TlsVersion,
        /// The application protocols to offer.
        pub alpn: Vec<String>,
        /// What to show to a server that asks for a certificate.
        pub identity: Option<Identity>,
    }
}

impl ClientPolicy {
    /// TLS 1.2 and 1.3 with servers that these trust anchors (X.509 DER) vouch for, without application protocols and
    /// without a certificate of our own.
    pub fn trusting(anchors: Vec<Vec<u8>>) -> Self {
        ClientPolicy {
            anchors,
            min_version: TlsVersion::Tls12,
            max_version: TlsVersion::Tls13,
            alpn: Vec::new(),
            identity: None,
        }
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
        /// The peer had to show a certificate and showed none.
        NoPeerCertificate = 15,
        /// The peer's certificate has expired, or is not valid yet.
        PeerCertificateExpired = 16,
        /// The peer's certificate was revoked, or its state is unknown.
        PeerCertificateRevoked = 17,
        /// The peer's certificate comes from nobody who is trusted.
        PeerCertificateUntrusted = 18,
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
