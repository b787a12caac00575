//! Subject alternative names: what a client compares the name it connected to with.
//!
//! `mail.example.org`, `*.example.org`, `192.0.2.1`, `postmaster@example.org`; a prefix `DNS:`, `IP:` or `email:`
//! says which is meant. International names become punycode (RFC 5891).

use std::net::IpAddr;

use rcgen::string::Ia5String;
use rcgen::SanType;

use super::CreateError;

/// The most names in one certificate.
pub const MAX_SANS: usize = 100;

/// One alternative name, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum San {
    /// A host name in lower-case ASCII, perhaps `*.` in front.
    Dns(String),
    /// An IP address.
    Ip(IpAddr),
    /// A mail address.
    Email(String),
}

impl San {
    /// Understands what a user wrote.
    pub fn parse(text: &str) -> Result<Self, CreateError> {
        let text = text.trim();
        let (kind, value) = match text.split_once(':') {
            Some((kind, value)) => (kind.to_ascii_lowercase(), value.trim()),
            None => (String::new(), text),
        };
        let ip = |value: &str| value.parse().map_err(|_| bad(text, "it isn't an IP address"));
        match kind.as_str() {
            "dns" => Ok(Self::Dns(dns(value)?)),
            "ip" => Ok(Self::Ip(ip(value)?)),
            "email" => Ok(Self::Email(email(value)?)),
            // No prefix, or an IPv6 address, which has colons of its own.
            _ => {
                if let Ok(ip) = text.trim_matches(['[', ']']).parse() {
                    Ok(Self::Ip(ip))
                } else if text.contains('@') {
                    Ok(Self::Email(email(text)?))
                } else {
                    Ok(Self::Dns(dns(text)?))
                }
            }
        }
    }

    /// The name of a host, or its address.
    pub fn host(&self) -> Option<String> {
        match self {
            Self::Dns(name) => Some(name.clone()),
            Self::Ip(ip) => Some(ip.to_string()),
            Self::Email(_) => None,
        }
    }

    pub(super) fn to_rcgen(&self) -> Result<SanType, CreateError> {
        let ascii =
            |text: &str| Ia5String::try_from(text).map_err(|_| bad(text, "only ASCII characters can stand in it"));
        Ok(match self {
            Self::Dns(name) => SanType::DnsName(ascii(name)?),
            Self::Ip(ip) => SanType::IpAddress(*ip),
            Self::Email(address) => SanType::Rfc822Name(ascii(address)?),
        })
    }
}

impl std::fmt::Display for San {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Dns(text) | Self::Email(text) => f.write_str(text),
            Self::Ip(ip) => ip.fmt(f),
        }
    }
}

/// A host name as it stands in a certificate.
pub(super) fn dns(name: &str) -> Result<String, CreateError> {
    let (prefix, host) = match name.strip_prefix("*.") {
        Some(host) => ("*.", host),
        None => ("", name),
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    let ascii = idna::domain_to_ascii_strict(host)
        .map_err(|_| bad(name, "it isn't a host name, an IP address or a mail address"))?;
    let numeric = ascii.rsplit('.').next().is_some_and(|label| label.bytes().all(|b| b.is_ascii_digit()));
    if ascii.is_empty() || numeric {
        return Err(bad(name, "it isn't a host name, an IP address or a mail address"));
    }
    Ok(format!("{prefix}{ascii}"))
}

/// A mail address as it stands in a certificate (RFC 5280 section 4.2.1.6: ASCII only).
pub(super) fn email(address: &str) -> Result<String, CreateError> {
    let reason = "it isn't a mail address";
    let (local, domain) = address.rsplit_once('@').ok_or_else(|| bad(address, reason))?;
    let plain = |b: u8| b.is_ascii_graphic() && !b"()<>[]:;@\\,\"".contains(&b);
    if local.is_empty() || local.len() > 64 || !local.bytes().all(plain) {
        return Err(bad(address, reason));
    }
    let domain = dns(domain).map_err(|_| bad(address, reason))?;
    Ok(format!("{local}@{domain}"))
}

fn bad(value: &str, reason: &'static str) -> CreateError {
    CreateError::Field { field: "alternative name", value: value.chars().take(80).collect(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn understands_each_kind() {
        for (text, san) in [
            ("Mail.Example.org.", San::Dns("mail.example.org".into())),
            ("dns:localhost", San::Dns("localhost".into())),
            ("*.example.org", San::Dns("*.example.org".into())),
            ("bücher.example", San::Dns("xn--bcher-kva.example".into())),
            ("192.0.2.1", San::Ip("192.0.2.1".parse().unwrap())),
            ("IP: 2001:db8::1", San::Ip("2001:db8::1".parse().unwrap())),
            ("2001:db8::1", San::Ip("2001:db8::1".parse().unwrap())),
            ("[::1]", San::Ip("::1".parse().unwrap())),
            ("post@bücher.example", San::Email("post@xn--bcher-kva.example".into())),
            ("email:a@b.example", San::Email("a@b.example".into())),
        ] {
            assert_eq!(San::parse(text).unwrap(), san, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_none() {
        for text in [
            "",
            "*",
            "*.",
            "a b",
            "a..b",
            "-x.example",
            "192.0.2.300",
            "ip:mail",
            "a@",
            "@b",
            "ä@b.example",
            "x*.example.org",
            "*.*.example.org",
            "dns:a@b",
            "http://example.org",
        ] {
            assert!(San::parse(text).is_err(), "{text:?} was accepted");
        }
        assert!(San::parse(&format!("{}.example", "x".repeat(64))).is_err());
    }
}
