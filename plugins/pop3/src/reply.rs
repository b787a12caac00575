//! A reply line (RFC 1939 section 3), with its response code if it has one (RFC 2449 section 8, RFC 3206).

use std::borrow::Cow;

/// `+OK text` or `-ERR [CODE] text`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    ok: bool,
    code: Option<Code>,
    text: Cow<'static, str>,
}

/// Why it failed, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The credentials are wrong.
    Auth,
    /// Something here failed; the same will work later.
    SysTemp,
}

impl Reply {
    /// `+OK text`.
    pub fn ok(text: impl Into<Cow<'static, str>>) -> Self {
        Reply { ok: true, code: None, text: text.into() }
    }

    /// `-ERR text`.
    pub fn err(text: impl Into<Cow<'static, str>>) -> Self {
        Reply { ok: false, code: None, text: text.into() }
    }

    /// `-ERR [CODE] text`.
    pub fn coded(code: Code, text: impl Into<Cow<'static, str>>) -> Self {
        Reply { ok: false, code: Some(code), text: text.into() }
    }

    /// Whether it begins with `+OK`.
    pub fn is_ok(&self) -> bool {
        self.ok
    }

    /// Appends the line. What could end it early or is not ASCII becomes `?`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.ok { b"+OK" } else { b"-ERR" });
        if let Some(code) = self.code {
            out.extend_from_slice(match code {
                Code::Auth => b" [AUTH]",
                Code::SysTemp => b" [SYS/TEMP]",
            });
        }
        if !self.text.is_empty() {
            out.push(b' ');
            out.extend(self.text.bytes().take(MAX_TEXT).map(|b| if matches!(b, b' '..=b'~') { b } else { b'?' }));
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// A reply may have 512 octets (RFC 1939 section 3); `-ERR`, code, spaces and line end take 18.
const MAX_TEXT: usize = 494;

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(reply: &Reply) -> String {
        let mut out = Vec::new();
        reply.encode(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lines() {
        assert_eq!(wire(&Reply::ok("")), "+OK\r\n");
        assert_eq!(wire(&Reply::ok("2 320")), "+OK 2 320\r\n");
        assert_eq!(wire(&Reply::err("no")), "-ERR no\r\n");
        assert_eq!(wire(&Reply::coded(Code::Auth, "wrong")), "-ERR [AUTH] wrong\r\n");
    }

    #[test]
    fn text_cannot_end_the_line_or_exceed_it() {
        assert_eq!(wire(&Reply::err("a\r\n+OK")), "-ERR a??+OK\r\n");
        assert_eq!(wire(&Reply::coded(Code::SysTemp, "x".repeat(4000))).len(), 512);
    }
}
