//! The fields of a raw header, one after the other (RFC 5322 section 2.2).
//!
//! Lines end with CRLF or LF. What is not a field (a line without a colon) is given out as a [`Field`] with an empty
//! name, so that a header put together again from its fields is the same octets. Nothing here fails.

use memchr::memchr;

/// One field as it stands in the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// What stands before the colon, without white space; empty if the line is no field.
    pub name: &'a [u8],
    /// What stands behind the colon, folded, up to the line end; [`unfold`] makes one line of it.
    pub value: &'a [u8],
    /// The whole field, its line end included.
    pub raw: &'a [u8],
}

impl Field<'_> {
    /// Whether the field has this name, in whatever case.
    pub fn is(&self, name: &[u8]) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// The fields of `header`, up to its empty line or its end.
pub fn fields(header: &[u8]) -> Fields<'_> {
    Fields { rest: header }
}

/// See [`fields`].
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        if self.rest.is_empty() || empty_line(self.rest).is_some() {
            return None;
        }
        let mut end = line_length(self.rest);
        while matches!(self.rest.get(end), Some(b' ' | b'\t')) {
            end += self.rest.get(end..).map_or(0, line_length);
        }
        let (raw, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        Some(field(raw))
    }
}

/// The fields called (`Pick::Only`) or not called (`Pick::Except`) one of `names`, verbatim and in their order, with the
/// empty line behind them if the header has one (RFC 3501 section 6.4.5, `HEADER.FIELDS`).
pub fn select<N: AsRef<[u8]>>(header: &[u8], pick: Pick, names: &[N]) -> Vec<u8> {
    let mut chosen = Vec::new();
    let mut iter = fields(header);
    for field in iter.by_ref() {
        let named = names.iter().any(|name| !name.as_ref().is_empty() && field.is(name.as_ref()));
        if named == (pick == Pick::Only) {
            chosen.extend_from_slice(field.raw);
        }
    }
    if let Some(length) = empty_line(iter.rest) {
        chosen.extend_from_slice(iter.rest.get(..length).unwrap_or_default());
    }
    chosen
}

/// Which fields [`select`] takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// Those that are named: `HEADER.FIELDS`.
    Only,
    /// All others: `HEADER.FIELDS.NOT`.
    Except,
}

/// The value of the first field called `name`, as one line.
pub fn find(header: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    fields(header).find(|field| field.is(name)).map(|field| unfold(field.value))
}

/// One line of a folded value: line ends go, the white space behind them stays, that around the value goes.
pub fn unfold(value: &[u8]) -> Vec<u8> {
    let mut line: Vec<u8> = Vec::with_capacity(value.len());
    for part in value.split(|&b| b == b'\n') {
        line.extend_from_slice(part.strip_suffix(b"\r").unwrap_or(part));
    }
    let end = line.iter().rposition(|&b| !blank(b)).map_or(0, |at| at + 1);
    line.truncate(end);
    let start = line.iter().position(|&b| !blank(b)).unwrap_or(0);
    line.drain(..start);
    line
}

/// The length of the empty line that `text` begins with.
fn empty_line(text: &[u8]) -> Option<usize> {
    match text {
        [b'\n', ..] => Some(1),
        [b'\r', b'\n', ..] => Some(2),
        _ => None,
    }
}

fn line_length(text: &[u8]) -> usize {
    memchr(b'\n', text).map_or(text.len(), |at| at + 1)
}

fn field(raw: &[u8]) -> Field<'_> {
    let Some((name, value)) = memchr(b':', raw).and_then(|at| Some((raw.get(..at)?, raw.get(at + 1..)?))) else {
        return Field { name: &[], value: raw, raw };
    };
    let name = name.trim_ascii_end();
    // White space inside means that the colon is not that of a field name.
    if name.iter().any(|&b| b <= b' ' || b == 127) {
        return Field { name: &[], value: raw, raw };
    }
    Field { name, value, raw }
}

fn blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEADER: &[u8] = b"Subject: one\r\n two\r\nFrom : ann@example.org\nno field\r\nTO:b\r\n\r\nBody: x\r\n";

    #[test]
    fn fields_in_their_order() {
        let names: Vec<&[u8]> = fields(HEADER).map(|field| field.name).collect();
        assert_eq!(names, [&b"Subject"[..], b"From", b"", b"TO"]);
        assert_eq!(fields(HEADER).next().unwrap().raw, b"Subject: one\r\n two\r\n");
    }

    #[test]
    fn find_unfolds() {
        assert_eq!(find(HEADER, b"SUBJECT").unwrap(), b"one two");
        assert_eq!(find(HEADER, b"to").unwrap(), b"b");
        assert_eq!(find(HEADER, b"Body"), None);
        assert_eq!(find(b"A:\r\n\tx \r\n", b"a").unwrap(), b"x");
        assert_eq!(find(b"A: \r\n", b"a").unwrap(), b"");
    }

    #[test]
    fn selection_is_verbatim_and_ends_with_the_empty_line() {
        assert_eq!(select(HEADER, Pick::Only, &["to", "SUBJECT", "x"]), b"Subject: one\r\n two\r\nTO:b\r\n\r\n");
        assert_eq!(select(HEADER, Pick::Except, &["to", "subject"]), b"From : ann@example.org\nno field\r\n\r\n");
        assert_eq!(select(HEADER, Pick::Only, &["x"]), b"\r\n");
        assert_eq!(select(b"A: b\r\n", Pick::Only, &["a"]), b"A: b\r\n", "no empty line where there is none");
        assert_eq!(select(b"", Pick::Only, &["a"]), b"");
    }

    proptest! {
        #[test]
        fn a_header_is_the_sum_of_its_fields(header in proptest::collection::vec(
            prop_oneof![Just(b'\r'), Just(b'\n'), Just(b' '), Just(b':'), Just(b'a'), any::<u8>()], 0..60)) {
            let none: [&[u8]; 0] = [];
            let all = select(&header, Pick::Except, &none);
            prop_assert!(header.starts_with(&all));
            let sum: usize = fields(&header).map(|field| field.raw.len()).sum();
            prop_assert!(all.len() - sum <= 2);
        }
    }
}
