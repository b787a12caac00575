//! The part after the `@`: a domain, or an address literal (RFC 5321 sections 4.1.2 and 4.1.3).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::scan::Scan;
use super::{AddressError, MAX_DOMAIN, MAX_LABEL};

/// Where an address lives.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// `example.org`.
    Domain(Domain),
    /// `[192.0.2.1]` or `[IPv6:2001:db8::1]`.
    Literal(Literal),
}

/// A domain name in lower case.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Domain(Box<str>);

/// An address literal. Other tags than `IPv6:` exist in the grammar, but none was ever registered: they are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Literal(pub IpAddr);

impl Host {
    pub(super) fn scan(input: &mut Scan<'_>) -> Result<Self, AddressError> {
        if input.take(b'[') {
            literal(input).map(Host::Literal)
        } else {
            Domain::scan(input).map(Host::Domain)
        }
    }
}

impl Domain {
    /// The name, in lower case, without a dot at the end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `sub-domain *("." sub-domain)`: letters, digits, and hyphens inside; an underscore is not allowed.
    pub(super) fn scan(input: &mut Scan<'_>) -> Result<Self, AddressError> {
        let name = input.take_while(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
        if name.len() > MAX_DOMAIN {
            return Err(AddressError::TooLong);
        }
        for label in name.split(|&b| b == b'.') {
            if label.is_empty() || label.starts_with(b"-") || label.ends_with(b"-") {
                return Err(input.unexpected(AddressError::BadDomain));
            }
            if label.len() > MAX_LABEL {
                return Err(AddressError::TooLong);
            }
        }
        let name: String = name.iter().map(|b| char::from(b.to_ascii_lowercase())).collect();
        Ok(Domain(name.into_boxed_str()))
    }
}

impl FromStr for Domain {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let mut input = Scan::new(text.as_bytes());
        let domain = Domain::scan(&mut input)?;
        match input.end() {
            Err(AddressError::Trailing) => Err(AddressError::BadDomain),
            other => other.map(|()| domain),
        }
    }
}

impl FromStr for Host {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let mut input = Scan::new(text.as_bytes());
        let host = Host::scan(&mut input)?;
        input.end()?;
        Ok(host)
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Domain({self})")
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(address) => write!(f, "[{address}]"),
            IpAddr::V6(address) => write!(f, "[IPv6:{address}]"),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Domain(domain) => domain.fmt(f),
            Host::Literal(literal) => literal.fmt(f),
        }
    }
}

/// What follows `[`, up to and with `]`.
fn literal(input: &mut Scan<'_>) -> Result<Literal, AddressError> {
    let content = input.take_while(|b| b.is_ascii_graphic() && b != b']');
    if !input.take(b']') {
        return Err(input.unexpected(AddressError::BadLiteral));
    }
    // ASCII by the scan above, so never lossy.
    let content = String::from_utf8_lossy(content);
    let address = match content.split_once(':') {
        Some((tag, v6)) if tag.eq_ignore_ascii_case("IPv6") => v6.parse::<Ipv6Addr>().map(IpAddr::V6),
        Some(_) => return Err(AddressError::BadLiteral),
        None => content.parse::<Ipv4Addr>().map(IpAddr::V4),
    };
    address.map(Literal).map_err(|_| AddressError::BadLiteral)
}
