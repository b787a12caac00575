//! Where what an item says is to be found in one message.

use std::ops::Range;

use dovetail_imap_grammar::command::FetchItem;
use dovetail_imap_grammar::{Partial, Section, SectionText};
use dovetail_mail::mime::{locate, part_at, Encoding, Section as Place, Summary};

use super::plan;
use crate::completion::Completion;

/// What an item takes.
#[derive(Debug, PartialEq)]
pub enum Source {
    /// The view's columns.
    Columns,
    /// The envelope.
    Envelope,
    /// The structure; extended or not.
    Structure(bool),
    /// There is no such section.
    Nil,
    /// Octets of the body as they are.
    Octets(Range<u64>),
    /// Some fields of the header that is there.
    Fields {
        /// The header.
        header: Range<u64>,
        /// All but those named.
        not: bool,
        /// The names.
        names: Vec<Vec<u8>>,
        /// Which octets of what comes out.
        partial: Option<Partial>,
    },
    /// A part with its transfer encoding undone.
    Decoded {
        /// The part.
        body: Range<u64>,
        /// What is to be undone.
        encoding: Encoding,
        /// Which octets of what comes out.
        partial: Option<Partial>,
    },
    /// How many octets that would be.
    DecodedSize {
        /// The part.
        body: Range<u64>,
        /// What is to be undone.
        encoding: Encoding,
    },
    /// A part that is not there has no octets.
    NoSize,
}

impl Source {
    /// The octets of the body that are needed.
    pub fn octets(&self) -> Option<&Range<u64>> {
        match self {
            Source::Octets(range)
            | Source::Fields { header: range, .. }
            | Source::Decoded { body: range, .. }
            | Source::DecodedSize { body: range, .. } => Some(range),
            _ => None,
        }
    }
}

/// Finds it. `size` is that of the whole message.
///
/// # Errors
/// What the client hears if the part's encoding is not known (RFC 3516 section 4.3).
pub fn source(item: &FetchItem, summary: Option<&Summary>, size: u64) -> Result<Source, Completion> {
    Ok(match item {
        FetchItem::Envelope => Source::Envelope,
        FetchItem::BodyStructure => Source::Structure(true),
        FetchItem::BodyStructureShort => Source::Structure(false),
        FetchItem::Rfc822 => Source::Octets(0..size),
        FetchItem::Rfc822Header => octets(summary.and_then(|summary| locate(summary, &[], Place::Header)), None),
        FetchItem::Rfc822Text => octets(summary.and_then(|summary| locate(summary, &[], Place::Text)), None),
        FetchItem::Body { section, partial, .. } => body(section, *partial, summary, size),
        FetchItem::Binary { part, partial, .. } => match decoded(part, summary, size)? {
            Some((body, encoding)) => Source::Decoded { body, encoding, partial: *partial },
            None => Source::Nil,
        },
        FetchItem::BinarySize { part } => match decoded(part, summary, size)? {
            Some((body, encoding)) => Source::DecodedSize { body, encoding },
            None => Source::NoSize,
        },
        _ => Source::Columns,
    })
}

fn body(section: &Section, partial: Option<Partial>, summary: Option<&Summary>, size: u64) -> Source {
    if section.part.is_empty() && section.text.is_none() {
        return octets(Some(0..size), partial);
    }
    let place = plan::section(section.text.as_ref());
    let found = summary.and_then(|summary| locate(summary, &section.part, place));
    match (&section.text, found) {
        (Some(SectionText::HeaderFields { not, names }), Some(header)) => {
            Source::Fields { header, not: *not, names: names.clone(), partial }
        }
        (_, found) => octets(found, partial),
    }
}

fn octets(range: Option<Range<u64>>, partial: Option<Partial>) -> Source {
    match (range, partial) {
        (None, _) => Source::Nil,
        (Some(range), None) => Source::Octets(range),
        (Some(range), Some(partial)) => {
            let start = range.start.saturating_add(partial.first).min(range.end);
            let end = start.saturating_add(partial.length).min(range.end);
            Source::Octets(start..end)
        }
    }
}

fn decoded(part: &[u32], summary: Option<&Summary>, size: u64) -> Result<Option<(Range<u64>, Encoding)>, Completion> {
    if part.is_empty() {
        // The message as a whole has no transfer encoding.
        return Ok(Some((0..size, Encoding::Identity)));
    }
    let Some(summary) = summary else { return Ok(None) };
    let Some(found) = part_at(summary, part).and_then(|index| summary.parts().get(index)) else {
        return Ok(None);
    };
    match Encoding::of(found) {
        Some(encoding) => Ok(Some((found.body.clone(), encoding))),
        None => Err(Completion::no("UNKNOWN-CTE", "The part's transfer encoding is not known here")),
    }
}

/// Cuts what a client asked for out of what was made.
pub fn cut(octets: &[u8], partial: Option<Partial>) -> &[u8] {
    let Some(partial) = partial else { return octets };
    let start = usize::try_from(partial.first).unwrap_or(usize::MAX).min(octets.len());
    let length = usize::try_from(partial.length).unwrap_or(usize::MAX);
    let end = start.saturating_add(length).min(octets.len());
    octets.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body_item(first: u64, length: u64) -> FetchItem {
        FetchItem::Body { peek: true, section: Section::default(), partial: Some(Partial { first, length }) }
    }

    #[test]
    fn partials_end_where_the_message_does() {
        let range = |first, length| match source(&body_item(first, length), None, 100) {
            Ok(Source::Octets(range)) => (range.start, range.end),
            other => panic!("{other:?}"),
        };
        assert_eq!(range(0, 10), (0, 10));
        assert_eq!(range(90, 20), (90, 100));
        assert_eq!(range(200, 20), (100, 100));
        assert_eq!(range(1, u64::MAX), (1, 100));
    }

    #[test]
    fn cutting_never_goes_beyond() {
        let cut = |first, length| cut(b"0123456789", Some(Partial { first, length })).to_vec();
        assert_eq!(cut(2, 3), b"234");
        assert_eq!(cut(8, 30), b"89");
        assert_eq!(cut(u64::MAX, u64::MAX), b"");
    }
}
