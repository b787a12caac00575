//! Lists of addresses as IMAP's envelope shows them (RFC 5322 sections 3.4 and 4.4, RFC 3501 section 7.4.2).
//!
//! Unlike [`crate::address`], which is strict because mail is routed by it, this reads whatever a From or To field holds
//! and always gives something: quotes, comments and folding are taken off, encoded-words and octets outside ASCII stay,
//! source routes are dropped (RFC 5322 section 4.4 allows it). At most [`MAX_ADDRESSES`] are given.

mod tokens;

use tokens::{Token, Tokens};

/// Addresses and group marks that one list gives at most.
pub const MAX_ADDRESSES: usize = 10_000;

/// One address or group mark of a list.
///
/// | | `name` | `mailbox` | `host` |
/// |---|---|---|---|
/// | address | display name, or the comment behind | local part | domain, empty if it has none |
/// | begin of a group | none | the name of the group | none |
/// | end of a group | none | none | none |
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedAddress {
    /// The display name.
    pub name: Option<Vec<u8>>,
    /// The local part, or the name of a group.
    pub mailbox: Option<Vec<u8>>,
    /// The domain.
    pub host: Option<Vec<u8>>,
}

/// The addresses of a From, To or similar value, which may be folded.
pub fn addresses(value: &[u8]) -> Vec<ListedAddress> {
    let mut tokens = Tokens::new(value);
    let mut list = Vec::new();
    let mut in_group = false;
    let mut words = Words::default();
    // One turn gives two at most, and the end of a group may follow.
    while list.len() < MAX_ADDRESSES - 2 {
        match tokens.next() {
            Some(Token::Special(b'<')) => words.angle = Some(angle(&mut tokens)),
            Some(Token::Special(b':')) if !in_group && !words.is_empty() && words.angle.is_none() => {
                let name = std::mem::take(&mut words).display;
                list.push(ListedAddress { name: None, mailbox: Some(name), host: None });
                in_group = true;
            }
            Some(Token::Special(b',')) => list.extend(std::mem::take(&mut words).address()),
            Some(Token::Special(b';')) => {
                list.extend(std::mem::take(&mut words).address());
                if std::mem::take(&mut in_group) {
                    list.push(ListedAddress::default());
                }
            }
            Some(token) => words.push(token),
            None => {
                list.extend(words.address());
                break;
            }
        }
    }
    if in_group {
        list.push(ListedAddress::default());
    }
    list
}

/// What was read of one address so far.
#[derive(Default)]
struct Words {
    /// As a display name or group name: a space wherever there was white space.
    display: Vec<u8>,
    /// As an address: spaces between words only, not around dots and the `@`.
    spec: Vec<u8>,
    /// Where in `spec` the `@` stands.
    at: Option<usize>,
    comment: Option<Vec<u8>>,
    gap: bool,
    /// Whether `spec` ends with a word, not with a dot or `@`.
    word: bool,
    /// What stood in `<...>`.
    angle: Option<(Vec<u8>, Vec<u8>)>,
}

impl Words {
    fn is_empty(&self) -> bool {
        self.display.is_empty()
    }

    fn push(&mut self, token: Token) {
        match token {
            Token::Gap => self.gap = true,
            Token::Comment(text) => {
                self.gap = true;
                self.comment = Some(text);
            }
            // Nothing that follows `<...>` belongs to the address, except a comment.
            _ if self.angle.is_some() => {}
            Token::Word(text) => {
                self.space();
                if self.word && self.gap {
                    self.spec.push(b' ');
                }
                self.display.extend_from_slice(&text);
                self.spec.extend_from_slice(&text);
                self.gap = false;
                self.word = true;
            }
            Token::Special(byte) => {
                self.space();
                self.display.push(byte);
                if byte == b'@' && self.at.is_none() {
                    self.at = Some(self.spec.len());
                }
                self.spec.push(byte);
                self.gap = false;
                self.word = false;
            }
        }
    }

    fn space(&mut self) {
        if self.gap && !self.display.is_empty() {
            self.display.push(b' ');
        }
    }

    fn address(self) -> Option<ListedAddress> {
        let (name, mailbox, host) = match (self.angle, self.at) {
            (Some((mailbox, host)), _) => {
                let name = if self.display.is_empty() { self.comment } else { Some(self.display) };
                (name, mailbox, host)
            }
            (None, Some(at)) => {
                let (mailbox, host) = self.spec.split_at_checked(at)?;
                (self.comment, mailbox.to_vec(), host.get(1..).unwrap_or_default().to_vec())
            }
            (None, None) if self.display.is_empty() => return None,
            (None, None) => (self.comment, self.display, Vec::new()),
        };
        Some(ListedAddress { name, mailbox: Some(mailbox), host: Some(host) })
    }
}

/// What stands between `<` and `>`, without a route; a comma ends it too, in case the `>` was forgotten.
fn angle(tokens: &mut Tokens<'_>) -> (Vec<u8>, Vec<u8>) {
    let mut words = Words::default();
    loop {
        let before = tokens.clone();
        match tokens.next() {
            // The end of a route, `@relay.example:`; what was read was the route.
            Some(Token::Special(b':')) if words.spec.first() == Some(&b'@') => words = Words::default(),
            // A comma inside a route, `@a,@b:`.
            Some(Token::Special(b',')) if words.spec.first() == Some(&b'@') => {}
            Some(Token::Special(b',' | b';')) => {
                *tokens = before;
                break;
            }
            Some(Token::Special(b'>')) | None => break,
            Some(token) => words.push(token),
        }
    }
    match words.at.and_then(|at| words.spec.split_at_checked(at)) {
        Some((mailbox, host)) => (mailbox.to_vec(), host.get(1..).unwrap_or_default().to_vec()),
        None => (words.display, Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> Vec<String> {
        let part = |part: &Option<Vec<u8>>| match part {
            Some(text) => String::from_utf8_lossy(text).into_owned(),
            None => "NIL".to_owned(),
        };
        addresses(text.as_bytes())
            .iter()
            .map(|one| format!("{}|{}|{}", part(&one.name), part(&one.mailbox), part(&one.host)))
            .collect()
    }

    #[test]
    fn plain_forms() {
        assert_eq!(shown("Terry Gray <gray@cac.washington.edu>"), ["Terry Gray|gray|cac.washington.edu"]);
        assert_eq!(shown("a@b.org, C <c@d>,\r\n\t<e@f>"), ["NIL|a|b.org", "C|c|d", "NIL|e|f"]);
        assert_eq!(shown("ann@example.org (Ann B)"), ["Ann B|ann|example.org"]);
        assert_eq!(shown(""), [""; 0]);
        assert_eq!(shown(" , ,; "), [""; 0]);
    }

    #[test]
    fn quotes_comments_and_encoded_words() {
        assert_eq!(shown("\"B, Ann \\\"x\\\"\" <ann@b>"), ["B, Ann \"x\"|ann|b"]);
        assert_eq!(shown("\"a b\"@c.org"), ["NIL|a b|c.org"]);
        assert_eq!(shown("=?utf-8?q?=C3=A4?= =?utf-8?q?b?= <a@b>"), ["=?utf-8?q?=C3=A4?= =?utf-8?q?b?=|a|b"]);
        assert_eq!(shown("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>"), ["Pete|pete|silly.test"]);
        assert_eq!(shown("John Q. Public <j@[192.0.2.1]>"), ["John Q. Public|j|[192.0.2.1]"]);
        assert_eq!(shown("Äö <a@b>"), ["Äö|a|b"]);
    }

    #[test]
    fn groups() {
        assert_eq!(shown("Undisclosed recipients:;"), ["NIL|Undisclosed recipients|NIL", "NIL|NIL|NIL"]);
        assert_eq!(
            shown("A Group:Ed Jones <c@a.test>,joe@where.test; x@y"),
            ["NIL|A Group|NIL", "Ed Jones|c|a.test", "NIL|joe|where.test", "NIL|NIL|NIL", "NIL|x|y"]
        );
        assert_eq!(shown("open: a@b"), ["NIL|open|NIL", "NIL|a|b", "NIL|NIL|NIL"]);
    }

    #[test]
    fn obsolete_and_broken_forms() {
        assert_eq!(
            shown("Mary Smith <@node.test,@b.test:mary@example.net>, , jdoe@test  . example"),
            ["Mary Smith|mary|example.net", "NIL|jdoe|test.example"]
        );
        assert_eq!(shown("ann@b.org <ann@b.org>"), ["ann@b.org|ann|b.org"]);
        assert_eq!(shown("postmaster"), ["NIL|postmaster|"]);
        assert_eq!(shown("A <a@b, c@d"), ["A|a|b", "NIL|c|d"]);
        assert_eq!(shown("<>"), ["NIL||"]);
        assert_eq!(shown("\"open <a@b>"), ["NIL|open <a@b>|"]);
        assert_eq!(shown("(open a@b"), [""; 0]);
        assert_eq!(shown("a\0b@c\0"), ["NIL|a b|c"]);
    }

    #[test]
    fn there_is_an_end_to_it() {
        for list in ["a,", "g:;", "g:a;", "g:a,"] {
            let given = addresses(&list.as_bytes().repeat(20_000)).len();
            assert!((MAX_ADDRESSES - 2..=MAX_ADDRESSES).contains(&given), "{given} of {list}");
        }
        assert!(addresses(&b"(".repeat(200_000)).is_empty());
    }

    proptest! {
        #[test]
        fn nothing_makes_it_fail(text in "[a(),;:<>@.\"\\\\ \\[\\]\u{e4}\r\n\0]{0,80}") {
            for one in addresses(text.as_bytes()) {
                prop_assert!(one.host.is_none() || one.mailbox.is_some());
                for part in [one.name, one.mailbox, one.host].into_iter().flatten() {
                    prop_assert!(!part.contains(&0) || text.contains("\\\0"));
                }
            }
        }
    }
}
