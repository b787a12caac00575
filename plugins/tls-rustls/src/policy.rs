//! What policies say, in rustls' words.
//!
//! The cipher suites and groups of rustls' aws-lc are those of Mozilla's recommendations (5.8): AEAD and ephemeral ECDH alone
//! for TLS 1.2; X25519MLKEM768, X25519, P-256, P-384. So a profile decides no more than the version. No renegotiation, no
//! compression, no static keys: rustls has none of them. Of the groups, the one is taken that the client names first: all
//! clients that know X25519MLKEM768 do so.

use super::errors::failure;
use dovetail_sdk::tls::{TlsError, TlsErrorCode, TlsProfile, TlsVersion};
use rustls::{version, CipherSuite, SupportedProtocolVersion};

/// Whether a client's own order of cipher suites counts: only where it likes ChaCha20 best, as those do that have no AES in
/// hardware. All others get the first of ours that they know.
pub(crate) fn chooses(suites: &[CipherSuite]) -> bool {
    // Some put values that mean nothing in front (RFC 8701).
    let first = suites.iter().find(|suite| !matches!(suite, CipherSuite::Unknown(_)));
    first.is_some_and(|suite| CHACHA20.contains(suite))
}

/// What is left of `min` in a profile.
pub(crate) fn oldest(profile: TlsProfile, min: TlsVersion) -> TlsVersion {
    match profile {
        TlsProfile::Modern => TlsVersion::Tls13,
        _ => min,
    }
}

/// The versions from `min` to `max`.
///
/// # Errors
/// [`TlsErrorCode::BadPolicy`] if there are none.
pub(crate) fn versions(
    place: &str,
    min: TlsVersion,
    max: TlsVersion,
) -> Result<&'static [&'static SupportedProtocolVersion], TlsError> {
    // A version that is newer than this code counts as TLS 1.3.
    match (min, max) {
        (TlsVersion::Tls12, TlsVersion::Tls12) => Ok(ONLY_12),
        (_, TlsVersion::Tls12) => Err(failure(
            TlsErrorCode::BadPolicy,
            place,
            "the oldest TLS version allowed is newer than the newest; let min_version be at most max_version (the profile Modern speaks TLS 1.3 alone)",
        )),
        (TlsVersion::Tls12, _) => Ok(BOTH),
        _ => Ok(ONLY_13),
    }
}

/// Application protocols as they go over the wire.
///
/// # Errors
/// [`TlsErrorCode::BadPolicy`] if one is empty or longer than 255 bytes (RFC 7301 §3.1).
pub(crate) fn alpn(place: &str, names: &[String]) -> Result<Vec<Vec<u8>>, TlsError> {
    match names.iter().find(|name| name.is_empty() || name.len() > MAX_ALPN_NAME) {
        None => Ok(names.iter().map(|name| name.clone().into_bytes()).collect()),
        Some(name) => Err(failure(
            TlsErrorCode::BadPolicy,
            place,
            format!("the application protocol name has {} bytes; give it 1 to {MAX_ALPN_NAME}", name.len()),
        )),
    }
}

const CHACHA20: [CipherSuite; 3] = [
    CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
];
const MAX_ALPN_NAME: usize = 255;
static ONLY_12: &[&SupportedProtocolVersion] = &[&version::TLS12];
static ONLY_13: &[&SupportedProtocolVersion] = &[&version::TLS13];
static BOTH: &[&SupportedProtocolVersion] = &[&version::TLS13, &version::TLS12];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_run_from_min_to_max() {
        let count = |min, max| versions("here", min, max).map(<[_]>::len);
        assert_eq!(count(TlsVersion::Tls12, TlsVersion::Tls13), Ok(2));
        assert_eq!(count(TlsVersion::Tls12, TlsVersion::Tls12), Ok(1));
        assert_eq!(count(TlsVersion::Tls13, TlsVersion::Tls13), Ok(1));
        let error = count(TlsVersion::Tls13, TlsVersion::Tls12).unwrap_err();
        assert_eq!(error.code, TlsErrorCode::BadPolicy);
        assert!(error.message.starts_with("here: "), "{error}");
    }

    #[test]
    fn those_choose_that_like_chacha20_best() {
        let (aes, chacha) = (CipherSuite::TLS13_AES_128_GCM_SHA256, CipherSuite::TLS13_CHACHA20_POLY1305_SHA256);
        assert!(chooses(&[chacha, aes]));
        assert!(chooses(&[CipherSuite::Unknown(0x0a0a), chacha, aes]));
        assert!(!chooses(&[aes, chacha]));
        assert!(!chooses(&[]));
    }

    #[test]
    fn alpn_names_have_a_length() {
        assert_eq!(alpn("here", &["imap".into()]), Ok(vec![b"imap".to_vec()]));
        for bad in [String::new(), "x".repeat(256)] {
            assert_eq!(alpn("here", &[bad]).unwrap_err().code, TlsErrorCode::BadPolicy);
        }
    }
}
