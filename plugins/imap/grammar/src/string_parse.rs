//! Reading strings: `astring`, `quoted`, `literal` (RFC 9051 section 4.3).
//!
//! A string is borrowed from the command where it can be; only escapes make a copy necessary.

use crate::chars;
use crate::cursor::{Cursor, Parsed};
use crate::error::ErrorKind;
use crate::literal;
use crate::mailbox::Mailbox;
use std::borrow::Cow;

impl<'a> Cursor<'a> {
    /// `astring`: a run of plain octets, a quoted string, or a literal.
    pub(crate) fn astring(&mut self, limit: usize, what: &'static str) -> Parsed<Cow<'a, [u8]>> {
        match self.peek() {
            Some(b'"' | b'{') => self.string(limit, what),
            _ => self.run(chars::is_astring, limit, what).map(Cow::Borrowed),
        }
    }

    /// A user name, a search string: an `astring` within the general limit.
    pub(crate) fn text(&mut self, what: &'static str) -> Parsed<Vec<u8>> {
        self.astring(self.limits.string, what).map(Cow::into_owned)
    }

    /// A mailbox name.
    pub(crate) fn mailbox(&mut self) -> Parsed<Mailbox> {
        self.astring(self.limits.mailbox, "a mailbox name").map(|name| Mailbox::new(name.into_owned()))
    }

    /// `string`: quoted or literal.
    pub(crate) fn string(&mut self, limit: usize, what: &'static str) -> Parsed<Cow<'a, [u8]>> {
        match self.peek() {
            Some(b'"') => self.quoted(limit, what),
            Some(b'{') => self.literal(limit, what).map(Cow::Borrowed),
            _ => Err(self.expected(what)),
        }
    }

    /// `quoted`. UTF-8 is taken whether enabled or not: clients send it, and it can't be misread.
    fn quoted(&mut self, limit: usize, what: &'static str) -> Parsed<Cow<'a, [u8]>> {
        self.expect(b'"', what)?;
        let rest = self.rest();
        // Each octet of the string takes two at most; two more tell a string that is too long from one that ends.
        let window = rest.get(..limit.saturating_mul(2).saturating_add(2)).unwrap_or(rest);
        let mut end = 0;
        let mut escapes = 0;
        loop {
            let from = window.get(end..).unwrap_or_default();
            end += match memchr::memchr2(b'"', b'\\', from) {
                Some(found) => found,
                None if window.len() < rest.len() => return Err(ErrorKind::TooLong { what, limit }),
                None => return Err(self.expected("a quoted string that ends on its line")),
            };
            match (window.get(end), window.get(end + 1)) {
                (Some(b'"'), _) => break,
                (_, Some(b'"' | b'\\')) => (end, escapes) = (end + 2, escapes + 1),
                _ => return Err(self.expected("a quoted string with \\ only before \" and \\")),
            }
        }
        let inner = rest.get(..end).unwrap_or_default();
        if end - escapes > limit {
            return Err(ErrorKind::TooLong { what, limit });
        }
        if inner.iter().any(|octet| matches!(octet, 0 | b'\r' | b'\n')) || std::str::from_utf8(inner).is_err() {
            return Err(self.expected("a quoted string of UTF-8 on one line"));
        }
        self.advance(end + 1);
        if escapes == 0 {
            return Ok(Cow::Borrowed(inner));
        }
        // As large as needed from the start: growing would leave pieces of a password behind.
        let mut plain = Vec::with_capacity(inner.len());
        let mut octets = inner.iter();
        while let Some(&octet) = octets.next() {
            let octet = if octet == b'\\' { octets.next().copied().unwrap_or(octet) } else { octet };
            plain.push(octet);
        }
        Ok(Cow::Owned(plain))
    }

    /// `literal`, its octets inlined behind the mark's CRLF.
    fn literal(&mut self, limit: usize, what: &'static str) -> Parsed<&'a [u8]> {
        let rest = self.rest();
        // `{`, twenty digits, `+}`.
        let line = rest.get(..24).unwrap_or(rest);
        let end = memchr::memchr(b'\r', line).ok_or_else(|| self.expected("a literal"))?;
        let (mark, octets) = rest.split_at(end);
        let size = match (literal::shape(mark), octets.strip_prefix(b"\r\n")) {
            (Some((b"", digits, _)), Some(octets)) => literal::size(digits).map(|size| (size, octets)),
            _ => None,
        };
        let (size, octets) = size.ok_or_else(|| self.expected("a literal"))?;
        if size > limit as u64 {
            return Err(ErrorKind::TooLong { what, limit });
        }
        self.literals += 1;
        if self.literals > self.limits.literals {
            return Err(ErrorKind::TooMany { what: "literals", limit: self.limits.literals });
        }
        let Some(octets) = usize::try_from(size).ok().and_then(|size| octets.get(..size)) else {
            return Err(self.expected("all octets of a literal"));
        };
        if memchr::memchr(0, octets).is_some() {
            return Err(self.expected("a literal without NUL"));
        }
        self.advance(end + 2 + octets.len());
        Ok(octets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use proptest::prelude::*;

    fn with<T>(input: &[u8], read: impl FnOnce(&mut Cursor<'_>) -> T) -> T {
        let limits = Limits { string: 20, literals: 1, ..Limits::default() };
        read(&mut Cursor::new(input, &limits))
    }

    fn text(input: &[u8]) -> Parsed<(Vec<u8>, usize)> {
        with(input, |cursor| Ok((cursor.text("text")?, cursor.rest().len())))
    }

    #[test]
    fn strings_of_each_kind() {
        assert_eq!(text(b"plain] rest"), Ok((b"plain]".to_vec(), 5)));
        assert_eq!(text(b"\"a \\\"b\\\\\" rest"), Ok((b"a \"b\\".to_vec(), 5)));
        assert_eq!(text(b"\"\""), Ok((vec![], 0)));
        assert_eq!(text("\"\u{e4}\"".as_bytes()), Ok(("\u{e4}".into(), 0)));
        assert_eq!(text(b"{3}\r\na\r\n)"), Ok((b"a\r\n".to_vec(), 1)));
        assert_eq!(text(b"{3+}\r\n\xff\"{"), Ok((b"\xff\"{".to_vec(), 0)));
        assert_eq!(text(b"{0}\r\n"), Ok((vec![], 0)));
        // No literal8: only APPEND's message may be one.
        assert_eq!(text(b"~{1}\r\na"), Ok((b"~".to_vec(), 6)));
    }

    #[test]
    fn strings_that_are_none() {
        for bad in [
            &b""[..],
            b" a",
            b"(",
            b"*",
            b"\xc3\xa4",
            b"\"open",
            b"\"bad \\n escape\"",
            b"\"open\\",
            b"\"open\\\"",
            b"\"a\rb\"",
            b"\"a\nb\"",
            b"\"a\0b\"",
            b"\"\xff\"",
            b"{3}",
            b"{3}\r\nab",
            b"{3}\nabc",
            b"{3} \r\nabc",
            b"{}\r\n",
            b"{-1}\r\n",
            b"{1}\r\n\0",
            b"{99999999999999999999999}\r\na",
        ] {
            assert!(matches!(text(bad), Err(ErrorKind::Expected { .. })), "{bad:?}");
        }
    }

    #[test]
    fn limits_hold() {
        let long = |input: String| matches!(text(input.as_bytes()), Err(ErrorKind::TooLong { limit: 20, .. }));
        for (length, refused) in [(20, false), (21, true), (60, true)] {
            let plain = "x".repeat(length);
            assert_eq!(long(plain.clone()), refused);
            assert_eq!(long(format!("\"{plain}\"")), refused);
            assert_eq!(long(format!("\"{}\"", "\\\"".repeat(length))), refused);
            assert_eq!(long(format!("{{{length}}}\r\n{plain}")), refused);
        }
        let two = with(b"{1}\r\na{1}\r\nb", |cursor| cursor.text("a").and_then(|_| cursor.text("b")));
        assert_eq!(two, Err(ErrorKind::TooMany { what: "literals", limit: 1 }));
    }

    proptest! {
        #[test]
        fn quoted_strings_come_back(value in "\\PC{0,20}") {
            let limits = Limits::default();
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
            let wire = format!("\"{escaped}\"");
            prop_assert_eq!(Cursor::new(wire.as_bytes(), &limits).text("text"), Ok(value.into_bytes()));
        }

        #[test]
        fn never_panics(input in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = text(&input);
        }
    }
}
