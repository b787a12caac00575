//! A small reader of BER (X.690 section 8), for what other programs write around keys and certificates.
//!
//! Keys and certificates themselves are DER and read by stricter parsers; the bundles around them (PKCS#7, PKCS#12,
//! encrypted PKCS#8) come with indefinite lengths and strings in pieces. The reader steps over elements one by one and
//! never descends by itself. Fails on what is cut off or isn't what the caller expects. Bounds: an element lies within its
//! parent; [`MAX_NESTING`] for indefinite lengths, [`MAX_PIECES`] for strings of strings; the work is linear in the
//! input for each level that the caller descends.

use pkcs8::der::asn1::ObjectIdentifier;
use zeroize::Zeroizing;

/// INTEGER.
pub const INTEGER: u8 = 0x02;
/// OCTET STRING, in one piece.
pub const OCTET_STRING: u8 = 0x04;
/// OBJECT IDENTIFIER.
pub const OBJECT_IDENTIFIER: u8 = 0x06;
/// SEQUENCE.
pub const SEQUENCE: u8 = 0x30;
/// SET.
pub const SET: u8 = 0x31;
/// `[0]` around something or in pieces.
pub const CONTEXT_0: u8 = 0xA0;
/// `[1]` around something.
pub const CONTEXT_1: u8 = 0xA1;
/// `[0]` in place of a string's own tag.
pub const CONTEXT_0_STRING: u8 = 0x80;

/// How deep elements of indefinite length may be nested in one another.
pub const MAX_NESTING: usize = 32;
/// How deep a string may be made of strings.
pub const MAX_PIECES: usize = 8;

/// Reads one element after the other.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

/// One element.
#[derive(Debug, Clone, Copy)]
pub struct Element<'a> {
    /// Class, form and number, as they stand in the first byte.
    pub tag: u8,
    /// What is in it, without the end mark of an indefinite length.
    pub contents: &'a [u8],
    /// All of it, with tag and length.
    pub whole: &'a [u8],
}

/// What is wrong with the structure. Made to stand behind "... is damaged: ".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BerError {
    /// An element reaches beyond what there is.
    #[error("it is cut off")]
    Truncated,
    /// A length in a form that nobody uses, or a tag number above 30.
    #[error("it has an impossible tag or length")]
    Impossible,
    /// Another element than the format has there.
    #[error("it has something else where {expected} should be")]
    Unexpected {
        /// What should be there, with its article.
        expected: &'static str,
    },
    /// [`MAX_NESTING`] or [`MAX_PIECES`].
    #[error("it is nested too deeply")]
    TooDeep,
}

impl<'a> Reader<'a> {
    /// Reads from the beginning of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether everything has been read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next element, whatever it is.
    pub fn element(&mut self) -> Result<Element<'a>, BerError> {
        let head = Head::of(self.rest)?;
        let body = self.rest.get(head.size..).ok_or(BerError::Truncated)?;
        let (length, end) = match head.length {
            Some(length) => (length, length),
            None => indefinite(body)?,
        };
        let contents = body.get(..length).ok_or(BerError::Truncated)?;
        let size = head.size + end;
        let whole = self.rest.get(..size).ok_or(BerError::Truncated)?;
        self.rest = &self.rest[size..];
        Ok(Element { tag: head.tag, contents, whole })
    }

    /// The next element, which must have this tag; `expected` says what it is, with its article.
    pub fn expect(&mut self, tag: u8, expected: &'static str) -> Result<Element<'a>, BerError> {
        if self.rest.is_empty() {
            return Err(BerError::Unexpected { expected });
        }
        self.optional(tag)?.ok_or(BerError::Unexpected { expected })
    }

    /// The next element if it has this tag; otherwise nothing is read.
    pub fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, BerError> {
        match self.rest.first() {
            Some(&found) if found == tag => self.element().map(Some),
            _ => Ok(None),
        }
    }

    /// Goes into the SEQUENCE that comes next.
    pub fn sequence(&mut self, expected: &'static str) -> Result<Reader<'a>, BerError> {
        Ok(self.expect(SEQUENCE, expected)?.reader())
    }

    /// An INTEGER of 64 bits at most. Nothing here is ever negative, so that a first bit that is set is no sign: some
    /// writers leave out the zero that should stand before it.
    pub fn number(&mut self, expected: &'static str) -> Result<u64, BerError> {
        let mut bytes = self.expect(INTEGER, expected)?.contents;
        while let [0, rest @ ..] = bytes {
            if rest.is_empty() {
                break;
            }
            bytes = rest;
        }
        if bytes.is_empty() || bytes.len() > 8 {
            return Err(BerError::Unexpected { expected });
        }
        Ok(bytes.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    /// An OBJECT IDENTIFIER.
    pub fn identifier(&mut self, expected: &'static str) -> Result<ObjectIdentifier, BerError> {
        let unexpected = BerError::Unexpected { expected };
        let contents = self.expect(OBJECT_IDENTIFIER, expected)?.contents;
        // The parser takes it for granted that there is something.
        if contents.is_empty() {
            return Err(unexpected);
        }
        ObjectIdentifier::from_bytes(contents).map_err(|_| unexpected)
    }

    /// An OCTET STRING, in one piece or in several.
    pub fn octets(&mut self, expected: &'static str) -> Result<Zeroizing<Vec<u8>>, BerError> {
        let element = self.element()?;
        match element.tag {
            OCTET_STRING | PIECES => element.octets(),
            _ => Err(BerError::Unexpected { expected }),
        }
    }
}

impl<'a> Element<'a> {
    /// Reads what is in it.
    pub fn reader(&self) -> Reader<'a> {
        Reader::new(self.contents)
    }

    /// The octets of a string, whose pieces are put together. For OCTET STRINGs and what stands in place of one.
    pub fn octets(&self) -> Result<Zeroizing<Vec<u8>>, BerError> {
        // Reserved at once, so that no copy of a key is left where the buffer was before it grew.
        let mut joined = Zeroizing::new(Vec::with_capacity(self.contents.len()));
        self.join(&mut joined, 0)?;
        Ok(joined)
    }

    fn join(&self, joined: &mut Vec<u8>, depth: usize) -> Result<(), BerError> {
        if self.tag & CONSTRUCTED == 0 {
            joined.extend_from_slice(self.contents);
            return Ok(());
        }
        if depth == MAX_PIECES {
            return Err(BerError::TooDeep);
        }
        let mut pieces = self.reader();
        while !pieces.is_empty() {
            let piece = pieces.element()?;
            if piece.tag & !CONSTRUCTED != OCTET_STRING {
                return Err(BerError::Unexpected { expected: "a piece of a string" });
            }
            piece.join(joined, depth + 1)?;
        }
        Ok(())
    }
}

/// A tag and a length.
struct Head {
    tag: u8,
    /// `None`: up to the end mark.
    length: Option<usize>,
    size: usize,
}

impl Head {
    fn of(bytes: &[u8]) -> Result<Self, BerError> {
        let (&tag, &first) = match bytes {
            [tag, first, ..] => (tag, first),
            _ => return Err(BerError::Truncated),
        };
        // Nothing around keys and certificates has a number above 30; a zero tag is an end mark out of place.
        if tag & 0x1F == 0x1F || tag == 0 {
            return Err(BerError::Impossible);
        }
        match first {
            0..=0x7F => Ok(Self { tag, length: Some(usize::from(first)), size: 2 }),
            0x80 if tag & CONSTRUCTED != 0 => Ok(Self { tag, length: None, size: 2 }),
            0x81..=0x84 => {
                let count = usize::from(first & 0x7F);
                let digits = bytes.get(2..2 + count).ok_or(BerError::Truncated)?;
                let length = digits.iter().fold(0u32, |length, &digit| length << 8 | u32::from(digit));
                Ok(Self { tag, length: Some(length as usize), size: 2 + count })
            }
            _ => Err(BerError::Impossible),
        }
    }
}

/// The length of what is in an element of indefinite length, and the same with the end mark.
fn indefinite(body: &[u8]) -> Result<(usize, usize), BerError> {
    let mut open = 1;
    let mut at: usize = 0;
    loop {
        let rest = body.get(at..).ok_or(BerError::Truncated)?;
        if rest.starts_with(&END_MARK) {
            open -= 1;
            if open == 0 {
                return Ok((at, at + END_MARK.len()));
            }
            at += END_MARK.len();
            continue;
        }
        let head = Head::of(rest)?;
        match head.length {
            Some(length) => at = at.saturating_add(head.size).saturating_add(length),
            None if open == MAX_NESTING => return Err(BerError::TooDeep),
            None => {
                open += 1;
                at += head.size;
            }
        }
    }
}

const CONSTRUCTED: u8 = 0x20;
/// OCTET STRING, in pieces.
const PIECES: u8 = OCTET_STRING | CONSTRUCTED;
const END_MARK: [u8; 2] = [0, 0];

#[cfg(test)]
mod tests;
