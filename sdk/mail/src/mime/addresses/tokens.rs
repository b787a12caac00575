//! The lexical tokens of an address list (RFC 5322 section 3.2), whatever is broken about them.

pub(super) enum Token {
    /// White space.
    Gap,
    /// An atom, a quoted string without its quotes, or a literal with its brackets.
    Word(Vec<u8>),
    Comment(Vec<u8>),
    /// One of `<>@,;:.`
    Special(u8),
}

#[derive(Clone)]
pub(super) struct Tokens<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Tokens { text, at: 0 }
    }

    pub(super) fn next(&mut self) -> Option<Token> {
        let first = *self.text.get(self.at)?;
        self.at += 1;
        Some(match first {
            0 | b' ' | b'\t' | b'\r' | b'\n' => Token::Gap,
            b'"' => Token::Word(self.quoted()),
            b'(' => Token::Comment(self.comment()),
            b'<' | b'>' | b'@' | b',' | b';' | b':' | b'.' => Token::Special(first),
            b'[' => {
                let literal = self.run(|byte| byte == b']');
                let closed = usize::from(self.text.get(self.at) == Some(&b']'));
                self.at += closed;
                Token::Word([&b"["[..], &literal, &b"]"[..closed]].concat())
            }
            _ => {
                let rest =
                    self.run(|byte| matches!(byte, 0 | b' ' | b'\t' | b'\r' | b'\n') || b"\"(<>@,;:.[".contains(&byte));
                Token::Word([&[first][..], &rest].concat())
            }
        })
    }

    fn run(&mut self, end: impl Fn(u8) -> bool) -> Vec<u8> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|&byte| end(byte)).unwrap_or(rest.len());
        self.at += length;
        rest.iter().copied().take(length).filter(|byte| !matches!(byte, 0 | b'\r' | b'\n')).collect()
    }

    /// Up to the closing quote, or the end of the text.
    fn quoted(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        while let Some(byte) = self.byte() {
            match byte {
                b'"' => break,
                b'\\' => text.extend(self.byte()),
                0 | b'\r' | b'\n' => {}
                _ => text.push(byte),
            }
        }
        text
    }

    /// Up to the closing parenthesis; inner ones stay in the text.
    fn comment(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        let mut depth = 1_usize;
        while let Some(byte) = self.byte() {
            match byte {
                b'\\' => text.extend(self.byte()),
                0 | b'\r' | b'\n' => {}
                _ => {
                    depth = match byte {
                        b'(' => depth + 1,
                        b')' => depth - 1,
                        _ => depth,
                    };
                    if depth == 0 {
                        break;
                    }
                    text.push(byte);
                }
            }
        }
        text.trim_ascii().to_vec()
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.text.get(self.at)?;
        self.at += 1;
        Some(byte)
    }
}
