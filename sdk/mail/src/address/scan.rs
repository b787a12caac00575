//! A position in the text that is being read.

use super::AddressError;

pub(super) struct Scan<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Scan { text, at: 0 }
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    pub(super) fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// Moves past `byte` if it is next.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Moves past all bytes that `accept` likes and returns them.
    pub(super) fn take_while(&mut self, accept: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let length = rest.iter().position(|&b| !accept(b)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// `error`, unless the byte in the way is outside ASCII: then that is what the peer must hear.
    pub(super) fn unexpected(&self, error: AddressError) -> AddressError {
        match self.peek() {
            Some(byte) if !byte.is_ascii() => AddressError::NonAscii,
            _ => error,
        }
    }

    /// Fails if anything is left.
    pub(super) fn end(&self) -> Result<(), AddressError> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.unexpected(AddressError::Trailing)),
        }
    }
}
