//! Reading what stands in the brackets of `BODY[...]`.

use crate::cursor::{Cursor, Parsed};
use crate::error::ErrorKind;
use crate::section::{Section, SectionText};

/// `section`, brackets included.
pub(crate) fn section(cursor: &mut Cursor<'_>) -> Parsed<Section> {
    cursor.expect(b'[', "[")?;
    let mut section = Section::default();
    let digit = cursor.peek().is_some_and(|octet| octet.is_ascii_digit());
    if digit {
        section.part = part(cursor)?;
    }
    // Behind part numbers a text needs its dot, which `part` has left.
    let text = if digit { cursor.eat(b'.') } else { cursor.peek() != Some(b']') };
    if text {
        section.text = Some(section_text(cursor, digit)?);
    }
    cursor.expect(b']', "]")?;
    Ok(section)
}

/// `section-part`: `1.2.3`. Leaves a dot that no digit follows.
pub(crate) fn part(cursor: &mut Cursor<'_>) -> Parsed<Vec<u32>> {
    let limit = cursor.limits.part_depth;
    let mut part = Vec::new();
    loop {
        if part.len() >= limit {
            return Err(ErrorKind::TooDeep { what: "Message parts", limit });
        }
        part.push(cursor.nz_number("a part number")?.get());
        let more = cursor.rest().get(1).is_some_and(u8::is_ascii_digit);
        if !more || !cursor.eat(b'.') {
            return Ok(part);
        }
    }
}

fn section_text(cursor: &mut Cursor<'_>, of_part: bool) -> Parsed<SectionText> {
    let at = cursor.at();
    let not = match cursor.word("a section")?.upper() {
        b"HEADER" => return Ok(SectionText::Header),
        b"TEXT" => return Ok(SectionText::Text),
        b"MIME" if of_part => return Ok(SectionText::Mime),
        b"HEADER.FIELDS" => false,
        b"HEADER.FIELDS.NOT" => true,
        _ => return Err(ErrorKind::Unknown { what: "section", at }),
    };
    cursor.space()?;
    let names = cursor
        .filled_list("header fields", cursor.limits.header_fields, |cursor| cursor.text("a header field's name"))?;
    Ok(SectionText::HeaderFields { not, names })
}
