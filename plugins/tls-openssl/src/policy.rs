//! What policies say, in OpenSSL's words.

use super::errors::failure;
use dovetail_sdk::tls::{TlsError, TlsErrorCode, TlsProfile, TlsVersion};
use openssl::ssl::SslVersion;

/// The oldest and the newest version that are spoken.
pub(crate) type Versions = (SslVersion, SslVersion);

/// The versions from `min` to `max` within the profile.
///
/// # Errors
/// [`TlsErrorCode::BadPolicy`] if there are none.
pub(crate) fn versions(
    place: &str,
    min: TlsVersion,
    max: TlsVersion,
    profile: TlsProfile,
) -> Result<Versions, TlsError> {
    // A version that is newer than this code counts as TLS 1.3.
    let number = |version| if version == TlsVersion::Tls12 { SslVersion::TLS1_2 } else { SslVersion::TLS1_3 };
    let none = |text| Err(failure(TlsErrorCode::BadPolicy, place, text));
    match (number(min), number(max)) {
        (SslVersion::TLS1_3, SslVersion::TLS1_2) => none(
            "the oldest TLS version allowed is newer than the newest; set min_version to at most max_version",
        ),
        (_, SslVersion::TLS1_2) if profile == TlsProfile::Modern => none(
            "the profile Modern speaks TLS 1.3 alone, and max_version forbids it; set max_version to Tls13, or the profile to Intermediate",
        ),
        (_, max) if profile == TlsProfile::Modern => Ok((SslVersion::TLS1_3, max)),
        versions => Ok(versions),
    }
}

/// Application protocols as they go over the wire (RFC 7301 §3.1), best first.
///
/// # Errors
/// [`TlsErrorCode::BadPolicy`] if one is empty or longer than 255 bytes, or all are longer than 65,535.
pub(crate) fn alpn(place: &str, names: &[String]) -> Result<Vec<u8>, TlsError> {
    let bad = |text: String| failure(TlsErrorCode::BadPolicy, place, text);
    let mut wire = Vec::new();
    for name in names {
        let len = u8::try_from(name.len()).ok().filter(|len| *len > 0).ok_or_else(|| {
            bad(format!("the application protocol name has {} bytes; give it 1 to {MAX_ALPN_NAME}", name.len()))
        })?;
        wire.push(len);
        wire.extend(name.as_bytes());
    }
    if wire.len() > MAX_ALPN_LIST {
        return Err(bad(format!(
            "the application protocol names have {} bytes; {MAX_ALPN_LIST} are the limit",
            wire.len()
        )));
    }
    Ok(wire)
}

const MAX_ALPN_NAME: usize = 255;
const MAX_ALPN_LIST: usize = 0xffff;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_run_from_min_to_max_within_the_profile() {
        use TlsProfile::{Intermediate, Modern};
        use TlsVersion::{Tls12, Tls13};
        let run = |min, max, profile| versions("here", min, max, profile);
        let (old, new) = (SslVersion::TLS1_2, SslVersion::TLS1_3);
        assert_eq!(run(Tls12, Tls13, Intermediate), Ok((old, new)));
        assert_eq!(run(Tls12, Tls12, Intermediate), Ok((old, old)));
        assert_eq!(run(Tls13, Tls13, Intermediate), Ok((new, new)));
        assert_eq!(run(Tls12, Tls13, Modern), Ok((new, new)));
        for (min, max, profile) in [(Tls13, Tls12, Intermediate), (Tls12, Tls12, Modern)] {
            let error = run(min, max, profile).unwrap_err();
            assert_eq!(error.code, TlsErrorCode::BadPolicy);
            assert!(error.message.starts_with("here: "), "{error}");
        }
    }

    #[test]
    fn alpn_names_have_a_length() {
        assert_eq!(alpn("here", &["imap".into(), "x".into()]), Ok(b"\x04imap\x01x".to_vec()));
        for bad in [vec![String::new()], vec!["x".repeat(256)], vec!["x".repeat(255); 257]] {
            assert_eq!(alpn("here", &bad).unwrap_err().code, TlsErrorCode::BadPolicy);
        }
    }
}
