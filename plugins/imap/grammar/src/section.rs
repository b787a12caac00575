//! Which piece of a message `BODY[...]` and `BINARY[...]` mean.

/// What stands between the brackets of `BODY[...]` (RFC 9051 section 6.4.5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// Part numbers; none for the message itself.
    pub part: Vec<u32>,
    /// Which text of that part; none for all of it.
    pub text: Option<SectionText>,
}

/// The text of a message or part that a section names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SectionText {
    /// `HEADER`: all header fields, and the empty line.
    Header,
    /// `HEADER.FIELDS (...)` or `HEADER.FIELDS.NOT (...)`: some header fields, and the empty line.
    HeaderFields {
        /// All but those named.
        not: bool,
        /// The names as sent; compare without case.
        names: Vec<Vec<u8>>,
    },
    /// `TEXT`: the body without its header.
    Text,
    /// `MIME`: a part's own header. Only behind part numbers.
    Mime,
}

/// `<first.length>`: so many octets at most, from there on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partial {
    /// The first octet, counted from 0.
    pub first: u64,
    /// How many octets at most; never 0.
    pub length: u64,
}
