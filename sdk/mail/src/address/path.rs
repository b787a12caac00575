//! What stands in `MAIL FROM:` and `RCPT TO:` (RFC 5321 section 4.1.2, `Reverse-path` and `Forward-path`).
//!
//! A source route (`<@relay.example,@other.example:ann@example.org>`) is read and forgotten, as appendix C asks.

use std::fmt;

use super::host::Domain;
use super::scan::Scan;
use super::{Address, AddressError};

/// Who a message comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ReversePath {
    /// `<>`: nobody wants to hear about this message again (bounces, vacation replies).
    Null,
    /// `<ann@example.org>`.
    Address(Address),
}

/// Who a message goes to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ForwardPath {
    /// `<postmaster>` without a domain: every server has one (RFC 5321 sections 2.3.5 and 4.5.1).
    Postmaster,
    /// `<bob@example.org>`.
    Address(Address),
}

impl ReversePath {
    /// Reads a path at the start of `text` and returns it with what follows.
    ///
    /// # Errors
    /// [`AddressError`] when `text` does not begin with a reverse-path.
    pub fn parse_prefix(text: &[u8]) -> Result<(Self, &[u8]), AddressError> {
        if let Some(rest) = text.strip_prefix(b"<>") {
            return Ok((ReversePath::Null, rest));
        }
        let mut input = Scan::new(text);
        let address = path(&mut input)?;
        Ok((ReversePath::Address(address), input.rest()))
    }

    /// The address, unless the path is `<>`.
    pub fn address(&self) -> Option<&Address> {
        match self {
            ReversePath::Null => None,
            ReversePath::Address(address) => Some(address),
        }
    }
}

impl ForwardPath {
    /// Reads a path at the start of `text` and returns it with what follows.
    ///
    /// # Errors
    /// [`AddressError`] when `text` does not begin with a forward-path; `<>` is none.
    pub fn parse_prefix(text: &[u8]) -> Result<(Self, &[u8]), AddressError> {
        const POSTMASTER: &[u8] = b"<postmaster>";
        match text.split_at_checked(POSTMASTER.len()) {
            Some((head, rest)) if head.eq_ignore_ascii_case(POSTMASTER) => return Ok((ForwardPath::Postmaster, rest)),
            _ => {}
        }
        let mut input = Scan::new(text);
        let address = path(&mut input)?;
        Ok((ForwardPath::Address(address), input.rest()))
    }
}

/// With brackets, as on the wire.
impl fmt::Display for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReversePath::Null => f.write_str("<>"),
            ReversePath::Address(address) => write!(f, "<{address}>"),
        }
    }
}

/// With brackets, as on the wire.
impl fmt::Display for ForwardPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ForwardPath::Postmaster => f.write_str("<postmaster>"),
            ForwardPath::Address(address) => write!(f, "<{address}>"),
        }
    }
}

/// `"<" [ A-d-l ":" ] Mailbox ">"`.
fn path(input: &mut Scan<'_>) -> Result<Address, AddressError> {
    if !input.take(b'<') {
        return Err(input.unexpected(AddressError::NoBrackets));
    }
    if input.peek() == Some(b'@') {
        source_route(input)?;
    }
    let address = Address::scan(input)?;
    if !input.take(b'>') {
        return Err(input.unexpected(closing(input)));
    }
    Ok(address)
}

/// A path that stops in the middle lacks its bracket; one with something odd in it has a bad domain.
fn closing(input: &Scan<'_>) -> AddressError {
    match input.peek() {
        None | Some(b' ') => AddressError::NoBrackets,
        Some(_) => AddressError::BadDomain,
    }
}

/// `At-domain *( "," At-domain ) ":"`. How many there are is bounded by the length of a command line.
fn source_route(input: &mut Scan<'_>) -> Result<(), AddressError> {
    loop {
        if !input.take(b'@') {
            return Err(input.unexpected(AddressError::BadDomain));
        }
        Domain::scan(input)?;
        if input.take(b':') {
            return Ok(());
        }
        if !input.take(b',') {
            return Err(input.unexpected(AddressError::BadDomain));
        }
    }
}
