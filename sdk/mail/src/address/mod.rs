//! Mail addresses as SMTP writes them (RFC 5321 sections 4.1.2, 4.1.3 and 4.5.3.1).
//!
//! [`Address`] is `local-part@host`; [`ReversePath`] and [`ForwardPath`] are what stands in `MAIL FROM:` and `RCPT TO:`.
//!
//! - A domain is folded to lower case; a local part keeps its case, because only its owner knows whether case matters.
//! - `"ann"@example.org` and `ann@example.org` are the same value (section 4.1.2: quoted forms are equivalent).
//! - Characters outside ASCII are refused with an error of their own ([`AddressError::NonAscii`]): SMTPUTF8 (RFC 6531)
//!   would need the whole chain to agree, and is not offered.
//!
//! Limits: local part 64 octets, domain 255 and each label 63, the whole address 254 (a path is 256 with its brackets).

mod host;
mod local;
mod path;
mod scan;

use std::fmt;
use std::str::FromStr;

pub use host::{Domain, Host, Literal};
pub use local::LocalPart;
pub use path::{ForwardPath, ReversePath};

use scan::Scan;

/// Longest local part, quotes and backslashes included (RFC 5321 section 4.5.3.1.1).
pub const MAX_LOCAL_PART: usize = 64;
/// Longest domain (RFC 5321 section 4.5.3.1.2).
pub const MAX_DOMAIN: usize = 255;
/// Longest label of a domain (RFC 1035 section 2.3.4).
pub const MAX_LABEL: usize = 63;
/// Longest address: a path may have 256 octets, two of which are its brackets (RFC 5321 section 4.5.3.1.3).
pub const MAX_ADDRESS: usize = 254;

/// `local-part@host`, the `Mailbox` of the grammar.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address {
    local: LocalPart,
    host: Host,
}

impl Address {
    /// Puts an address together from its parts.
    ///
    /// # Errors
    /// [`AddressError::TooLong`] if both together are longer than an address may be.
    pub fn new(local: LocalPart, host: Host) -> Result<Self, AddressError> {
        let address = Address { local, host };
        if address.to_string().len() > MAX_ADDRESS {
            return Err(AddressError::TooLong);
        }
        Ok(address)
    }

    /// What stands before the `@`.
    pub fn local(&self) -> &LocalPart {
        &self.local
    }

    /// What stands after the `@`.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The domain in lower case, or `None` for an address literal.
    pub fn domain(&self) -> Option<&Domain> {
        match &self.host {
            Host::Domain(domain) => Some(domain),
            Host::Literal(_) => None,
        }
    }

    fn scan(input: &mut Scan<'_>) -> Result<Self, AddressError> {
        let from = input.position();
        let local = LocalPart::scan(input)?;
        if !input.take(b'@') {
            return Err(input.unexpected(AddressError::NoAt));
        }
        let host = Host::scan(input)?;
        if input.position() - from > MAX_ADDRESS {
            return Err(AddressError::TooLong);
        }
        Ok(Address { local, host })
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let mut input = Scan::new(text.as_bytes());
        let address = Address::scan(&mut input)?;
        input.end()?;
        Ok(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.host)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

/// Why a text is not an address or path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// A byte above 127: the address needs SMTPUTF8.
    #[error("the address has characters outside ASCII; use the ASCII form of the domain and local part")]
    NonAscii,
    /// A path that does not begin with `<` or does not end with `>`.
    #[error("the path must stand between < and >")]
    NoBrackets,
    /// Nothing, or nothing usable, before the `@`.
    #[error("the part before the @ is missing or has a character that needs quoting")]
    BadLocalPart,
    /// A quoted local part without its closing quote, or with a control character.
    #[error("the quoted part before the @ is not closed or has a control character")]
    BadQuotedString,
    /// No `@`.
    #[error("the address has no @ and domain")]
    NoAt,
    /// A domain with an empty label, a hyphen at an edge, or a character that domains don't have.
    #[error("the domain may have letters, digits, hyphens inside labels, and single dots only")]
    BadDomain,
    /// `[...]` that is neither `[192.0.2.1]` nor `[IPv6:2001:db8::1]`.
    #[error("the address literal must look like [192.0.2.1] or [IPv6:2001:db8::1]")]
    BadLiteral,
    /// A limit of RFC 5321 section 4.5.3.1 exceeded.
    #[error("the address is too long: the part before the @ may have 64 octets, a domain 255 (each label 63), all together 254")]
    TooLong,
    /// Something after the address.
    #[error("unexpected text after the address")]
    Trailing,
}

#[cfg(test)]
mod tests;
