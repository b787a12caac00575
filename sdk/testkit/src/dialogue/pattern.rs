//! Patterns of server lines, and the escapes of scripts.

use std::fmt;

/// A line with places for any text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    source: String,
    /// What stands between the stars; never empty.
    parts: Vec<Vec<u8>>,
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl Pattern {
    pub(super) fn parse(source: &str) -> Result<Self, String> {
        let mut parts = vec![Vec::new()];
        let mut rest = source.chars();
        while let Some(next) = next_token(&mut rest)? {
            match (next, parts.last_mut()) {
                (Token::Star, _) => parts.push(Vec::new()),
                (Token::Octet(octet), Some(part)) => part.push(octet),
                (Token::Char(char), Some(part)) => push_char(part, char),
                (_, None) => {}
            }
        }
        Ok(Pattern { source: source.to_owned(), parts })
    }

    pub(super) fn matches(&self, line: &[u8]) -> bool {
        let Some((first, others)) = self.parts.split_first() else {
            return line.is_empty();
        };
        let Some(mut rest) = line.strip_prefix(first.as_slice()) else {
            return false;
        };
        let Some((last, between)) = others.split_last() else {
            return rest.is_empty();
        };
        for part in between {
            match find(rest, part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        rest.ends_with(last)
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    if part.is_empty() {
        return Some(0);
    }
    text.windows(part.len()).position(|window| window == part)
}

/// Resolves escapes; a star is a star.
pub(super) fn unescape(source: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(source.len());
    let mut rest = source.chars();
    while let Some(next) = next_token(&mut rest)? {
        match next {
            Token::Star => bytes.push(b'*'),
            Token::Octet(octet) => bytes.push(octet),
            Token::Char(char) => push_char(&mut bytes, char),
        }
    }
    Ok(bytes)
}

enum Token {
    Star,
    Octet(u8),
    Char(char),
}

fn next_token(rest: &mut std::str::Chars<'_>) -> Result<Option<Token>, String> {
    let Some(char) = rest.next() else {
        return Ok(None);
    };
    if char == '*' {
        return Ok(Some(Token::Star));
    }
    if char != '\\' {
        return Ok(Some(Token::Char(char)));
    }
    let octet = match rest.next() {
        Some('r') => b'\r',
        Some('n') => b'\n',
        Some('t') => b'\t',
        Some('0') => 0,
        Some('\\') => b'\\',
        Some('*') => b'*',
        Some('x') => {
            let mut digit =
                || rest.next().and_then(|char| char.to_digit(16)).and_then(|digit| u8::try_from(digit).ok());
            match (digit(), digit()) {
                (Some(high), Some(low)) => high * 16 + low,
                _ => return Err("`\\x` needs two hexadecimal digits".to_owned()),
            }
        }
        Some(other) => return Err(format!("`\\{other}` is no escape: write \\r \\n \\t \\0 \\\\ \\* or \\xHH")),
        None => return Err("the line ends within an escape: write \\\\ for a backslash".to_owned()),
    };
    Ok(Some(Token::Octet(octet)))
}

fn push_char(bytes: &mut Vec<u8>, char: char) {
    bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(pattern: &str, line: &[u8]) -> bool {
        Pattern::parse(pattern).unwrap().matches(line)
    }

    #[test]
    fn a_line_without_stars_is_exact() {
        assert!(matches("250 OK", b"250 OK"));
        assert!(!matches("250 OK", b"250 OK "));
        assert!(!matches("250 OK", b"1250 OK"));
        assert!(matches("", b"") && !matches("", b" "));
    }

    #[test]
    fn stars_stand_for_any_text() {
        assert!(matches("250 *", b"250 ") && matches("250 *", b"250 OK"));
        assert!(matches("*OK*", b"OK") && matches("*OK*", b"+OK then"));
        assert!(matches("a*b*c", b"axbxbc") && !matches("a*b*c", b"axc"));
        assert!(!matches("ab*b", b"ab"), "the parts do not overlap");
        assert!(matches("**", b""));
    }

    #[test]
    fn escapes_are_octets() {
        assert!(matches("\\* \\\\\\x41\\xff", b"* \\A\xff"));
        assert!(!matches("\\*", b"x"));
        assert_eq!(unescape("\\r\\n\\t\\0*\\*é").unwrap(), "\r\n\t\0**é".as_bytes());
        for bad in ["\\", "\\x", "\\x4", "\\x4g", "\\y"] {
            assert!(unescape(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_line_matches_its_own_escapes(line in proptest::collection::vec(any::<u8>(), 0..40)) {
            let escaped: String = line.iter().map(|octet| format!("\\x{octet:02x}")).collect();
            prop_assert!(matches(&escaped, &line));
            let starred = format!("*{escaped}*");
            prop_assert!(matches(&starred, &line));
        }

        #[test]
        fn stars_agree_with_the_plain_definition(pattern in "[ab*]{0,8}", line in "[ab]{0,8}") {
            fn plain(pattern: &[u8], line: &[u8]) -> bool {
                match pattern.split_first() {
                    None => line.is_empty(),
                    Some((b'*', rest)) => (0..=line.len()).any(|at| plain(rest, &line[at..])),
                    Some((octet, rest)) => line.first() == Some(octet) && plain(rest, &line[1..]),
                }
            }
            prop_assert_eq!(matches(&pattern, line.as_bytes()), plain(pattern.as_bytes(), line.as_bytes()));
        }
    }
}
