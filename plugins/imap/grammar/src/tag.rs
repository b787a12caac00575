//! The tag in front of each command.

use crate::chars;
use std::fmt;

/// A tag as the client chose it: printable ASCII, so that it may stand in a response and in a log.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Tag(Box<str>);

impl Tag {
    /// Takes a tag if it is one: `1*<any ASTRING-CHAR except "+">` (RFC 9051 section 9).
    pub fn new(bytes: &[u8]) -> Option<Tag> {
        if bytes.is_empty() || !bytes.iter().all(|&b| chars::is_tag(b)) {
            return None;
        }
        std::str::from_utf8(bytes).ok().map(|text| Tag(text.into()))
    }

    /// The tag's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_the_grammar_allows() {
        for good in ["a", "A0001", "a]b", "x.y-z", "}", "1"] {
            assert_eq!(Tag::new(good.as_bytes()).unwrap().as_str(), good);
        }
        for bad in ["", "+", "a+", "a b", "a*", "a%", "a\"", "a\\", "a(", "a)", "a{", "\u{fc}", "a\x7f", "a\0", "a\r\n"]
        {
            assert_eq!(Tag::new(bad.as_bytes()), None, "{bad:?}");
        }
    }
}
