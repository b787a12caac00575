//! `FETCH` (RFC 9051 section 6.4.5, RFC 3501 section 6.4.5, RFC 3516).

use crate::cursor::{Cursor, Parsed};
use crate::error::ErrorKind;
use crate::section::{Partial, Section};
use crate::section_parse::{part, section};
use crate::sequence::SequenceSet;
use crate::sequence_parse::sequence_set;

/// `FETCH` and `UID FETCH`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fetch {
    /// Whether the set holds UIDs; `UID` is among the items then, or is to be thought of.
    pub uid: bool,
    /// Which messages.
    pub set: SequenceSet,
    /// What of them, in the order asked. The macros `ALL`, `FAST` and `FULL` are already spelled out.
    pub items: Vec<FetchItem>,
}

/// One data item.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FetchItem {
    /// `ENVELOPE`
    Envelope,
    /// `FLAGS`
    Flags,
    /// `INTERNALDATE`
    InternalDate,
    /// `RFC822`: `BODY[]` by another name, IMAP4rev1 only.
    Rfc822,
    /// `RFC822.HEADER`: `BODY.PEEK[HEADER]` by another name, IMAP4rev1 only.
    Rfc822Header,
    /// `RFC822.SIZE`
    Rfc822Size,
    /// `RFC822.TEXT`: `BODY[TEXT]` by another name, IMAP4rev1 only.
    Rfc822Text,
    /// `BODY`: the structure without its extension data.
    BodyStructureShort,
    /// `BODYSTRUCTURE`
    BodyStructure,
    /// `UID`
    Uid,
    /// `BODY[...]` and `BODY.PEEK[...]`
    Body {
        /// Doesn't set `\Seen`.
        peek: bool,
        /// Which piece.
        section: Section,
        /// Which octets of it.
        partial: Option<Partial>,
    },
    /// `BINARY[...]` and `BINARY.PEEK[...]`: a part with its transfer encoding undone.
    Binary {
        /// Doesn't set `\Seen`.
        peek: bool,
        /// The part's numbers; none for the whole message.
        part: Vec<u32>,
        /// Which octets of what comes out.
        partial: Option<Partial>,
    },
    /// `BINARY.SIZE[...]`
    BinarySize {
        /// The part's numbers; none for the whole message.
        part: Vec<u32>,
    },
}

impl FetchItem {
    /// Whether fetching it sets `\Seen` where the mailbox may be written.
    pub fn marks_seen(&self) -> bool {
        match self {
            FetchItem::Rfc822 | FetchItem::Rfc822Text => true,
            FetchItem::Body { peek, .. } | FetchItem::Binary { peek, .. } => !peek,
            _ => false,
        }
    }
}

pub(super) fn parse(cursor: &mut Cursor<'_>, uid: bool) -> Parsed<Fetch> {
    let set = sequence_set(cursor)?;
    cursor.space()?;
    let items = if cursor.peek() == Some(b'(') {
        cursor.filled_list("FETCH items", cursor.limits.fetch_items, |cursor| {
            let at = cursor.at();
            let word = cursor.word("a FETCH item")?;
            item(cursor, word.upper(), at)
        })?
    } else {
        let at = cursor.at();
        let word = cursor.word("a FETCH item")?;
        match macro_items(word.upper()) {
            Some(items) => items.to_vec(),
            None => vec![item(cursor, word.upper(), at)?],
        }
    };
    Ok(Fetch { uid, set, items })
}

/// `FAST` is the first three, `ALL` the first four.
static FULL: [FetchItem; 5] = [
    FetchItem::Flags,
    FetchItem::InternalDate,
    FetchItem::Rfc822Size,
    FetchItem::Envelope,
    FetchItem::BodyStructureShort,
];

fn macro_items(name: &[u8]) -> Option<&'static [FetchItem]> {
    match name {
        b"FAST" => FULL.get(..3),
        b"ALL" => FULL.get(..4),
        b"FULL" => Some(&FULL),
        _ => None,
    }
}

/// What follows the item's name, which stood at `at`.
fn item(cursor: &mut Cursor<'_>, name: &[u8], at: usize) -> Parsed<FetchItem> {
    Ok(match name {
        b"ENVELOPE" => FetchItem::Envelope,
        b"FLAGS" => FetchItem::Flags,
        b"INTERNALDATE" => FetchItem::InternalDate,
        b"RFC822" => FetchItem::Rfc822,
        b"RFC822.HEADER" => FetchItem::Rfc822Header,
        b"RFC822.SIZE" => FetchItem::Rfc822Size,
        b"RFC822.TEXT" => FetchItem::Rfc822Text,
        b"BODYSTRUCTURE" => FetchItem::BodyStructure,
        b"UID" => FetchItem::Uid,
        b"BODY" if cursor.peek() != Some(b'[') => FetchItem::BodyStructureShort,
        b"BODY" | b"BODY.PEEK" => {
            let section = section(cursor)?;
            FetchItem::Body { peek: name.ends_with(b"PEEK"), section, partial: partial(cursor)? }
        }
        b"BINARY" | b"BINARY.PEEK" => {
            let part = bracketed_part(cursor)?;
            FetchItem::Binary { peek: name.ends_with(b"PEEK"), part, partial: partial(cursor)? }
        }
        b"BINARY.SIZE" => FetchItem::BinarySize { part: bracketed_part(cursor)? },
        _ => return Err(ErrorKind::Unknown { what: "FETCH item", at }),
    })
}

/// `section-binary`.
fn bracketed_part(cursor: &mut Cursor<'_>) -> Parsed<Vec<u32>> {
    cursor.expect(b'[', "[")?;
    let part = if cursor.peek() == Some(b']') { Vec::new() } else { part(cursor)? };
    cursor.expect(b']', "]")?;
    Ok(part)
}

/// `partial`, if there is one.
fn partial(cursor: &mut Cursor<'_>) -> Parsed<Option<Partial>> {
    if !cursor.eat(b'<') {
        return Ok(None);
    }
    let first = cursor.number64("the first octet of a partial fetch")?;
    cursor.expect(b'.', ".")?;
    let at = cursor.at();
    let length = cursor.number64("the length of a partial fetch")?;
    if length == 0 {
        return Err(ErrorKind::Expected { what: "a length above 0", at });
    }
    cursor.expect(b'>', ">")?;
    Ok(Some(Partial { first, length }))
}

#[cfg(test)]
#[path = "fetch_tests.rs"]
mod tests;
