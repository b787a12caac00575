//! Strings: as an atom, quoted, or as a literal, whatever they allow (RFC 9051 section 4.3).

use super::numbers::number;
use crate::chars;
use crate::mailbox::TextMode;

/// Longer strings go as literals: some clients read lines into small buffers.
const LONGEST_QUOTED: usize = 1000;

const PLAIN: u8 = 0;
const ESCAPED: u8 = 1;
const EIGHT_BIT: u8 = 2;
const LITERAL: u8 = 4;

/// What each octet asks for.
static NEEDS: [u8; 256] = needs();

const fn needs() -> [u8; 256] {
    let mut table = [PLAIN; 256];
    let mut octet = 128;
    while octet < 256 {
        table[octet] = EIGHT_BIT;
        octet += 1;
    }
    table[b'"' as usize] = ESCAPED;
    table[b'\\' as usize] = ESCAPED;
    table[b'\r' as usize] = LITERAL;
    table[b'\n' as usize] = LITERAL;
    table[0] = LITERAL;
    table
}

/// `string`: quoted where it can be, else a literal. NUL, which no string may hold, becomes `?`.
pub fn string(out: &mut Vec<u8>, value: &[u8], mode: TextMode) {
    let needs = value.iter().fold(PLAIN, |needs, &octet| needs | NEEDS[usize::from(octet)]);
    let utf8 = || mode == TextMode::Utf8 && std::str::from_utf8(value).is_ok();
    if value.len() > LONGEST_QUOTED || needs & LITERAL != 0 || (needs & EIGHT_BIT != 0 && !utf8()) {
        return literal(out, value);
    }
    out.push(b'"');
    if needs & ESCAPED == 0 {
        out.extend_from_slice(value);
    } else {
        escape(out, value);
    }
    out.push(b'"');
}

/// `nstring`: `NIL` where there is none.
pub fn nstring(out: &mut Vec<u8>, value: Option<&[u8]>, mode: TextMode) {
    match value {
        Some(value) => string(out, value, mode),
        None => out.extend_from_slice(b"NIL"),
    }
}

/// `astring`: bare where it can be. `NIL` gets quotes: there are clients that take it for nothing.
pub fn astring(out: &mut Vec<u8>, value: &[u8], mode: TextMode) {
    let bare =
        !value.is_empty() && value.len() <= LONGEST_QUOTED && value.iter().all(|&octet| chars::is_astring(octet));
    if bare && !value.eq_ignore_ascii_case(b"NIL") {
        return out.extend_from_slice(value);
    }
    string(out, value, mode);
}

/// `quoted`, for text of ours: separators, tags. Anything that can't be quoted becomes `?`.
pub fn quoted(out: &mut Vec<u8>, value: &str) {
    out.push(b'"');
    for &octet in value.as_bytes() {
        match NEEDS[usize::from(octet)] {
            PLAIN => out.push(octet),
            ESCAPED => out.extend_from_slice(&[b'\\', octet]),
            _ => out.push(b'?'),
        }
    }
    out.push(b'"');
}

/// `{n}` CRLF: so many octets of the caller's follow.
pub fn literal_head(out: &mut Vec<u8>, size: u64) {
    out.push(b'{');
    number(out, size);
    out.extend_from_slice(b"}\r\n");
}

/// `~{n}` CRLF: so many octets of the caller's follow, NUL among them perhaps (RFC 3516).
pub fn literal8_head(out: &mut Vec<u8>, size: u64) {
    out.push(b'~');
    literal_head(out, size);
}

fn literal(out: &mut Vec<u8>, value: &[u8]) {
    literal_head(out, value.len() as u64);
    let start = out.len();
    out.extend_from_slice(value);
    if memchr::memchr(0, value).is_some() {
        let written = out.get_mut(start..).unwrap_or_default();
        written.iter_mut().filter(|octet| **octet == 0).for_each(|octet| *octet = b'?');
    }
}

fn escape(out: &mut Vec<u8>, value: &[u8]) {
    out.reserve(value.len() + 8);
    for &octet in value {
        if NEEDS[usize::from(octet)] == ESCAPED {
            out.push(b'\\');
        }
        out.push(octet);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cursor::Cursor;
    use crate::limits::Limits;
    use proptest::prelude::*;

    fn written(value: &[u8], mode: TextMode) -> Vec<u8> {
        let mut out = Vec::new();
        string(&mut out, value, mode);
        out
    }

    #[test]
    fn each_string_gets_the_form_that_it_needs() {
        let rev1 = |value: &[u8]| written(value, TextMode::Utf7);
        assert_eq!(rev1(b""), b"\"\"");
        assert_eq!(rev1(b"a b"), b"\"a b\"");
        assert_eq!(rev1(b"a\"b\\c\t"), b"\"a\\\"b\\\\c\t\"");
        assert_eq!(rev1(b"a\r\nb"), b"{4}\r\na\r\nb");
        assert_eq!(rev1(b"a\0\0b"), b"{4}\r\na??b");
        assert_eq!(rev1("\u{e4}".as_bytes()), b"{2}\r\n\xc3\xa4");
        assert_eq!(written("\u{e4}".as_bytes(), TextMode::Utf8), b"\"\xc3\xa4\"");
        assert_eq!(written(b"\xff", TextMode::Utf8), b"{1}\r\n\xff");
        assert!(rev1(&[b'x'; LONGEST_QUOTED]).starts_with(b"\"x"));
        assert!(rev1(&[b'x'; LONGEST_QUOTED + 1]).starts_with(b"{1001}\r\nx"));
    }

    #[test]
    fn the_other_forms() {
        let mut out = Vec::new();
        nstring(&mut out, None, TextMode::Utf7);
        for value in ["abc", "NIL", "a]", "", "a b", "a*", "nil"] {
            out.push(b' ');
            astring(&mut out, value.as_bytes(), TextMode::Utf7);
        }
        out.push(b' ');
        quoted(&mut out, "/\"\\\r\u{e4}");
        assert_eq!(String::from_utf8(out).unwrap(), "NIL abc \"NIL\" a] \"\" \"a b\" \"a*\" \"nil\" \"/\\\"\\\\???\"");
        let mut heads = Vec::new();
        literal_head(&mut heads, 0);
        literal8_head(&mut heads, u64::MAX);
        assert_eq!(heads, b"{0}\r\n~{18446744073709551615}\r\n");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value in prop::collection::vec(1u8..=255, 0..40), utf8 in any::<bool>()) {
            let limits = Limits::default();
            let mode = if utf8 { TextMode::Utf8 } else { TextMode::Utf7 };
            for write in [string, astring] {
                let mut wire = Vec::new();
                write(&mut wire, &value, mode);
                wire.push(b' ');
                let mut cursor = Cursor::new(&wire, &limits);
                prop_assert_eq!(cursor.text("text"), Ok(value.clone()));
                prop_assert_eq!(cursor.rest(), b" ");
            }
        }
    }
}
