//! The server name in a ClientHello (RFC 6066 §3).
//!
//! OpenSSL asks for a certificate before it has read that extension, so it is read here. A name is lower-cased. An address is
//! no name, and counts as none.

use std::net::IpAddr;

/// The extension's number.
pub(crate) const SERVER_NAME: u16 = 0;

/// A server name that breaks the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The name, if the extension's value holds one.
///
/// # Errors
/// If the value is not one host name that DNS could know.
pub(crate) fn server_name(value: &[u8]) -> Result<Option<String>, Malformed> {
    let list = prefixed(value)?;
    let (kind, name) = list.split_first().ok_or(Malformed)?;
    if *kind != HOST_NAME {
        return Err(Malformed);
    }
    let name = prefixed(name)?;
    let text = std::str::from_utf8(name).map_err(|_| Malformed)?;
    if text.parse::<IpAddr>().is_ok() {
        return Ok(None);
    }
    if is_host_name(text) {
        Ok(Some(text.to_ascii_lowercase()))
    } else {
        Err(Malformed)
    }
}

/// Whether this may be a host's name: letters, digits, underscores, and hyphens inside, in labels of 1 to 63.
pub(crate) fn is_host_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

/// All that follows a length of two bytes, and nothing behind it.
fn prefixed(value: &[u8]) -> Result<&[u8], Malformed> {
    let (len, rest) = value.split_first_chunk::<2>().ok_or(Malformed)?;
    if usize::from(u16::from_be_bytes(*len)) == rest.len() {
        Ok(rest)
    } else {
        Err(Malformed)
    }
}

const HOST_NAME: u8 = 0;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value(name: &[u8]) -> Vec<u8> {
        let len = u16::try_from(name.len()).unwrap();
        [&(len + 3).to_be_bytes()[..], &[0], &len.to_be_bytes(), name].concat()
    }

    #[test]
    fn names() {
        assert_eq!(server_name(&value(b"Mail.Example.org")), Ok(Some("mail.example.org".into())));
        assert_eq!(server_name(&value(b"192.0.2.1")), Ok(None));
        assert_eq!(server_name(&value(b"2001:db8::1")), Ok(None));
        for bad in [&b""[..], b"a..b", b"-", b"a-.b", b"mail example", b"a\0b", b"\xff", &[b'x'; 64]] {
            assert_eq!(server_name(&value(bad)), Err(Malformed), "{bad:?}");
        }
        let two = [value(b"a.example"), vec![0]].concat();
        assert_eq!(server_name(&two), Err(Malformed));
        assert_eq!(server_name(&[0, 4, 1, 0, 1, b'a']), Err(Malformed));
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = server_name(&bytes);
        }
    }
}
