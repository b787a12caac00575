//! Where a section of a message stands (RFC 3501 section 6.4.5, RFC 9051 section 6.4.5.1).
//!
//! Part numbers go through multiparts and messages: `2.1` is the first part of the second part, whether that is a
//! multipart or a message with a multipart in it. A message that is no multipart has one part, `1`, its body.

use std::ops::Range;

use super::summary::{Kind, Part, Summary};

/// What of a part or message is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// `BODY[]` and `BODY[1.2]`: the whole message, or the body of a part.
    Whole,
    /// `HEADER`, also what `HEADER.FIELDS` selects from: the header of the message, with its empty line.
    Header,
    /// `TEXT`: the body of the message.
    Text,
    /// `MIME`: the header of a part.
    Mime,
}

/// The octets of a section; `None` if the message has no such section.
///
/// `path` are the part numbers, counted from 1; without any the section is one of the message itself. `HEADER` and
/// `TEXT` are of messages only, `MIME` is of parts only.
pub fn locate(summary: &Summary, path: &[u32], section: Section) -> Option<Range<u64>> {
    if path.is_empty() {
        let root = summary.root();
        return match section {
            Section::Whole => Some(0..summary.size()),
            Section::Header => Some(root.header.clone()),
            Section::Text => Some(root.body.clone()),
            Section::Mime => None,
        };
    }
    let index = part_at(summary, path)?;
    let part = summary.parts().get(index)?;
    match section {
        Section::Whole => Some(part.body.clone()),
        Section::Mime => Some(part.header.clone()),
        Section::Header => Some(message_in(summary, index)?.1.header.clone()),
        Section::Text => Some(message_in(summary, index)?.1.body.clone()),
    }
}

/// The index in [`Summary::parts`] of the part that `path` leads to; `None` if there is none, or the path is empty.
pub fn part_at(summary: &Summary, path: &[u32]) -> Option<usize> {
    let (&first, rest) = path.split_first()?;
    let mut index = numbered(summary, 0, first)?;
    for &number in rest {
        index = match summary.parts().get(index)?.kind {
            Kind::Leaf => return None,
            Kind::Multipart => child(summary, index, number)?,
            Kind::Message => numbered(summary, message_in(summary, index)?.0, number)?,
        };
    }
    Some(index)
}

/// Part `number` of the message at `index`, which is its own part 1 if it is no multipart.
fn numbered(summary: &Summary, index: usize, number: u32) -> Option<usize> {
    match summary.parts().get(index)?.kind {
        Kind::Multipart => child(summary, index, number),
        Kind::Leaf | Kind::Message => (number == 1).then_some(index),
    }
}

fn child(summary: &Summary, index: usize, number: u32) -> Option<usize> {
    let nth = usize::try_from(number).ok()?.checked_sub(1)?;
    summary.children(index).nth(nth).map(|(at, _)| at)
}

fn message_in(summary: &Summary, index: usize) -> Option<(usize, &Part)> {
    match summary.parts().get(index)?.kind {
        Kind::Message => summary.children(index).next(),
        Kind::Leaf | Kind::Multipart => None,
    }
}
