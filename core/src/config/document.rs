//! Taking a RON document apart into named pieces that remember where they stand.
//!
//! A piece is parsed again by itself, and the places in its errors are moved to where it stands in the file. Two equal keys
//! are both seen here; RON's maps would silently drop one. A map or list has at most [`MAX_ENTRIES`] entries.

use super::report::Problems;
use dovetail_abi::{
    kernel_v1::{Diagnostic, Section, Severity},
    place, wording,
};
use ron::{extensions::Extensions, value::RawValue};
use serde::{
    de::{DeserializeOwned, Deserializer, Error as _, MapAccess, Visitor},
    Deserialize,
};
use std::{collections::BTreeMap, fmt, marker::PhantomData};

/// More listeners, instances or names than this are an error in the file, not a wish.
pub const MAX_ENTRIES: usize = 1000;

/// A text with its place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The file's name, as the operator gave it.
    pub file: String,
    /// Line of the first character, from 1.
    pub line: u32,
    /// Column of the first character, from 1.
    pub column: u32,
    /// The text.
    pub text: String,
}

/// A piece under a name.
#[derive(Debug, Clone)]
pub struct Named {
    /// The name.
    pub name: String,
    /// The piece.
    pub piece: Piece,
}

impl Piece {
    /// A whole file.
    pub fn file(file: &str, text: String) -> Self {
        Piece { file: file.to_owned(), line: 1, column: 1, text }
    }

    /// An empty section that stands nowhere.
    pub fn empty() -> Self {
        Piece { file: String::new(), line: 1, column: 1, text: "()".to_owned() }
    }

    /// A diagnostic at this piece.
    pub fn diagnostic(&self, message: impl Into<String>, help: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            file: self.file.clone(),
            line: self.line,
            column: self.column,
            message: message.into(),
            help: help.into(),
        }
    }

    /// The piece as a plugin gets it.
    pub fn section(&self) -> Section {
        Section { file: self.file.clone(), line: self.line, column: self.column, text: self.text.clone() }
    }

    /// Reads the piece as a value.
    pub fn parse<T: DeserializeOwned>(&self, problems: &mut Problems) -> Option<T> {
        match options().from_str(&self.text) {
            Ok(value) => Some(value),
            Err(error) => {
                problems.0.push(self.at(&error));
                None
            }
        }
    }

    /// Takes a struct `(a: 1)` or a map `{"a": 1}` apart. An equal key a second time is a problem.
    pub fn entries(&self, problems: &mut Problems) -> Vec<Named> {
        let pairs: Pairs<'_> = match options().from_str(&self.text) {
            Ok(pairs) => pairs,
            Err(error) => {
                problems.0.push(self.at(&error));
                return Vec::new();
            }
        };
        let mut named: Vec<Named> = Vec::new();
        let mut reader = Reader { piece: self, offset: 0, line: self.line, column: self.column };
        for (name, raw) in pairs.0 {
            let piece = reader.inner(raw);
            if let Some(first) = named.iter().find(|other| other.name == name) {
                let message = format!("`{name}` is given twice, first at line {}", first.piece.line);
                problems.0.push(piece.diagnostic(message, "remove one of them"));
                continue;
            }
            named.push(Named { name, piece });
        }
        named
    }

    fn at(&self, error: &ron::error::SpannedError) -> Diagnostic {
        let (message, help) = said(&error.code);
        let (line, column) = place::token(&self.text, error.span.start.line, error.span.start.col);
        // Only the first line of the piece begins somewhere else than a line of the file.
        let column = if line == 1 { column.saturating_add(self.column.saturating_sub(1)) } else { column };
        Diagnostic { line: line.saturating_add(self.line.saturating_sub(1)), column, ..self.diagnostic(message, help) }
    }
}

/// What is wrong and what to do; RON's own words are for programmers.
fn said(error: &ron::Error) -> (String, String) {
    match error {
        ron::Error::NoSuchStructField { expected, found, .. } => wording::no_such_option(found, expected),
        ron::Error::MissingStructField { field, .. } => wording::missing_option(field),
        ron::Error::NoSuchEnumVariant { expected, found, .. } => wording::no_such_choice(found, expected),
        ron::Error::Eof => wording::ends_early(),
        ron::Error::ExpectedStringEnd => wording::open_string(),
        ron::Error::ExpectedComma => wording::no_comma(),
        ron::Error::TrailingCharacters => wording::goes_on(),
        ron::Error::ExceededRecursionLimit => wording::too_deep(),
        other => (other.to_string(), String::new()),
    }
}

/// Walks over a piece once, from one inner piece to the next.
struct Reader<'a> {
    piece: &'a Piece,
    offset: usize,
    line: u32,
    column: u32,
}

impl Reader<'_> {
    /// The piece that a raw value, borrowed from the text behind the one before, is.
    fn inner(&mut self, raw: &RawValue) -> Piece {
        let text = raw.get_ron();
        let skipped = text.len() - text.trim_start().len();
        let offset = text.as_ptr() as usize - self.piece.text.as_ptr() as usize + skipped;
        let passed = &self.piece.text[self.offset..offset];
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        match passed.rsplit_once('\n') {
            Some((lines, last)) => {
                self.line = self.line.saturating_add(number(lines.matches('\n').count() + 1));
                self.column = number(last.chars().count() + 1);
            }
            None => self.column = self.column.saturating_add(number(passed.chars().count())),
        }
        self.offset = offset;
        Piece { file: self.piece.file.clone(), line: self.line, column: self.column, text: text.trim().to_owned() }
    }
}

/// The same reading rules everywhere: `Some` may be left out.
fn options() -> ron::Options {
    ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME)
}

/// What is said of a map with more than [`MAX_ENTRIES`].
struct TooMany;

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "too many entries; {MAX_ENTRIES} is the limit")
    }
}

/// Reads a map in which a name that is given twice is an error, not the end of the first. For `deserialize_with`.
///
/// # Errors
/// Names the key.
pub fn unique<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<BTreeMap<String, T>, D::Error> {
    struct Unique<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Unique<T> {
        type Value = BTreeMap<String, T>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("`{\"name\": value, ...}`")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut read = BTreeMap::new();
            while let Some((name, value)) = map.next_entry::<String, T>()? {
                if read.len() == MAX_ENTRIES {
                    return Err(A::Error::custom(TooMany));
                }
                if read.contains_key(&name) {
                    return Err(A::Error::custom(format_args!("`{name}` is given twice; remove one of them")));
                }
                read.insert(name, value);
            }
            Ok(read)
        }
    }
    from.deserialize_map(Unique(PhantomData))
}

/// All entries of a struct or map, in order, equal keys included.
struct Pairs<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairsVisitor<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for PairsVisitor<'a> {
            type Value = Pairs<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`(name: value, ...)` or `{\"name\": value, ...}`")
            }
            fn visit_unit<E>(self) -> Result<Pairs<'a>, E> {
                Ok(Pairs(Vec::new()))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'a>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    if pairs.len() == MAX_ENTRIES {
                        return Err(A::Error::custom(TooMany));
                    }
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_any(PairsVisitor(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> (Vec<Named>, Problems) {
        let mut problems = Problems::default();
        let named = Piece::file("t.ron", text.to_owned()).entries(&mut problems);
        (named, problems)
    }

    #[test]
    fn structs_and_maps_come_apart_with_positions() {
        let (named, problems) = entries("(\n  a: 1,\n  // why\n  b: { \"x\": (y: [1, 2]), },\n)");
        assert!(problems.0.is_empty(), "{problems}");
        assert_eq!(named[0].piece, Piece { file: "t.ron".into(), line: 2, column: 6, text: "1".into() });
        let mut problems = Problems::default();
        let inner = named[1].piece.entries(&mut problems);
        assert_eq!((inner[0].name.as_str(), inner[0].piece.line, inner[0].piece.column), ("x", 4, 13));
        assert_eq!(inner[0].piece.entries(&mut problems)[0].piece.text, "[1, 2]");
    }

    #[test]
    fn an_equal_key_is_reported_with_both_places() {
        let (named, problems) = entries("{\n \"a\": 1,\n \"a\": 2,\n}");
        assert_eq!(named.len(), 1);
        assert_eq!(problems.to_string(), "t.ron:3:7: error: `a` is given twice, first at line 2 (remove one of them)");
    }

    #[test]
    fn endless_entries_are_cut_off() {
        let (named, problems) = entries(&format!("({})", "a: 1, ".repeat(MAX_ENTRIES + 1)));
        assert!(named.is_empty() && problems.to_string().contains("too many entries; 1000 is the limit"), "{problems}");
        let many: String = (0..MAX_ENTRIES).map(|i| format!("a{i}: 1, ")).collect();
        assert_eq!(entries(&format!("({many})")).0.len(), MAX_ENTRIES);
    }

    #[test]
    fn a_syntax_error_has_its_place() {
        let (_, problems) = entries("(\n a: 1\n b: 2)");
        assert!(problems.to_string().starts_with("t.ron:3:"), "{problems}");
    }

    #[test]
    fn a_value_of_another_kind_is_where_it_stands() {
        let (named, mut problems) = entries("(\n  // three\n  a:  3)");
        assert_eq!(named[0].piece.parse::<String>(&mut problems), None);
        assert_eq!(problems.to_string(), "t.ron:3:7: error: Expected string");
    }

    #[test]
    fn mistakes_are_told_in_the_operators_words() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields, rename = "a thing")]
        #[allow(dead_code)]
        struct Thing {
            mode: Mode,
        }
        #[derive(Debug, Deserialize)]
        enum Mode {
            Fast,
            Slow,
        }
        for (text, expected) in [
            ("(mode: Fast, mod: 1)", "1:14: error: there is no option `mod` (options are: mode)"),
            ("()", "1:2: error: `mode` is missing (add it)"),
            ("(mode: Fat)", "1:8: error: there is no choice `Fat` (choices are: Fast, Slow)"),
            ("(mode: ", "1:7: error: the text ends too early (a bracket before this is not closed)"),
            ("(mode: Fast", "1:8: error: Expected comma (or the bracket that closes what is open here)"),
            (
                "(mode: Fast))",
                "1:13: error: the text goes on behind its end (remove it, or look for a bracket too many before this)",
            ),
        ] {
            let mut problems = Problems::default();
            assert!(Piece::file("t.ron", text.to_owned()).parse::<Thing>(&mut problems).is_none(), "{text}");
            assert_eq!(problems.to_string(), format!("t.ron:{expected}"), "{text}");
        }
    }

    #[test]
    fn an_empty_struct_has_no_entries() {
        let (named, problems) = entries("()");
        assert!(named.is_empty() && problems.0.is_empty(), "{problems}");
    }
}
