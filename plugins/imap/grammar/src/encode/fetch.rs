//! The names of `FETCH` data items, as a response repeats them.

use super::numbers::number;
use super::strings::astring;
use crate::command::FetchItem;
use crate::mailbox::TextMode;
use crate::section::{Section, SectionText};

/// What stands in front of an item's value: `BODY[1.MIME]<0>`, `RFC822.SIZE`. `.PEEK` and the length asked for are
/// not repeated (RFC 9051 section 7.5.2).
pub fn fetch_name(out: &mut Vec<u8>, item: &FetchItem) {
    let plain: &[u8] = match item {
        FetchItem::Envelope => b"ENVELOPE",
        FetchItem::Flags => b"FLAGS",
        FetchItem::InternalDate => b"INTERNALDATE",
        FetchItem::Rfc822 => b"RFC822",
        FetchItem::Rfc822Header => b"RFC822.HEADER",
        FetchItem::Rfc822Size => b"RFC822.SIZE",
        FetchItem::Rfc822Text => b"RFC822.TEXT",
        FetchItem::BodyStructureShort | FetchItem::Body { .. } => b"BODY",
        FetchItem::BodyStructure => b"BODYSTRUCTURE",
        FetchItem::Uid => b"UID",
        FetchItem::Binary { .. } => b"BINARY",
        FetchItem::BinarySize { .. } => b"BINARY.SIZE",
    };
    out.extend_from_slice(plain);
    let partial = match item {
        FetchItem::Body { section: which, partial, .. } => {
            section(out, which);
            partial
        }
        FetchItem::Binary { part: which, partial, .. } => {
            bracketed(out, which);
            partial
        }
        FetchItem::BinarySize { part: which } => return bracketed(out, which),
        _ => return,
    };
    if let Some(partial) = partial {
        out.push(b'<');
        number(out, partial.first);
        out.push(b'>');
    }
}

/// `[1.HEADER.FIELDS (To Cc)]`, brackets included.
pub fn section(out: &mut Vec<u8>, section: &Section) {
    out.push(b'[');
    part(out, &section.part);
    if let Some(text) = &section.text {
        if !section.part.is_empty() {
            out.push(b'.');
        }
        match text {
            SectionText::Header => out.extend_from_slice(b"HEADER"),
            SectionText::Text => out.extend_from_slice(b"TEXT"),
            SectionText::Mime => out.extend_from_slice(b"MIME"),
            SectionText::HeaderFields { not, names } => {
                out.extend_from_slice(if *not { b"HEADER.FIELDS.NOT (" } else { b"HEADER.FIELDS (" });
                for (place, name) in names.iter().enumerate() {
                    if place > 0 {
                        out.push(b' ');
                    }
                    astring(out, name, TextMode::Utf7);
                }
                out.push(b')');
            }
        }
    }
    out.push(b']');
}

fn bracketed(out: &mut Vec<u8>, numbers: &[u32]) {
    out.push(b'[');
    part(out, numbers);
    out.push(b']');
}

fn part(out: &mut Vec<u8>, numbers: &[u32]) {
    for (place, &one) in numbers.iter().enumerate() {
        if place > 0 {
            out.push(b'.');
        }
        number(out, one);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::testing::parse;
    use crate::command::Command;

    #[test]
    fn names_repeat_what_was_asked() {
        for (asked, name) in [
            ("ENVELOPE", "ENVELOPE"),
            ("flags", "FLAGS"),
            ("INTERNALDATE", "INTERNALDATE"),
            ("RFC822", "RFC822"),
            ("RFC822.HEADER", "RFC822.HEADER"),
            ("RFC822.SIZE", "RFC822.SIZE"),
            ("RFC822.TEXT", "RFC822.TEXT"),
            ("BODY", "BODY"),
            ("BODYSTRUCTURE", "BODYSTRUCTURE"),
            ("UID", "UID"),
            ("BODY.PEEK[]<5.100>", "BODY[]<5>"),
            ("BODY[1.2.mime]", "BODY[1.2.MIME]"),
            ("BODY[HEADER]", "BODY[HEADER]"),
            ("BODY[2.TEXT]", "BODY[2.TEXT]"),
            ("BODY[HEADER.FIELDS (To \"a b\")]", "BODY[HEADER.FIELDS (To \"a b\")]"),
            ("BODY[3.HEADER.FIELDS.NOT (To)]", "BODY[3.HEADER.FIELDS.NOT (To)]"),
            ("BINARY.PEEK[4.1]<0.7>", "BINARY[4.1]<0>"),
            ("BINARY.SIZE[4]", "BINARY.SIZE[4]"),
        ] {
            let Command::Fetch(fetch) = parse(&format!("FETCH 1 ({asked})")) else { panic!() };
            let mut out = Vec::new();
            fetch_name(&mut out, &fetch.items[0]);
            assert_eq!(String::from_utf8(out).unwrap(), name);
        }
    }
}
