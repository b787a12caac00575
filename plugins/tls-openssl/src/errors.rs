//! From OpenSSL's errors to stable codes, with a text that says who has to change what.

use dovetail_sdk::tls::{guess, Guess, TlsError, TlsErrorCode};
use openssl::{error::ErrorStack, x509::X509VerifyResult};
use std::io;

/// A failure at a place: `listener submissions`, `TLS to mx.example.org`, `identity mail`.
pub(crate) fn failure(code: TlsErrorCode, place: &str, text: impl std::fmt::Display) -> TlsError {
    TlsError { code, message: format!("{place}: {text}") }
}

/// OpenSSL could not do what it always can, such as make a context.
pub(crate) fn internal(place: &str, error: &ErrorStack) -> TlsError {
    failure(TlsErrorCode::Other, place, describe(error))
}

/// Whether what begins so may be TLS. Nothing yet may be anything.
pub(crate) fn may_be_tls(first: &[u8]) -> bool {
    first.first().is_none_or(|kind| RECORD_KINDS.contains(kind))
}

/// Errors of OpenSSL in one line.
pub(crate) fn describe(stack: &ErrorStack) -> String {
    let Some(error) = stack.errors().last() else {
        return "OpenSSL gives no reason".into();
    };
    let reason = error.reason().map_or_else(|| format!("reason {}", error.reason_code()), str::to_owned);
    match error.data() {
        Some(data) if !data.is_empty() => format!("{reason} ({data})"),
        _ => reason,
    }
    .replace(['\r', '\n'], " ")
}

/// What is known about a handshake that failed.
pub(crate) struct Failed<'a> {
    /// Where.
    pub(crate) place: &'a str,
    /// The first bytes that came.
    pub(crate) first: &'a [u8],
    /// The error of the stream below.
    pub(crate) transport: Option<io::Error>,
    /// OpenSSL's errors.
    pub(crate) stack: Option<&'a ErrorStack>,
    /// What the verification of the peer's certificate said.
    pub(crate) verified: X509VerifyResult,
}

impl Failed<'_> {
    /// The error to report.
    pub(crate) fn error(&self) -> TlsError {
        if let Some(error) = &self.transport {
            return transport(self.place, error, self.first);
        }
        if !may_be_tls(self.first) {
            return not_tls(self.place, self.first);
        }
        let (code, text) = self.explained();
        failure(code, self.place, text)
    }

    fn explained(&self) -> (TlsErrorCode, String) {
        let Some(stack) = self.stack else {
            return (TlsErrorCode::Other, "OpenSSL gives no reason".into());
        };
        // Errors of its own, oldest first; what is below, such as a signature that does not fit, comes before.
        let reasons = stack.errors().iter().filter(|error| error.library_code() == LIBRARY_SSL);
        let reasons: Vec<i32> = reasons.map(|error| error.reason_code()).collect();
        if let Some(answer) = reasons.iter().find_map(|reason| self.known(*reason)) {
            return answer;
        }
        match reasons.last() {
            Some(reason) if *reason < GENERAL_REASONS => {
                (TlsErrorCode::PeerMisbehaved, format!("the peer broke the TLS protocol: {}", describe(stack)))
            }
            _ => (TlsErrorCode::Other, describe(stack)),
        }
    }

    fn known(&self, reason: i32) -> Option<(TlsErrorCode, String)> {
        use TlsErrorCode as C;
        Some(match reason {
            UNSUPPORTED_PROTOCOL | VERSION_TOO_LOW | VERSION_TOO_HIGH | NO_PROTOCOLS_AVAILABLE
            | UNSUPPORTED_SSL_VERSION | UNKNOWN_PROTOCOL => (
                C::NoCommonVersion,
                "no TLS version in common; the peer is too old, or the policy too strict".into(),
            ),
            NO_SHARED_CIPHER => (
                C::NoCommonCipher,
                "no cipher suite in common that fits the certificate's key; an old client may need an RSA certificate beside the ECDSA one".into(),
            ),
            NO_SUITABLE_SIGNATURE_ALGORITHM | NO_SHARED_SIGNATURE_ALGORITHMS | NO_SUITABLE_DIGEST_ALGORITHM
            | MISSING_SIGALGS_EXTENSION => (
                C::NoCommonCipher,
                "the client accepts no signature that the certificate's key can make; it may need an RSA certificate beside the other".into(),
            ),
            NO_SUITABLE_KEY_SHARE | NO_SUITABLE_GROUPS | NO_SHARED_GROUPS | MISSING_SUPPORTED_GROUPS_EXTENSION => {
                (C::NoCommonCipher, "no key exchange group in common".into())
            }
            NO_APPLICATION_PROTOCOL => (
                C::NoApplicationProtocol,
                "the client offers application protocols (ALPN), and none of them is spoken here; is it connecting to the right port?".into(),
            ),
            PEER_DID_NOT_RETURN_A_CERTIFICATE => {
                let text = "the peer showed no certificate, and needs one here; give it one, or let the listener ask for none";
                (C::NoPeerCertificate, text.into())
            }
            CERTIFICATE_VERIFY_FAILED => refused(self.verified),
            alert if (ALERTS..ALERTS + 256).contains(&alert) => (C::AlertReceived, received(alert - ALERTS)),
            _ => return None,
        })
    }
}

/// Why the peer's certificate is not accepted.
pub(crate) fn refused(verified: X509VerifyResult) -> (TlsErrorCode, String) {
    use TlsErrorCode as C;
    let (code, hint) = match verified.as_raw() {
        9 | 10 => (C::PeerCertificateExpired, "; it must be renewed, or a clock is wrong"),
        23 => (C::PeerCertificateRevoked, "; its issuer has revoked it"),
        12 => (C::PeerCertificateRevoked, "; get the issuer's newest revocation list"),
        3 | 33 | 44 => (
            C::PeerCertificateRevoked,
            "; there are revocation lists, and none of its issuer (or of an issuer above): add that list too",
        ),
        // Lists that are unreadable, unsigned, too young, or with extensions that nobody knows.
        5 | 6 | 8 | 11 | 15 | 16 | 35 | 36 | 54 => {
            (C::PeerCertificateRevoked, "; the issuer's revocation list is of no use: get its newest")
        }
        // No issuer, or one of the same name with another key.
        2 | 7 | 18..=21 | 27..=32 => {
            (C::PeerCertificateUntrusted, "; no trust anchor vouches for it, or it came without its intermediates")
        }
        _ => (C::BadPeerCertificate, ""),
    };
    (code, format!("the peer's certificate is not accepted: {}{hint}", verified.error_string()))
}

fn transport(place: &str, error: &io::Error, first: &[u8]) -> TlsError {
    if error.kind() != io::ErrorKind::UnexpectedEof {
        return failure(TlsErrorCode::Io, place, format!("the connection failed during the TLS handshake: {error}"));
    }
    match plain(guess(first)) {
        Some(text) => failure(TlsErrorCode::PlaintextOnTlsPort, place, text),
        None if first.is_empty() => {
            failure(TlsErrorCode::Truncated, place, "the peer closed the connection before the TLS handshake was over")
        }
        None => {
            failure(TlsErrorCode::Truncated, place, "the peer closed the connection in the middle of the TLS handshake")
        }
    }
}

fn not_tls(place: &str, first: &[u8]) -> TlsError {
    match guess(first) {
        Guess::Ssl2 => failure(TlsErrorCode::NoCommonVersion, place, SSL2),
        guess => failure(
            TlsErrorCode::PlaintextOnTlsPort,
            place,
            plain(guess).unwrap_or_else(|| {
                "the peer sent something that is not TLS; it may expect plaintext or STARTTLS on this port".into()
            }),
        ),
    }
}

fn plain(guess: Guess) -> Option<String> {
    match guess {
        Guess::Text(protocol) => Some(format!(
            "the peer sent plaintext (it looks like {protocol}) where TLS was expected; set it to TLS, or point it to the plaintext port"
        )),
        Guess::Proxy => Some(
            "the peer sent a PROXY protocol header where TLS was expected; tell the listener which proxies to trust".into(),
        ),
        Guess::Ssl2 | Guess::Other => None,
    }
}

fn received(alert: i32) -> String {
    let (name, hint) = match alert {
        10 => ("unexpected_message", ""),
        20 => ("bad_record_mac", ""),
        40 => ("handshake_failure", ": no cipher suite or group in common"),
        42 => ("bad_certificate", UNTRUSTED),
        43 => ("unsupported_certificate", UNTRUSTED),
        44 => ("certificate_revoked", ": our certificate was revoked, or it cannot know whether it was"),
        45 => ("certificate_expired", ": our certificate has expired, or the peer's clock is wrong"),
        46 => ("certificate_unknown", UNTRUSTED),
        47 => ("illegal_parameter", ""),
        48 => ("unknown_ca", UNTRUSTED),
        49 => ("access_denied", ""),
        50 => ("decode_error", ""),
        51 => (
            "decrypt_error",
            ": it cannot verify a signature (does it hold an older certificate of the same authority?)",
        ),
        70 => ("protocol_version", ": no TLS version in common"),
        71 => ("insufficient_security", ""),
        80 => ("internal_error", ""),
        90 => ("user_canceled", ""),
        109 => ("missing_extension", ""),
        110 => ("unsupported_extension", ""),
        112 => ("unrecognized_name", ": it has no certificate for the name that we asked for"),
        116 => ("certificate_required", ": it wants a certificate of ours"),
        120 => ("no_application_protocol", ": it speaks none of the application protocols offered"),
        _ => ("unknown", ""),
    };
    format!("the peer ended the TLS handshake with alert {alert} ({name}){hint}")
}

/// For a client that starts in the format of SSL 2.0, whatever it offers.
pub(crate) const SSL2: &str = "the peer starts with SSL 2.0, which nobody should speak; it needs TLS 1.2 or later";
const UNTRUSTED: &str =
    ": it does not trust our certificate (self-signed, without its intermediates, or for another name?)";

/// Change cipher spec, alert, handshake, application data (RFC 8446 §5.1).
const RECORD_KINDS: std::ops::RangeInclusive<u8> = 20..=23;
const LIBRARY_SSL: i32 = 20;
/// From here on reasons are those of any library: no memory, an internal error.
const GENERAL_REASONS: i32 = 1 << 18;
/// An alert that came is this and its number.
const ALERTS: i32 = 1000;
// Reasons, as in sslerr.h.
const NO_SUITABLE_KEY_SHARE: i32 = 101;
const MISSING_SIGALGS_EXTENSION: i32 = 112;
const NO_SUITABLE_SIGNATURE_ALGORITHM: i32 = 118;
const CERTIFICATE_VERIFY_FAILED: i32 = 134;
const VERSION_TOO_HIGH: i32 = 166;
const NO_PROTOCOLS_AVAILABLE: i32 = 191;
const NO_SHARED_CIPHER: i32 = 193;
const PEER_DID_NOT_RETURN_A_CERTIFICATE: i32 = 199;
const MISSING_SUPPORTED_GROUPS_EXTENSION: i32 = 209;
const NO_APPLICATION_PROTOCOL: i32 = 235;
const UNKNOWN_PROTOCOL: i32 = 252;
const UNSUPPORTED_PROTOCOL: i32 = 258;
const UNSUPPORTED_SSL_VERSION: i32 = 259;
const NO_SUITABLE_GROUPS: i32 = 295;
const NO_SUITABLE_DIGEST_ALGORITHM: i32 = 297;
const NO_SHARED_SIGNATURE_ALGORITHMS: i32 = 376;
const VERSION_TOO_LOW: i32 = 396;
const NO_SHARED_GROUPS: i32 = 410;
