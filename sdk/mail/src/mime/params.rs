//! Tokens and parameters of MIME header fields (RFC 2045 section 5.1, RFC 2231).
//!
//! Lenient: comments and folding are passed over, a value without quotes goes up to the next semicolon, what has no name
//! is left out.

use super::summary::Param;

/// A position in the value of a field.
pub(super) struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Cursor { text, at: 0 }
    }

    /// The next token in lower case; `None` if there is none, or it is too long to be one.
    pub(super) fn token(&mut self) -> Option<String> {
        self.skip();
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|&byte| !is_token(byte)).unwrap_or(rest.len());
        self.at += length;
        let token = rest.get(..length).filter(|token| !token.is_empty() && token.len() <= MAX_TOKEN)?;
        Some(token.iter().map(|byte| char::from(byte.to_ascii_lowercase())).collect())
    }

    /// Moves past `byte` if it is next, after comments and white space.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        self.skip();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// Moves past white space and comments.
    fn skip(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                0 | b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
                b'(' => self.comment(),
                _ => break,
            }
        }
    }

    fn comment(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.next() {
            match byte {
                b'\\' => self.at += 1,
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }

    /// Moves past everything up to the next semicolon and it; whether there was one.
    fn next_param(&mut self) -> bool {
        let mut quoted = false;
        while let Some(byte) = self.next() {
            match byte {
                b'\\' if quoted => self.at += 1,
                b'"' => quoted = !quoted,
                b';' if !quoted => return true,
                _ => {}
            }
        }
        false
    }

    fn value(&mut self) -> Vec<u8> {
        self.skip();
        let mut value = Vec::new();
        if self.peek() == Some(b'"') {
            self.at += 1;
            while let Some(byte) = self.next() {
                match byte {
                    b'"' => break,
                    b'\\' => value.extend(self.next()),
                    0 | b'\r' | b'\n' => {}
                    _ => value.push(byte),
                }
            }
            return value;
        }
        while let Some(byte) = self.peek() {
            match byte {
                b';' => break,
                // A comment behind the value, `us-ascii (plain)`; a parenthesis in the middle of a word is of the value.
                b'(' if value.last().is_none_or(|&last| last == b' ' || last == b'\t') => break,
                0 | b'\r' | b'\n' => {}
                _ => value.push(byte),
            }
            self.at += 1;
        }
        let length = value.trim_ascii_end().len();
        value.truncate(length);
        value
    }
}

/// The parameters from the next semicolon on, at most `max` as written; continuations are joined.
pub(super) fn parameters(cursor: &mut Cursor<'_>, max: usize) -> Vec<Param> {
    let mut params: Vec<Param> = Vec::new();
    while params.len() < max && cursor.next_param() {
        let Some(name) = cursor.token() else { continue };
        if cursor.take(b'=') {
            let value = cursor.value();
            // A second value of the same name is a mistake or an attack on whoever reads the other one.
            if !params.iter().any(|param| param.name == name) {
                params.push(Param { name, value });
            }
        }
    }
    join(params)
}

/// Joins `name*0`, `name*1*` ... where the first of them stands (RFC 2231 section 3 and 4.1).
fn join(params: Vec<Param>) -> Vec<Param> {
    if !params.iter().any(|param| piece(&param.name).is_some_and(|(_, number, _)| number == 0)) {
        return params;
    }
    let mut joined: Vec<Param> = Vec::with_capacity(params.len());
    for param in &params {
        let Some((base, number, _)) = piece(&param.name) else {
            joined.push(param.clone());
            continue;
        };
        let begun =
            params.iter().any(|other| piece(&other.name).is_some_and(|(name, number, _)| name == base && number == 0));
        if !begun {
            joined.push(param.clone());
        } else if number == 0 {
            joined.push(whole(base, &params));
        }
    }
    joined
}

fn whole(base: &str, params: &[Param]) -> Param {
    let find = |wanted: usize| {
        params.iter().find_map(|param| {
            piece(&param.name)
                .filter(|&(name, number, _)| name == base && number == wanted)
                .map(|(_, _, extended)| (&param.value, extended))
        })
    };
    let pieces: Vec<_> = (0..).map_while(find).collect();
    if !pieces.iter().any(|&(_, extended)| extended) {
        let value = pieces.iter().flat_map(|(value, _)| value.iter().copied()).collect();
        return Param { name: base.to_owned(), value };
    }
    let mut value = Vec::new();
    for (number, (text, extended)) in pieces.into_iter().enumerate() {
        if number == 0 && !extended {
            value.extend_from_slice(b"''");
        }
        for &byte in text {
            if extended || is_attribute_char(byte) {
                value.push(byte);
            } else {
                value.extend_from_slice(format!("%{byte:02X}").as_bytes());
            }
        }
    }
    Param { name: format!("{base}*"), value }
}

/// `name`, 1 and whether it is extended, of `name*1` and `name*1*`.
fn piece(name: &str) -> Option<(&str, usize, bool)> {
    let (rest, extended) = match name.strip_suffix('*') {
        Some(rest) => (rest, true),
        None => (name, false),
    };
    let (base, number) = rest.rsplit_once('*')?;
    let canonical = number == "0" || !number.starts_with('0');
    if base.is_empty() || !canonical || number.len() > 4 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((base, number.parse().ok()?, extended))
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&byte)
}

/// What needs no percent sign in an extended value (RFC 2231 section 7).
fn is_attribute_char(byte: u8) -> bool {
    is_token(byte) && !b"*'%".contains(&byte)
}

/// Longer ones are no tokens that mean something to anybody (RFC 6838 section 4.2 allows 127).
const MAX_TOKEN: usize = 127;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> Vec<String> {
        parameters(&mut Cursor::new(text.as_bytes()), 100)
            .iter()
            .map(|param| format!("{}={}", param.name, String::from_utf8_lossy(&param.value)))
            .collect()
    }

    #[test]
    fn values() {
        assert_eq!(shown("text/plain; charset=us-ascii (Plain text); X=\"a;\\\"b\""), ["charset=us-ascii", "x=a;\"b"]);
        assert_eq!(shown("a; name=My file(1).pdf ; b = c"), ["name=My file(1).pdf", "b=c"]);
        assert_eq!(shown("a;;x;=y;z=;\r\n\tq=\"r\r\n s\""), ["z=", "q=r s"]);
        assert_eq!(shown("a; x=1; X=2; y=\"open"), ["x=1", "y=open"]);
        assert_eq!(shown("a; bad value; (c) x (d) = (e) 1"), ["x=1"]);
    }

    #[test]
    fn continuations_of_rfc2231() {
        assert_eq!(shown("a; URL*0=\"ftp://\"; URL*1=\"cs.utk.edu\""), ["url=ftp://cs.utk.edu"]);
        assert_eq!(
            shown("a; title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*0*=us-ascii'en'This%20is; title*2=\"isn't it!\"; b=c"),
            ["title*=us-ascii'en'This%20is%2A%2A%2Afun%2A%2A%2A%20isn%27t%20it!", "b=c"]
        );
        assert_eq!(shown("a; f*=utf-8''%C3%A4; f=a"), ["f*=utf-8''%C3%A4", "f=a"]);
        assert_eq!(shown("a; f*0=a; f*2=c"), ["f=a"]);
        assert_eq!(shown("a; f*1=b; f*2=c"), ["f*1=b", "f*2=c"]);
        assert_eq!(shown("a; f*0=a b; f*1*=%20"), ["f*=''a%20b%20"]);
        assert_eq!(shown("a; f*00=a; *0=b"), ["f*00=a", "*0=b"]);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_fail(text in "[a*01=;\"()\\\\ %'\u{e4}\r\n\0]{0,60}", max in 0_usize..5) {
            let params = parameters(&mut Cursor::new(text.as_bytes()), max);
            prop_assert!(params.len() <= max);
            for param in params {
                prop_assert!(!param.name.is_empty() && param.name.is_ascii());
            }
        }
    }
}
