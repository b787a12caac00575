//! The place in a command that is being read, and the rules that many commands share.
//!
//! A plain cursor over the octets: each rule either takes what it is about or says what it expected. Nothing is tried
//! twice, so reading takes time in proportion to the command.

use crate::chars;
use crate::error::ErrorKind;
use crate::flag::Flag;
use crate::limits::Limits;
use crate::literal;
use crate::tag::Tag;

/// A rule's outcome.
pub(crate) type Parsed<T> = Result<T, ErrorKind>;

/// Where in which command we are.
pub(crate) struct Cursor<'a> {
    input: &'a [u8],
    at: usize,
    /// Literals so far.
    pub(crate) literals: usize,
    /// Ranges of sequence sets so far.
    pub(crate) ranges: usize,
    pub(crate) limits: &'a Limits,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(input: &'a [u8], limits: &'a Limits) -> Self {
        Cursor { input, at: 0, literals: 0, ranges: 0, limits }
    }

    /// How far we are.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// What is left.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.input.get(self.at..).unwrap_or_default()
    }

    /// The next octet.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.input.get(self.at).copied()
    }

    /// Takes what is left, whatever it is.
    pub(crate) fn finish(&mut self) {
        self.at = self.input.len();
    }

    /// Takes the octet if it comes next.
    pub(crate) fn eat(&mut self, octet: u8) -> bool {
        let there = self.peek() == Some(octet);
        self.at += usize::from(there);
        there
    }

    /// Takes so many octets that have been looked at, as far as they go.
    pub(crate) fn advance(&mut self, octets: usize) {
        self.at = self.at.saturating_add(octets).min(self.input.len());
    }

    /// Takes the word if it comes next, in any case.
    pub(crate) fn eat_word(&mut self, word: &[u8]) -> bool {
        let there = self.rest().get(..word.len()).is_some_and(|next| next.eq_ignore_ascii_case(word));
        self.at += if there { word.len() } else { 0 };
        there
    }

    /// The error for something else than `what`.
    pub(crate) fn expected(&self, what: &'static str) -> ErrorKind {
        ErrorKind::Expected { what, at: self.at }
    }

    /// Takes the octet, which has to come next.
    pub(crate) fn expect(&mut self, octet: u8, what: &'static str) -> Parsed<()> {
        if self.eat(octet) {
            return Ok(());
        }
        Err(self.expected(what))
    }

    /// Exactly one space (RFC 9051 section 9, note 2).
    pub(crate) fn space(&mut self) -> Parsed<()> {
        self.expect(b' ', "a space")
    }

    /// The command has to end here.
    pub(crate) fn end(&self) -> Parsed<()> {
        if self.rest().is_empty() {
            return Ok(());
        }
        Err(ErrorKind::TrailingText { at: self.at })
    }

    /// One or more octets of a class, at most `limit`.
    pub(crate) fn run(&mut self, class: fn(u8) -> bool, limit: usize, what: &'static str) -> Parsed<&'a [u8]> {
        let rest = self.rest();
        let within = rest.get(..limit.saturating_add(1)).unwrap_or(rest);
        let length = within.iter().position(|&octet| !class(octet)).unwrap_or(within.len());
        if length > limit {
            return Err(ErrorKind::TooLong { what, limit });
        }
        if length == 0 {
            return Err(self.expected(what));
        }
        self.at += length;
        Ok(rest.get(..length).unwrap_or_default())
    }

    /// The tag at the beginning, without the space behind it.
    pub(crate) fn tag(&mut self) -> Option<Tag> {
        Tag::new(self.run(chars::is_tag, self.limits.tag, "a tag").ok()?)
    }

    /// A word of the grammar: letters, digits, dots.
    pub(crate) fn word(&mut self, what: &'static str) -> Parsed<Word> {
        let is_word = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-');
        self.run(is_word, self.limits.atom, what).map(Word::new)
    }

    /// An atom, as text.
    pub(crate) fn atom(&mut self, what: &'static str) -> Parsed<&'a str> {
        let at = self.at;
        let octets = self.run(chars::is_atom, self.limits.atom, what)?;
        // Atoms are ASCII, so this can't fail.
        std::str::from_utf8(octets).map_err(|_| ErrorKind::Expected { what, at })
    }

    /// `number`, or a larger one.
    pub(crate) fn number64(&mut self, what: &'static str) -> Parsed<u64> {
        let at = self.at;
        let digits = self.run(|octet| octet.is_ascii_digit(), 20, what).ok();
        digits.and_then(literal::size).ok_or(ErrorKind::Expected { what, at })
    }

    /// `nz-number`.
    pub(crate) fn nz_number(&mut self, what: &'static str) -> Parsed<std::num::NonZeroU32> {
        let at = self.at;
        let number = self.number64(what)?;
        let number = u32::try_from(number).ok().and_then(std::num::NonZeroU32::new);
        number.ok_or(ErrorKind::Expected { what, at })
    }

    /// Items between parentheses, a space between each two.
    pub(crate) fn list<T>(
        &mut self,
        what: &'static str,
        limit: usize,
        mut item: impl FnMut(&mut Self) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        self.expect(b'(', "(")?;
        let mut items = Vec::new();
        if self.eat(b')') {
            return Ok(items);
        }
        loop {
            if items.len() >= limit {
                return Err(ErrorKind::TooMany { what, limit });
            }
            items.push(item(self)?);
            if self.eat(b')') {
                return Ok(items);
            }
            self.expect(b' ', "a space or )")?;
        }
    }

    /// [`Cursor::list`] with one item at least.
    pub(crate) fn filled_list<T>(
        &mut self,
        what: &'static str,
        limit: usize,
        item: impl FnMut(&mut Self) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        let at = self.at + 1;
        let items = self.list(what, limit, item)?;
        if items.is_empty() {
            return Err(ErrorKind::Expected { what, at });
        }
        Ok(items)
    }

    /// `flag`.
    pub(crate) fn flag(&mut self) -> Parsed<Flag> {
        if self.eat(b'\\') {
            return self.atom("a flag").map(Flag::system);
        }
        self.atom("a flag").map(|name| Flag::Keyword(name.to_owned()))
    }
}

/// A word in upper case, to be matched against the grammar's.
pub(crate) struct Word {
    octets: [u8; Word::LONGEST],
    length: usize,
}

impl Word {
    /// No word of the grammar is longer; one that is becomes empty, and so unknown.
    const LONGEST: usize = 20;

    fn new(word: &[u8]) -> Self {
        let mut octets = [0; Word::LONGEST];
        let Some(room) = octets.get_mut(..word.len()) else {
            return Word { octets, length: 0 };
        };
        room.copy_from_slice(word);
        room.make_ascii_uppercase();
        Word { octets, length: word.len() }
    }

    pub(crate) fn upper(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<T>(input: &[u8], read: impl FnOnce(&mut Cursor<'_>) -> T) -> T {
        read(&mut Cursor::new(input, &Limits::default()))
    }

    #[test]
    fn numbers_have_bounds() {
        let nz = |input: &[u8]| with(input, |cursor| cursor.nz_number("number").ok().map(u32::from));
        assert_eq!(nz(b"4294967295"), Some(u32::MAX));
        assert_eq!((nz(b"4294967296"), nz(b"0"), nz(b""), nz(b"-1")), (None, None, None, None));
        assert_eq!(with(b"9223372036854775807", |cursor| cursor.number64("n")), Ok(i64::MAX as u64));
        assert!(with(b"9223372036854775808", |cursor| cursor.number64("n")).is_err());
    }

    #[test]
    fn lists_have_single_spaces_and_limits() {
        let list =
            |input: &[u8]| with(input, |cursor| cursor.list("atoms", 3, |cursor| cursor.atom("an atom").map(str::len)));
        assert_eq!(list(b"()"), Ok(vec![]));
        assert_eq!(list(b"(a bb ccc)"), Ok(vec![1, 2, 3]));
        assert_eq!(list(b"(a a a a)"), Err(ErrorKind::TooMany { what: "atoms", limit: 3 }));
        for bad in [&b""[..], b"a", b"(", b"( a)", b"(a )", b"(a  a)", b"(a", b"(a;"] {
            assert!(matches!(list(bad), Err(ErrorKind::Expected { .. })), "{bad:?}");
        }
        let filled =
            with(b"()", |cursor| cursor.filled_list("atoms", 3, |cursor| cursor.atom("an atom").map(str::len)));
        assert_eq!(filled, Err(ErrorKind::Expected { what: "atoms", at: 1 }));
    }

    #[test]
    fn words_that_no_grammar_has_are_unknown() {
        let upper = |input: &[u8]| with(input, |cursor| cursor.word("a word").map(|word| word.upper().to_vec()));
        assert_eq!(upper(b"Body.Peek[1]"), Ok(b"BODY.PEEK".to_vec()));
        assert_eq!(upper(b"special-use)"), Ok(b"SPECIAL-USE".to_vec()));
        assert_eq!(upper(&[b'a'; 21]), Ok(vec![]));
        assert!(upper(b"[").is_err());
    }
}
