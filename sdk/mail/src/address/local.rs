//! The part before the `@` (RFC 5321 section 4.1.2, `Local-part`).

use std::fmt;
use std::str::FromStr;

use super::scan::Scan;
use super::{AddressError, MAX_LOCAL_PART};

/// What stands before the `@`, without quotes; case is kept.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LocalPart(Box<str>);

impl LocalPart {
    /// The name itself, quotes and backslashes removed: printable ASCII and spaces only.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn scan(input: &mut Scan<'_>) -> Result<Self, AddressError> {
        let from = input.position();
        let name = if input.take(b'"') { quoted_string(input)? } else { dot_string(input)? };
        if input.position() - from > MAX_LOCAL_PART {
            return Err(AddressError::TooLong);
        }
        Ok(LocalPart(name.into_boxed_str()))
    }
}

impl FromStr for LocalPart {
    type Err = AddressError;

    /// Reads the form with or without quotes, as it stands in an address.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let mut input = Scan::new(text.as_bytes());
        let local = LocalPart::scan(&mut input)?;
        input.end()?;
        Ok(local)
    }
}

/// With as little quoting as possible (RFC 5321 section 4.1.2).
impl fmt::Display for LocalPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = self.0.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atext));
        if plain {
            return f.write_str(&self.0);
        }
        f.write_str("\"")?;
        for c in self.0.chars() {
            if matches!(c, '"' | '\\') {
                f.write_str("\\")?;
            }
            write!(f, "{c}")?;
        }
        f.write_str("\"")
    }
}

impl fmt::Debug for LocalPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalPart({self})")
    }
}

/// `Atom *("." Atom)`.
fn dot_string(input: &mut Scan<'_>) -> Result<String, AddressError> {
    let mut name = String::new();
    loop {
        let atom = input.take_while(is_atext);
        if atom.is_empty() {
            return Err(input.unexpected(AddressError::BadLocalPart));
        }
        name.extend(atom.iter().map(|&b| char::from(b)));
        if name.len() > MAX_LOCAL_PART {
            return Err(AddressError::TooLong);
        }
        if !input.take(b'.') {
            return Ok(name);
        }
        name.push('.');
    }
}

/// `*QcontentSMTP DQUOTE`; the opening quote has been read.
fn quoted_string(input: &mut Scan<'_>) -> Result<String, AddressError> {
    let mut name = String::new();
    loop {
        let byte = match input.next() {
            Some(b'"') => return Ok(name),
            Some(b'\\') => input.next(),
            other => other,
        };
        match byte {
            Some(byte @ 32..=126) => name.push(char::from(byte)),
            Some(byte) if !byte.is_ascii() => return Err(AddressError::NonAscii),
            _ => return Err(AddressError::BadQuotedString),
        }
        if name.len() > MAX_LOCAL_PART {
            return Err(AddressError::TooLong);
        }
    }
}

/// RFC 5322 section 3.2.3, `atext`.
fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}
