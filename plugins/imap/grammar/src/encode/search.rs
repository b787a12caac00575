//! What `SEARCH` found: RFC 4731's ESEARCH, and IMAP4rev1's SEARCH.

use super::numbers::{number, set};
use super::strings::quoted;
use crate::ranges::RangeSet;
use crate::tag::Tag;

/// An ESEARCH response. What is none isn't written; nor is an empty `all` (RFC 4731 section 3.1).
#[derive(Clone, Copy, Debug)]
pub struct Esearch<'a> {
    /// The tag of the command that asked.
    pub tag: &'a Tag,
    /// Whether the numbers are UIDs.
    pub uid: bool,
    /// `MIN`
    pub min: Option<u32>,
    /// `MAX`
    pub max: Option<u32>,
    /// `ALL`
    pub all: Option<&'a RangeSet>,
    /// `COUNT`
    pub count: Option<u64>,
}

impl Esearch<'_> {
    /// Writes the whole line.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"* ESEARCH (TAG ");
        quoted(out, self.tag.as_str());
        out.push(b')');
        if self.uid {
            out.extend_from_slice(b" UID");
        }
        let mut item = |name: &[u8], value: Option<u64>| {
            if let Some(value) = value {
                out.extend_from_slice(name);
                number(out, value);
            }
        };
        item(b" MIN ", self.min.map(u64::from));
        item(b" MAX ", self.max.map(u64::from));
        item(b" COUNT ", self.count);
        if let Some(all) = self.all.filter(|all| !all.is_empty()) {
            out.extend_from_slice(b" ALL ");
            set(out, all);
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// The SEARCH response of IMAP4rev1, the whole line: each number by itself.
pub fn search(out: &mut Vec<u8>, numbers: impl IntoIterator<Item = u32>) {
    out.extend_from_slice(b"* SEARCH");
    for one in numbers {
        out.push(b' ');
        number(out, one);
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_of_the_rfcs() {
        let tag = Tag::new(b"A285").unwrap();
        let all: RangeSet = [2, 10, 11, 21].into_iter().collect();
        let nothing = Esearch { tag: &tag, uid: false, min: None, max: None, all: None, count: None };
        let written = |esearch: Esearch<'_>| {
            let mut out = Vec::new();
            esearch.write(&mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(written(nothing), "* ESEARCH (TAG \"A285\")\r\n");
        assert_eq!(written(Esearch { all: Some(&all), ..nothing }), "* ESEARCH (TAG \"A285\") ALL 2,10:11,21\r\n");
        let full = Esearch {
            uid: true,
            min: Some(7),
            max: Some(3800),
            count: Some(0),
            all: Some(&RangeSet::new()),
            ..nothing
        };
        assert_eq!(written(full), "* ESEARCH (TAG \"A285\") UID MIN 7 MAX 3800 COUNT 0\r\n");
        let mut out = Vec::new();
        search(&mut out, [2, 84, 882]);
        search(&mut out, []);
        assert_eq!(out, b"* SEARCH 2 84 882\r\n* SEARCH\r\n");
    }
}
