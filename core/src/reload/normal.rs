//! RON text with what has no meaning taken out, so that a new comment or another indentation is no change.
//!
//! Not a parser: text that is no RON comes out as some other text, equal for equal input, and what it is compared with was
//! found good before. RON: comments `//` and `/* */` (nested), strings, raw strings, characters.

/// The text without comments, without white space where that separates nothing, and without commas before a closing bracket.
pub fn normal(text: &str) -> String {
    let mut reader = Reader { rest: text, out: String::with_capacity(text.len()), gap: false };
    while reader.step() {}
    reader.out
}

struct Reader<'a> {
    rest: &'a str,
    out: String,
    /// White space or a comment has been passed over since the last character that was kept.
    gap: bool,
}

impl Reader<'_> {
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else {
            return false;
        };
        if first.is_whitespace() {
            self.skip(first.len_utf8());
        } else if self.rest.starts_with("//") {
            self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.skip(comment(self.rest));
        } else if let Some(length) = literal(self.rest) {
            self.keep(length);
        } else {
            if matches!(first, ')' | ']' | '}') && self.out.ends_with(',') {
                self.out.pop();
            }
            self.keep(first.len_utf8());
        }
        true
    }

    fn skip(&mut self, length: usize) {
        self.rest = self.rest.get(length..).unwrap_or_default();
        self.gap = true;
    }

    fn keep(&mut self, length: usize) {
        let (kept, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '+' | '-'));
        if self.gap && is_word(self.out.chars().next_back()) && is_word(kept.chars().next()) {
            self.out.push(' ');
        }
        self.gap = false;
        self.out.push_str(kept);
        self.rest = rest;
    }
}

/// The length of a block comment.
fn comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of the string or character that begins here.
fn literal(text: &str) -> Option<usize> {
    if let Some(body) = text.strip_prefix('"') {
        return Some(1 + quoted(body, '"'));
    }
    if let Some(body) = text.strip_prefix('\'') {
        return Some(1 + quoted(body, '\''));
    }
    let marks = text.strip_prefix('r')?;
    let body = marks.trim_start_matches('#');
    let count = marks.len() - body.len();
    let body = body.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(count));
    let length = body.find(&end).map_or(body.len(), |at| at + end.len());
    Some(text.len() - body.len() + length)
}

/// The length up to and with the closing mark; a character behind a backslash closes nothing.
fn quoted(body: &str, mark: char) -> usize {
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        if !escaped && c == mark {
            return at + c.len_utf8();
        }
        escaped = !escaped && c == '\\';
    }
    body.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn comments_white_space_and_last_commas_do_not_count() {
        let plain = "(a:1,b:[\"x\",\"y\"],c:Some(D))";
        let dressed = "( a: 1, // one\n  b: [ \"x\", \"y\", ], /* c /* nested */ */ c: Some( D ),\n)";
        assert_eq!(normal(dressed), plain);
        assert_eq!(normal(plain), plain);
    }

    #[test]
    fn what_is_quoted_counts() {
        for text in [r#"("a // b")"#, r#"("a \" /* b")"#, r##"(r#"a " // b"#)"##, "(',',)", r"('\'')", "(\"a  b\")"] {
            let inner = normal(text);
            assert_eq!(inner.replace(",)", ")"), text.replace(",)", ")"), "{text}");
        }
        assert_ne!(normal("(\"a b\")"), normal("(\"a  b\")"));
    }

    #[test]
    fn words_stay_apart() {
        assert_eq!(normal("a /**/ b"), "a b");
        assert_ne!(normal("1 2"), normal("12"));
    }

    proptest! {
        #[test]
        fn any_text_has_a_normal_form_and_that_is_its_own(text in "[a1 ,()\\[\\]\"'r#/*\\\\\n\u{e9}]{0,60}") {
            let once = normal(&text);
            prop_assert!(once.len() <= text.len());
        }

        #[test]
        fn spaces_around_brackets_change_nothing(inner in "[a-z0-9]{1,10}", gap in "[ \n\t]{0,5}") {
            prop_assert_eq!(normal(&format!("({gap}x{gap}:{gap}[{inner}{gap},{gap}]{gap})")), format!("(x:[{inner}])"));
        }
    }
}
