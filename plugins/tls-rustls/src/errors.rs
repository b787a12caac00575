//! From rustls' errors to stable codes, with a text that says who has to change what.

use dovetail_sdk::tls::{guess, Guess, TlsError, TlsErrorCode};
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible};
use std::io;

/// A failure at a place: `listener submissions`, `connection to mx.example.org`, `identity mail`.
pub(crate) fn failure(code: TlsErrorCode, place: &str, text: impl std::fmt::Display) -> TlsError {
    TlsError { code, message: format!("{place}: {text}") }
}

/// A handshake that failed. `first` holds the first bytes that came, as far as they are known.
pub(crate) fn handshake(place: &str, error: &io::Error, first: &[u8]) -> TlsError {
    let Some(cause) = error.get_ref().and_then(|cause| cause.downcast_ref::<Error>()) else {
        return transport(place, error, first);
    };
    let (code, text) = match cause {
        Error::InvalidMessage(what) => return not_tls(place, *what, first),
        Error::PeerIncompatible(what) => incompatible(what),
        Error::NoApplicationProtocol => (
            TlsErrorCode::NoApplicationProtocol,
            "the client offers application protocols (ALPN), and none of them is spoken here; is it connecting to the right port?".into(),
        ),
        Error::AlertReceived(alert) => (TlsErrorCode::AlertReceived, received(*alert)),
        Error::InvalidCertificate(_) => return certificate(place, cause),
        Error::NoCertificatesPresented => (
            TlsErrorCode::NoPeerCertificate,
            "the peer showed no certificate, and needs one here; give it one, or let the listener ask for none".into(),
        ),
        Error::PeerMisbehaved(_)
        | Error::InappropriateMessage { .. }
        | Error::InappropriateHandshakeMessage { .. }
        | Error::DecryptError
        | Error::PeerSentOversizedRecord => (TlsErrorCode::PeerMisbehaved, format!("the peer broke the TLS protocol: {}", describe(cause))),
        other => (TlsErrorCode::Other, describe(other)),
    };
    failure(code, place, text)
}

/// A certificate of the peer that is not accepted.
pub(crate) fn certificate(place: &str, error: &Error) -> TlsError {
    use CertificateError as C;
    let Error::InvalidCertificate(why) = error else {
        return failure(TlsErrorCode::BadPeerCertificate, place, describe(error));
    };
    let (code, hint) = match why {
        C::Expired | C::ExpiredContext { .. } | C::NotValidYet | C::NotValidYetContext { .. } => {
            (TlsErrorCode::PeerCertificateExpired, "; it must be renewed, or a clock is wrong")
        }
        C::Revoked => (TlsErrorCode::PeerCertificateRevoked, "; its issuer has revoked it"),
        C::UnknownRevocationStatus => (
            TlsErrorCode::PeerCertificateRevoked,
            "; there are revocation lists, and none of its issuer (or of an issuer above): add that list too",
        ),
        C::ExpiredRevocationList | C::ExpiredRevocationListContext { .. } => {
            (TlsErrorCode::PeerCertificateRevoked, "; get the issuer's newest revocation list")
        }
        // By an authority that has the name of a trusted one, and another key; or the peer has not the certificate's key.
        C::UnknownIssuer | C::BadSignature => (
            TlsErrorCode::PeerCertificateUntrusted,
            "; no trust anchor vouches for it, or it came without its intermediates",
        ),
        _ => (TlsErrorCode::BadPeerCertificate, ""),
    };
    failure(code, place, format!("the peer's certificate is not accepted: {}{hint}", describe(error)))
}

/// An error of rustls in one line.
pub(crate) fn describe(error: &Error) -> String {
    error.to_string().replace(['\r', '\n'], " ")
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

fn not_tls(place: &str, what: InvalidMessage, first: &[u8]) -> TlsError {
    let guess = guess(first);
    if guess == Guess::Ssl2 {
        return failure(
            TlsErrorCode::NoCommonVersion,
            place,
            "the peer starts with SSL 2.0, which nobody should speak; it needs TLS 1.2 or later",
        );
    }
    if let Some(text) = plain(guess) {
        return failure(TlsErrorCode::PlaintextOnTlsPort, place, text);
    }
    let no_record = matches!(what, InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion);
    if no_record && first.first().is_none_or(|byte| *byte != HANDSHAKE) {
        return failure(
            TlsErrorCode::PlaintextOnTlsPort,
            place,
            "the peer sent something that is not TLS; it may expect plaintext or STARTTLS on this port",
        );
    }
    let text = format!("the peer sent a TLS message that cannot be read: {}", describe(&what.into()));
    failure(TlsErrorCode::PeerMisbehaved, place, text)
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

fn incompatible(what: &PeerIncompatible) -> (TlsErrorCode, String) {
    use PeerIncompatible as P;
    match what {
        P::ServerDoesNotSupportTls12Or13
        | P::ServerTlsVersionIsDisabledByOurConfig
        | P::SupportedVersionsExtensionRequired
        | P::Tls12NotOffered
        | P::Tls12NotOfferedOrEnabled => {
            (TlsErrorCode::NoCommonVersion, "no TLS version in common; the peer is too old, or the policy too strict".into())
        }
        P::NoCipherSuitesInCommon => (
            TlsErrorCode::NoCommonCipher,
            "no cipher suite in common that fits the certificate's key; an old client may need an RSA certificate beside the ECDSA one".into(),
        ),
        P::NoSignatureSchemesInCommon => (
            TlsErrorCode::NoCommonCipher,
            "the client accepts no signature that the certificate's key can make; it may need an RSA certificate beside the other".into(),
        ),
        P::NoKxGroupsInCommon | P::NamedGroupsExtensionRequired | P::KeyShareExtensionRequired => {
            (TlsErrorCode::NoCommonCipher, "no key exchange group in common".into())
        }
        other => (TlsErrorCode::NoCommonCipher, format!("the peer lacks something that is needed: {other:?}")),
    }
}

fn received(alert: AlertDescription) -> String {
    let hint = match alert {
        AlertDescription::UnknownCA
        | AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnsupportedCertificate => {
            ": it does not trust our certificate (self-signed, without its intermediates, or for another name?)"
        }
        AlertDescription::CertificateExpired => ": our certificate has expired, or the peer's clock is wrong",
        AlertDescription::DecryptError => {
            ": it cannot verify a signature (does it hold an older certificate of the same authority?)"
        }
        AlertDescription::ProtocolVersion => ": no TLS version in common",
        AlertDescription::HandshakeFailure => ": no cipher suite or group in common",
        AlertDescription::UnrecognisedName => ": it has no certificate for the name that we asked for",
        AlertDescription::NoApplicationProtocol => ": it speaks none of the application protocols offered",
        _ => "",
    };
    format!("the peer ended the TLS handshake with alert {} ({alert:?}){hint}", u8::from(alert))
}

/// The content type of a handshake record (RFC 8446 §5.1).
const HANDSHAKE: u8 = 22;

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::PeerMisbehaved;

    fn code(error: Error, first: &[u8]) -> TlsErrorCode {
        handshake("listener test", &io::Error::new(io::ErrorKind::InvalidData, error), first).code
    }

    #[test]
    fn codes() {
        use TlsErrorCode as C;
        let no_type = Error::InvalidMessage(InvalidMessage::InvalidContentType);
        for (error, first, expected) in [
            (no_type.clone(), &b"QUIT\r\n"[..], C::PlaintextOnTlsPort),
            (no_type.clone(), b"\x01\x02\x03", C::PlaintextOnTlsPort),
            (no_type.clone(), b"\x16\x03\x01", C::PeerMisbehaved),
            (no_type, b"\x80\x40\x01", C::NoCommonVersion),
            (Error::PeerIncompatible(PeerIncompatible::Tls12NotOffered), b"", C::NoCommonVersion),
            (Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon), b"", C::NoCommonCipher),
            (Error::PeerIncompatible(PeerIncompatible::NoKxGroupsInCommon), b"", C::NoCommonCipher),
            (Error::AlertReceived(AlertDescription::UnknownCA), b"", C::AlertReceived),
            (Error::NoApplicationProtocol, b"", C::NoApplicationProtocol),
            (Error::NoCertificatesPresented, b"", C::NoPeerCertificate),
            (Error::InvalidCertificate(CertificateError::Expired), b"", C::PeerCertificateExpired),
            (Error::InvalidCertificate(CertificateError::NotValidYet), b"", C::PeerCertificateExpired),
            (Error::InvalidCertificate(CertificateError::Revoked), b"", C::PeerCertificateRevoked),
            (Error::InvalidCertificate(CertificateError::UnknownRevocationStatus), b"", C::PeerCertificateRevoked),
            (Error::InvalidCertificate(CertificateError::ExpiredRevocationList), b"", C::PeerCertificateRevoked),
            (Error::InvalidCertificate(CertificateError::UnknownIssuer), b"", C::PeerCertificateUntrusted),
            (Error::InvalidCertificate(CertificateError::BadSignature), b"", C::PeerCertificateUntrusted),
            (Error::InvalidCertificate(CertificateError::BadEncoding), b"", C::BadPeerCertificate),
            (Error::PeerMisbehaved(PeerMisbehaved::IncorrectBinder), b"", C::PeerMisbehaved),
            (Error::General("?".into()), b"", C::Other),
        ] {
            assert_eq!(code(error.clone(), first), expected, "{error:?}");
        }
    }

    #[test]
    fn transport_errors() {
        let eof = io::Error::from(io::ErrorKind::UnexpectedEof);
        assert_eq!(handshake("x", &eof, b"").code, TlsErrorCode::Truncated);
        assert_eq!(handshake("x", &eof, b"\x16\x03").code, TlsErrorCode::Truncated);
        assert_eq!(handshake("x", &eof, b"hi").code, TlsErrorCode::PlaintextOnTlsPort);
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        assert_eq!(handshake("x", &reset, b"").code, TlsErrorCode::Io);
    }

    #[test]
    fn what_the_peer_sent_is_not_logged() {
        let error = Error::InvalidMessage(InvalidMessage::InvalidContentType);
        let error =
            handshake("listener pop3s", &io::Error::new(io::ErrorKind::InvalidData, error), b"PASS hunter2\r\n");
        assert!(error.message.contains("POP3") && error.message.contains("listener pop3s"), "{error}");
        assert!(!error.message.contains("hunter2"), "{error}");
    }
}
