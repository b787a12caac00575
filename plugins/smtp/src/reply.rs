//! A reply to the client (RFC 5321 section 4.2), with its enhanced status code (RFC 2034).
//!
//! Lines of a longer reply are separated by `\n` in the text. Whatever else in a text could end a line early or is not
//! ASCII becomes `?`: a reply may quote a peer or another plugin, and must stay one reply.

use std::borrow::Cow;

use dovetail_mail::EnhancedStatus;

/// Code, enhanced status and text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    status: Option<EnhancedStatus>,
    text: Cow<'static, str>,
}

impl Reply {
    /// A reply without enhanced status: greetings, `EHLO`, `354` and `334` have none.
    pub fn bare(code: u16, text: impl Into<Cow<'static, str>>) -> Self {
        Reply { code, status: None, text: text.into() }
    }

    /// A reply that begins with an enhanced status.
    pub fn new(code: u16, status: EnhancedStatus, text: impl Into<Cow<'static, str>>) -> Self {
        debug_assert_eq!(code / 100, status.class().digit(), "RFC 2034 section 4: same first digit");
        Reply { code, status: Some(status), text: text.into() }
    }

    /// `250 2.subject.detail`.
    pub fn ok(subject: u16, detail: u16, text: impl Into<Cow<'static, str>>) -> Self {
        Reply::new(250, EnhancedStatus::success(subject, detail), text)
    }

    /// A temporary failure.
    pub fn defer(code: u16, subject: u16, detail: u16, text: impl Into<Cow<'static, str>>) -> Self {
        Reply::new(code, EnhancedStatus::temporary(subject, detail), text)
    }

    /// A permanent failure.
    pub fn refuse(code: u16, subject: u16, detail: u16, text: impl Into<Cow<'static, str>>) -> Self {
        Reply::new(code, EnhancedStatus::permanent(subject, detail), text)
    }

    /// The three digits.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// Subject and detail of the enhanced status (RFC 3463).
    pub fn enhanced(&self) -> Option<(u16, u16)> {
        self.status.map(|status| (status.subject(), status.detail()))
    }

    /// The text, without code and status.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the client did something that counts against its error limit.
    pub fn is_refusal(&self) -> bool {
        self.code >= 500
    }

    /// Appends the reply as it goes over the wire.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut lines = self.text.split('\n').peekable();
        while let Some(line) = lines.next() {
            let separator = if lines.peek().is_some() { '-' } else { ' ' };
            out.extend_from_slice(format!("{}{separator}", self.code).as_bytes());
            if let Some(status) = self.status {
                out.extend_from_slice(format!("{status} ").as_bytes());
            }
            let room = MAX_REPLY_TEXT.min(line.len());
            out.extend(line.bytes().take(room).map(|b| if matches!(b, b' '..=b'~') { b } else { b'?' }));
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// A reply line may have 512 octets (RFC 5321 section 4.5.3.1.5); code, status and line end take up to 16 of them.
const MAX_REPLY_TEXT: usize = 496;

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(reply: &Reply) -> String {
        let mut out = Vec::new();
        reply.encode(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn one_line_and_several() {
        assert_eq!(wire(&Reply::bare(354, "go on")), "354 go on\r\n");
        assert_eq!(wire(&Reply::ok(1, 5, "fine")), "250 2.1.5 fine\r\n");
        assert_eq!(wire(&Reply::bare(250, "a\nB\nC 1")), "250-a\r\n250-B\r\n250 C 1\r\n");
        assert_eq!(wire(&Reply::refuse(550, 7, 1, "a\nb")), "550-5.7.1 a\r\n550 5.7.1 b\r\n");
        assert_eq!(wire(&Reply::bare(334, "")), "334 \r\n");
    }

    #[test]
    fn text_cannot_end_a_line_or_exceed_it() {
        assert_eq!(wire(&Reply::bare(550, "a\r250 ok\u{0}ü")), "550 a?250 ok???\r\n");
        assert_eq!(wire(&Reply::refuse(550, 999, 999, "x".repeat(4000))).len(), 512);
    }
}
