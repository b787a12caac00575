//! The dialogues that several subcommands need: replies, capabilities, login and the polite end
//! of SMTP, LMTP, IMAP and POP3.
use crate::conn::{literal, proto_err, Conn};
use crate::net::Proto;
use std::io::Result;
use std::time::Duration;

impl Conn {
    pub fn expect(&self, code: u16, want: u16, what: &str) -> Result<()> {
        if code == want {
            Ok(())
        } else {
            Err(proto_err(what, self.last.as_bytes()))
        }
    }

    // ---- SMTP and LMTP ----
    pub async fn smtp_reply(&mut self) -> Result<u16> {
        loop {
            let (s, e) = self.line().await?;
            let l = &self.buf[s..e];
            if l.len() < 3 {
                return Err(proto_err("bad reply", l));
            }
            let code = l[..3].iter().fold(0u16, |a, d| a * 10 + (d.wrapping_sub(b'0')) as u16 % 10);
            if l.len() == 3 || l[3] != b'-' {
                if code >= 400 || code == 220 {
                    self.last = String::from_utf8_lossy(l).into_owned();
                }
                return Ok(code);
            }
            self.caps.push_str(&String::from_utf8_lossy(&l[4..]).to_ascii_uppercase());
            self.caps.push('\n');
        }
    }
    pub async fn helo(&mut self) -> Result<()> {
        self.caps.clear();
        let cmd: &[u8] = if self.proto == Proto::Lmtp { b"LHLO localhost\r\n" } else { b"EHLO localhost\r\n" };
        self.send(cmd).await?;
        let code = self.smtp_reply().await?;
        self.expect(code, 250, "EHLO")
    }

    // ---- IMAP ----
    pub fn next_tag(&mut self) -> String {
        self.tag += 1;
        format!("a{}", self.tag)
    }
    /// Sends one command and reads to its tagged OK; gives the number of untagged lines and of bytes in literals.
    pub async fn imap_cmd(&mut self, cmd: &str) -> Result<(u64, u64)> {
        let tag = self.next_tag();
        self.send(format!("{tag} {cmd}\r\n").as_bytes()).await?;
        self.imap_wait(&tag).await
    }
    pub async fn imap_wait(&mut self, tag: &str) -> Result<(u64, u64)> {
        let (mut lines, mut bytes) = (0, 0);
        loop {
            let (s, e) = self.line().await?;
            let l = &self.buf[s..e];
            if l.first() == Some(&b'*')
                || l.first() != tag.as_bytes().first()
                || !l.starts_with(tag.as_bytes())
                || l.get(tag.len()) != Some(&b' ')
            {
                lines += 1;
                bytes += l.len() as u64 + 2;
                if let Some(n) = literal(l) {
                    bytes += n as u64;
                    self.skip(n).await?;
                }
                continue;
            }
            let r = &l[tag.len() + 1..];
            if r.len() >= 2 && r[..2].eq_ignore_ascii_case(b"OK") {
                return Ok((lines, bytes));
            }
            return Err(proto_err("tagged reply", r));
        }
    }
    /// As imap_cmd, but keeps the untagged data (literals inline).
    pub async fn imap_collect(&mut self, cmd: &str, out: &mut Vec<u8>) -> Result<()> {
        let tag = self.next_tag();
        self.send(format!("{tag} {cmd}\r\n").as_bytes()).await?;
        loop {
            let (s, e) = self.line().await?;
            let l = &self.buf[s..e];
            if l.starts_with(tag.as_bytes()) && l.get(tag.len()) == Some(&b' ') {
                let r = &l[tag.len() + 1..];
                if r.len() >= 2 && r[..2].eq_ignore_ascii_case(b"OK") {
                    return Ok(());
                }
                return Err(proto_err("tagged reply", r));
            }
            let lit = literal(l);
            out.extend_from_slice(l);
            out.extend_from_slice(b"\r\n");
            if let Some(n) = lit {
                self.take(n, out).await?;
            }
        }
    }
    /// Waits for a `+` continuation.
    pub async fn imap_plus(&mut self, tag: &str) -> Result<()> {
        loop {
            let (s, e) = self.line().await?;
            let l = &self.buf[s..e];
            if l.first() == Some(&b'+') {
                return Ok(());
            }
            if l.starts_with(tag.as_bytes()) {
                return Err(proto_err("continuation", l));
            }
        }
    }

    // ---- POP3 ----
    pub async fn pop_ok(&mut self, what: &str) -> Result<()> {
        let (s, e) = self.line().await?;
        let l = &self.buf[s..e];
        if l.starts_with(b"+OK") {
            self.last = String::from_utf8_lossy(l).into_owned();
            Ok(())
        } else {
            Err(proto_err(what, l))
        }
    }
    /// Reads a multi-line body to its dot; gives its lines and bytes.
    pub async fn pop_body(&mut self) -> Result<(u64, u64)> {
        let (mut n, mut b) = (0, 0);
        loop {
            let (s, e) = self.line().await?;
            if e - s == 1 && self.buf[s] == b'.' {
                return Ok((n, b));
            }
            n += 1;
            b += (e - s) as u64 + 2;
        }
    }
    /// As pop_body, undotted and kept.
    pub async fn pop_body_into(&mut self, out: &mut Vec<u8>) -> Result<()> {
        loop {
            let (s, e) = self.line().await?;
            let l = &self.buf[s..e];
            if l == b"." {
                return Ok(());
            }
            out.extend_from_slice(if l.first() == Some(&b'.') { &l[1..] } else { l });
            out.extend_from_slice(b"\r\n");
        }
    }

    pub async fn login(&mut self, user: &str, pw: &str, how: &str) -> Result<()> {
        let plain = || base64(format!("\0{user}\0{pw}").as_bytes());
        match self.proto {
            Proto::Smtp => {
                self.send(format!("AUTH PLAIN {}\r\n", plain()).as_bytes()).await?;
                let code = self.smtp_reply().await?;
                self.expect(code, 235, "AUTH")
            }
            Proto::Imap => {
                if how == "plain" {
                    let tag = self.next_tag();
                    self.send(format!("{tag} AUTHENTICATE PLAIN\r\n").as_bytes()).await?;
                    self.imap_plus(&tag).await?;
                    self.send(format!("{}\r\n", plain()).as_bytes()).await?;
                    self.imap_wait(&tag).await?;
                } else {
                    self.imap_cmd(&format!("LOGIN \"{user}\" \"{pw}\"")).await?;
                }
                Ok(())
            }
            Proto::Pop3 => {
                if how == "plain" {
                    self.send(format!("AUTH PLAIN {}\r\n", plain()).as_bytes()).await?;
                    return self.pop_ok("AUTH").await;
                }
                self.send(format!("USER {user}\r\n").as_bytes()).await?;
                self.pop_ok("USER").await?;
                self.send(format!("PASS {pw}\r\n").as_bytes()).await?;
                self.pop_ok("PASS").await
            }
            _ => Ok(()),
        }
    }
    pub async fn imap_caps(&mut self) -> Result<()> {
        let mut v = Vec::new();
        self.imap_collect("CAPABILITY", &mut v).await?;
        self.caps = String::from_utf8_lossy(&v).to_ascii_uppercase();
        Ok(())
    }
    pub fn imap_has(&self, cap: &str) -> bool {
        self.caps.split_ascii_whitespace().any(|c| c == cap)
    }
    /// Polite end.
    pub async fn quit(&mut self) {
        let b: &[u8] = match self.proto {
            Proto::Imap => b"z LOGOUT\r\n",
            Proto::Raw | Proto::Http => b"",
            _ => b"QUIT\r\n",
        };
        if !b.is_empty() && self.send(b).await.is_ok() {
            let _ = tokio::time::timeout(Duration::from_secs(5), async {
                match self.proto {
                    Proto::Imap => {
                        let _ = self.imap_wait("z").await;
                    }
                    _ => {
                        let _ = self.line().await;
                    }
                }
            })
            .await;
        }
        self.shutdown().await;
    }
}

pub fn base64(b: &[u8]) -> String {
    const A: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut o = String::with_capacity(b.len().div_ceil(3) * 4);
    for c in b.chunks(3) {
        let n = (c[0] as u32) << 16 | (*c.get(1).unwrap_or(&0) as u32) << 8 | *c.get(2).unwrap_or(&0) as u32;
        for i in 0..4 {
            o.push(if i <= c.len() { A[(n >> (18 - 6 * i)) as usize & 63] as char } else { '=' });
        }
    }
    o
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_as_in_rfc4648_section_10() {
        for (plain, encoded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }
}
