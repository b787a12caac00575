//! Figures for `/metrics`, in the text format of Prometheus.
//!
//! One registry a process, as there is one log. Core's own figures are `dovetail_core_*`: what happens is counted here when
//! it happens ([`Metrics`]), what is there now is taken from the server's [status](crate::control::Status) when somebody asks
//! ([`page`]). Plugins' figures come through `dovetail.host.metrics/1` ([`plugin`]).
//!
//! **Bounds.** No label has a value that a peer chooses: listeners and plugins are names of the config, everything else is
//! from a fixed set, with `other` for what is not in it.

pub mod page;
pub mod plugin;
mod process;

use dovetail_abi::tls_v1::TlsErrorCode;
use plugin::Families;
use prometheus::{IntCounter, IntCounterVec, Opts, Registry};
use std::sync::OnceLock;

/// What core counts.
pub struct Metrics {
    registry: Registry,
    refused: IntCounterVec,
    tls: IntCounterVec,
    handshakes_failed: IntCounterVec,
    logins: IntCounterVec,
    blocked: IntCounter,
    /// Those of plugins.
    pub families: Families,
}

/// The process's figures.
pub fn metrics() -> &'static Metrics {
    static METRICS: OnceLock<Metrics> = OnceLock::new();
    METRICS.get_or_init(Metrics::new)
}

/// Why a connection was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The listener has its `max_connections`.
    ListenerLimit,
    /// The client has its `max_connections_per_address`.
    AddressLimit,
    /// The address failed to log in too often.
    Blocked,
    /// A trusted proxy did not say who is behind it.
    ProxyHeader,
    /// The instance that serves the listener, or does its TLS, is quarantined.
    Quarantined,
}

impl Metrics {
    fn new() -> Self {
        let registry = Registry::new();
        let counters = |name: &str, help: &str, labels: &[&str]| {
            let made = IntCounterVec::new(Opts::new(name, help), labels).expect("a name of ours is good");
            registry.register(Box::new(made.clone())).expect("names of ours differ");
            made
        };
        let blocked = IntCounter::new("dovetail_core_addresses_blocked_total", "Addresses shut out for failed logins")
            .expect("a name of ours is good");
        registry.register(Box::new(blocked.clone())).expect("names of ours differ");
        Metrics {
            refused: counters(
                "dovetail_core_connections_refused_total",
                "Connections turned away before they were served, by reason",
                &["listener", "reason"],
            ),
            tls: counters(
                "dovetail_core_tls_handshakes_total",
                "TLS handshakes that succeeded, by version",
                &["listener", "version"],
            ),
            handshakes_failed: counters(
                "dovetail_core_tls_handshakes_failed_total",
                "TLS handshakes that failed, by class",
                &["listener", "class"],
            ),
            logins: counters(
                "dovetail_core_logins_total",
                "Logins that were tried, by mechanism and outcome",
                &["listener", "mechanism", "outcome"],
            ),
            blocked,
            families: Families::new(&registry),
            registry,
        }
    }

    /// A connection was turned away.
    pub fn refused(&self, listener: &str, reason: Refusal) {
        let reason = match reason {
            Refusal::ListenerLimit => "listener_limit",
            Refusal::AddressLimit => "address_limit",
            Refusal::Blocked => "blocked",
            Refusal::ProxyHeader => "proxy_header",
            Refusal::Quarantined => "quarantined",
        };
        self.refused.with_label_values(&[listener, reason]).inc();
    }

    /// A TLS handshake succeeded.
    pub fn handshake(&self, listener: &str, version: &str) {
        let version = known(version, &["TLSv1.2", "TLSv1.3"]);
        self.tls.with_label_values(&[listener, version]).inc();
    }

    /// A TLS handshake failed.
    pub fn handshake_failed(&self, listener: &str, code: TlsErrorCode) {
        self.handshakes_failed.with_label_values(&[listener, tls_class(code)]).inc();
    }

    /// A login was tried.
    pub fn login(&self, listener: &str, mechanism: &str, accepted: bool) {
        let outcome = if accepted { "accepted" } else { "refused" };
        self.logins.with_label_values(&[listener, known(mechanism, MECHANISMS), outcome]).inc();
    }

    /// An address was shut out.
    pub fn address_blocked(&self) {
        self.blocked.inc();
    }
}

/// The stable word for a TLS failure.
pub fn tls_class(code: TlsErrorCode) -> &'static str {
    match code {
        TlsErrorCode::PlaintextOnTlsPort => "plaintext",
        TlsErrorCode::NoCommonVersion => "no_common_version",
        TlsErrorCode::NoCommonCipher => "no_common_cipher",
        TlsErrorCode::UnknownServerName => "unknown_server_name",
        TlsErrorCode::NoApplicationProtocol => "no_application_protocol",
        TlsErrorCode::AlertReceived => "alert_received",
        TlsErrorCode::BadPeerCertificate => "bad_peer_certificate",
        TlsErrorCode::NoPeerCertificate => "no_peer_certificate",
        TlsErrorCode::PeerCertificateExpired => "peer_certificate_expired",
        TlsErrorCode::PeerCertificateRevoked => "peer_certificate_revoked",
        TlsErrorCode::PeerCertificateUntrusted => "peer_certificate_untrusted",
        TlsErrorCode::Truncated => "truncated",
        TlsErrorCode::PeerMisbehaved => "peer_misbehaved",
        TlsErrorCode::Io => "io",
        TlsErrorCode::BadIdentity => "bad_identity",
        TlsErrorCode::BadPolicy => "bad_policy",
        TlsErrorCode::Provider => "provider",
        TlsErrorCode::Timeout => "timeout",
        _ => "other",
    }
}

fn known(value: &str, all: &[&'static str]) -> &'static str {
    all.iter().copied().find(|one| one.eq_ignore_ascii_case(value)).unwrap_or("other")
}

/// What clients prove themselves by: SASL mechanisms, and `USER` of POP3.
const MECHANISMS: &[&str] = &[
    "PLAIN",
    "LOGIN",
    "USER",
    "EXTERNAL",
    "OAUTHBEARER",
    "XOAUTH2",
    "SCRAM-SHA-1",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-256",
    "SCRAM-SHA-256-PLUS",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_other() {
        let metrics = Metrics::new();
        metrics.login("pop3", "plain", true);
        metrics.login("pop3", "X-EVIL\"\n", false);
        metrics.login("pop3", "X-WORSE", false);
        let value = |labels: &[&str]| metrics.logins.with_label_values(labels).get();
        assert_eq!(value(&["pop3", "PLAIN", "accepted"]), 1);
        assert_eq!(value(&["pop3", "other", "refused"]), 2);
        metrics.handshake("pop3", "TLSv9");
        assert_eq!(metrics.tls.with_label_values(&["pop3", "other"]).get(), 1);
    }
}
