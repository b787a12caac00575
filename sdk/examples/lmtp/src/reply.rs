//! A reply to the client (RFC 5321 section 4.2), with its enhanced status code (RFC 2034).
//!
//! Whatever in a text could end a line early or is not ASCII becomes `?`: a text may quote the client or come from another
//! plugin, and must stay one reply.

use dovetail_mail::{Class, EnhancedStatus};
use dovetail_sdk::delivery::{Answer, Verdict};

/// Code, status and text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    status: Option<EnhancedStatus>,
    text: String,
}

impl Reply {
    /// A reply without status: the greeting, the one to LHLO and 354 have none. A `\n` in the text makes it several lines.
    pub fn bare(code: u16, text: impl Into<String>) -> Self {
        Reply { code, status: None, text: text.into() }
    }

    /// A reply whose status has the class of its code, and this subject and detail.
    pub fn new(code: u16, (subject, detail): (u16, u16), text: impl Into<String>) -> Self {
        let status = match code / 100 {
            2 => EnhancedStatus::success(subject, detail),
            4 => EnhancedStatus::temporary(subject, detail),
            _ => EnhancedStatus::permanent(subject, detail),
        };
        Reply { code, status: Some(status), text: text.into() }
    }

    /// What the delivery says of a recipient.
    pub fn of(recipient: &str, answer: &Answer) -> Self {
        let reply = Reply::said(answer);
        Reply { text: format!("<{recipient}> {}", reply.text), ..reply }
    }

    /// What the delivery says. The verdict decides: a code or status that does not fit it is replaced.
    pub fn said(answer: &Answer) -> Self {
        let (class, code) = match answer.verdict {
            Verdict::Accept => (Class::Success, 250),
            Verdict::Reject => (Class::Permanent, 550),
            _ => (Class::Temporary, 451),
        };
        let code = if answer.code / 100 == class.digit() { answer.code } else { code };
        let usual = Reply::new(code, (0, 0), answer.text.clone());
        match answer.enhanced.parse() {
            Ok(status) if EnhancedStatus::class(status) == class => Reply { status: Some(status), ..usual },
            _ => usual,
        }
    }

    /// Something here does not work now.
    pub fn try_later() -> Self {
        Reply::new(451, (3, 0), "Temporary failure, try again later")
    }

    /// The three digits.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// As it goes over the wire.
    pub fn encode(&self) -> Vec<u8> {
        let mut wire = Vec::with_capacity(80);
        let mut lines = self.text.split('\n').peekable();
        while let Some(line) = lines.next() {
            let separator = if lines.peek().is_some() { '-' } else { ' ' };
            wire.extend_from_slice(format!("{}{separator}", self.code).as_bytes());
            if let Some(status) = self.status {
                wire.extend_from_slice(format!("{status} ").as_bytes());
            }
            wire.extend(
                line.bytes().take(MAX_TEXT).map(|octet| if matches!(octet, b' '..=b'~') { octet } else { b'?' }),
            );
            wire.extend_from_slice(b"\r\n");
        }
        wire
    }
}

/// A reply line has at most 512 octets (RFC 5321 section 4.5.3.1.5); code, status and line end take up to 16 of them.
const MAX_TEXT: usize = 496;

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(reply: &Reply) -> String {
        String::from_utf8(reply.encode()).unwrap()
    }

    #[test]
    fn one_line_or_several_and_never_more_than_a_line_holds() {
        assert_eq!(wire(&Reply::new(250, (1, 5), "fine")), "250 2.1.5 fine\r\n");
        assert_eq!(wire(&Reply::bare(250, "a\nSIZE 1")), "250-a\r\n250 SIZE 1\r\n");
        assert_eq!(wire(&Reply::new(550, (1, 1), "a\r250 ok\u{0}ü")), "550 5.1.1 a?250 ok???\r\n");
        assert_eq!(wire(&Reply::new(550, (999, 999), "x".repeat(4000))).len(), 512);
    }

    #[test]
    fn the_verdict_decides() {
        let said = |verdict, code, enhanced: &str| {
            wire(&Reply::of("a@b.c", &Answer { verdict, code, enhanced: enhanced.into(), text: "x".into() }))
        };
        assert_eq!(said(Verdict::Accept, 250, "2.1.5"), "250 2.1.5 <a@b.c> x\r\n");
        assert_eq!(said(Verdict::Reject, 250, "2.1.5"), "550 5.0.0 <a@b.c> x\r\n");
        assert_eq!(said(Verdict::Defer, 452, "4.2.2"), "452 4.2.2 <a@b.c> x\r\n");
        assert_eq!(said(Verdict::Accept, 0, "no status"), "250 2.0.0 <a@b.c> x\r\n");
    }
}
