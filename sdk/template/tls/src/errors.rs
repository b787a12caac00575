//! From rustls' errors to the server's stable codes. The text is for the log; the peer gets an alert or a close.

use dovetail_sdk::tls::{TlsError, TlsErrorCode};
use rustls::{CertificateError, Error, InvalidMessage, PeerIncompatible};
use std::{fmt::Display, io};

/// A failure at a place: `listener imaps`, `TLS to mx.example.org`, `identity mail`.
pub fn failure(code: TlsErrorCode, place: &str, text: impl Display) -> TlsError {
    TlsError { code, message: format!("{place}: {text}") }
}

/// A handshake that failed.
pub fn handshake(place: &str, error: &io::Error) -> TlsError {
    let code = match error.get_ref().and_then(|cause| cause.downcast_ref::<Error>()) {
        Some(cause) => code(cause),
        None if error.kind() == io::ErrorKind::UnexpectedEof => TlsErrorCode::Truncated,
        None => TlsErrorCode::Io,
    };
    let hint = match code {
        TlsErrorCode::PlaintextOnTlsPort => {
            "the peer speaks no TLS; set it to TLS, or point it to the plaintext port: "
        }
        TlsErrorCode::NoCommonVersion => "the peer is too old, or the policy too strict: ",
        TlsErrorCode::NoPeerCertificate => "the peer must show a certificate: ",
        TlsErrorCode::Truncated => "the peer closed the connection during the handshake: ",
        _ => "",
    };
    failure(code, place, format!("{hint}{error}"))
}

fn code(error: &Error) -> TlsErrorCode {
    use CertificateError as C;
    use PeerIncompatible as P;
    match error {
        Error::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion) => {
            TlsErrorCode::PlaintextOnTlsPort
        }
        Error::PeerIncompatible(
            P::ServerDoesNotSupportTls12Or13
            | P::ServerTlsVersionIsDisabledByOurConfig
            | P::SupportedVersionsExtensionRequired
            | P::Tls12NotOffered
            | P::Tls12NotOfferedOrEnabled,
        ) => TlsErrorCode::NoCommonVersion,
        Error::PeerIncompatible(_) => TlsErrorCode::NoCommonCipher,
        Error::NoApplicationProtocol => TlsErrorCode::NoApplicationProtocol,
        Error::AlertReceived(_) => TlsErrorCode::AlertReceived,
        Error::NoCertificatesPresented => TlsErrorCode::NoPeerCertificate,
        Error::InvalidCertificate(why) => match why {
            C::Expired | C::ExpiredContext { .. } | C::NotValidYet | C::NotValidYetContext { .. } => {
                TlsErrorCode::PeerCertificateExpired
            }
            C::Revoked
            | C::UnknownRevocationStatus
            | C::ExpiredRevocationList
            | C::ExpiredRevocationListContext { .. } => TlsErrorCode::PeerCertificateRevoked,
            C::UnknownIssuer | C::BadSignature => TlsErrorCode::PeerCertificateUntrusted,
            _ => TlsErrorCode::BadPeerCertificate,
        },
        Error::InvalidMessage(_)
        | Error::PeerMisbehaved(_)
        | Error::InappropriateMessage { .. }
        | Error::InappropriateHandshakeMessage { .. }
        | Error::DecryptError
        | Error::PeerSentOversizedRecord => TlsErrorCode::PeerMisbehaved,
        _ => TlsErrorCode::Other,
    }
}
