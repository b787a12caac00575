//! One client connection: TCP, TLS when asked for, and a reader of lines and literals.
use crate::net::Proto;
use crate::tls::TlsInfo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, HandshakeKind};
use std::io::{Error, ErrorKind, Result};
use std::sync::Arc;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::{client::TlsStream, TlsConnector};

enum Sock {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Gone,
}

pub struct Conn {
    s: Sock,
    pub proto: Proto,
    pub buf: Vec<u8>,
    pos: usize,
    pub last: String,
    pub tag: u32,
    pub caps: String,
}

pub fn proto_err(what: &str, got: &[u8]) -> Error {
    let g = String::from_utf8_lossy(&got[..got.len().min(120)]).into_owned();
    Error::other(format!("{what}: {g}"))
}

impl Conn {
    pub fn new(s: TcpStream, proto: Proto) -> Conn {
        Conn {
            s: Sock::Plain(s),
            proto,
            buf: Vec::with_capacity(4096),
            pos: 0,
            last: String::new(),
            tag: 0,
            caps: String::new(),
        }
    }
    pub async fn handshake(&mut self, cfg: &Arc<ClientConfig>, name: &ServerName<'static>) -> Result<TlsInfo> {
        if self.pos != self.buf.len() {
            return Err(Error::other("server sent data before the TLS handshake"));
        }
        let Sock::Plain(t) = std::mem::replace(&mut self.s, Sock::Gone) else {
            return Err(Error::other("TLS is up already"));
        };
        let t0 = Instant::now();
        let s = TlsConnector::from(cfg.clone()).connect(name.clone(), t).await?;
        let us = t0.elapsed().as_micros() as u32;
        let resumed = s.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed);
        self.s = Sock::Tls(Box::new(s));
        Ok(TlsInfo { us, resumed })
    }
    pub async fn send(&mut self, b: &[u8]) -> Result<()> {
        match &mut self.s {
            Sock::Plain(s) => s.write_all(b).await,
            Sock::Tls(s) => {
                s.write_all(b).await?;
                s.flush().await
            }
            Sock::Gone => Err(ErrorKind::NotConnected.into()),
        }
    }
    async fn fill(&mut self) -> Result<()> {
        if self.pos > 0 {
            if self.pos == self.buf.len() {
                self.buf.clear();
            } else {
                self.buf.drain(..self.pos);
            }
            self.pos = 0;
        }
        if self.buf.capacity() - self.buf.len() < 2048 {
            // Small while idle, large once data flows.
            self.buf.reserve(if self.buf.capacity() < 8192 { 8192 } else { 128 * 1024 });
        }
        let n = match &mut self.s {
            Sock::Plain(s) => s.read_buf(&mut self.buf).await?,
            Sock::Tls(s) => s.read_buf(&mut self.buf).await?,
            Sock::Gone => 0,
        };
        if n == 0 {
            return Err(Error::new(ErrorKind::UnexpectedEof, "server closed the connection"));
        }
        Ok(())
    }
    /// The next line without its CRLF, as a range of `buf` that holds until the next read.
    pub async fn line(&mut self) -> Result<(usize, usize)> {
        let mut seen = 0;
        loop {
            if let Some(i) = memchr::memchr(b'\n', &self.buf[self.pos + seen..]) {
                let s = self.pos;
                let nl = s + seen + i;
                self.pos = nl + 1;
                let e = if nl > s && self.buf[nl - 1] == b'\r' { nl - 1 } else { nl };
                return Ok((s, e));
            }
            seen = self.buf.len() - self.pos;
            self.fill().await?;
        }
    }
    pub async fn line_vec(&mut self) -> Result<Vec<u8>> {
        let (s, e) = self.line().await?;
        Ok(self.buf[s..e].to_vec())
    }
    pub async fn skip(&mut self, mut n: usize) -> Result<()> {
        while n > 0 {
            let have = (self.buf.len() - self.pos).min(n);
            self.pos += have;
            n -= have;
            if n > 0 {
                self.fill().await?;
            }
        }
        Ok(())
    }
    pub async fn take(&mut self, n: usize, into: &mut Vec<u8>) -> Result<()> {
        let mut n = n;
        while n > 0 {
            let have = (self.buf.len() - self.pos).min(n);
            into.extend_from_slice(&self.buf[self.pos..self.pos + have]);
            self.pos += have;
            n -= have;
            if n > 0 {
                self.fill().await?;
            }
        }
        Ok(())
    }
    /// TLS close_notify and FIN, without waiting for the server.
    pub async fn shutdown(&mut self) {
        match &mut self.s {
            Sock::Plain(s) => {
                let _ = s.shutdown().await;
            }
            Sock::Tls(s) => {
                let _ = s.shutdown().await;
            }
            Sock::Gone => {}
        }
    }
}

/// The size in a trailing `{n}`.
pub fn literal(l: &[u8]) -> Option<usize> {
    if l.last() != Some(&b'}') {
        return None;
    }
    let i = memchr::memrchr(b'{', l)?;
    let d = &l[i + 1..l.len() - 1];
    if d.is_empty() || !d.iter().all(|c| c.is_ascii_digit()) {
        return None;
    }
    std::str::from_utf8(d).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::literal;

    #[test]
    fn literal_sizes() {
        assert_eq!(literal(b"* 1 FETCH (BODY[] {8192}"), Some(8192));
        assert_eq!(literal(b"* 1 FETCH (BODY[] {}"), None);
        assert_eq!(literal(b"* 1 FETCH (BODY[] {1x}"), None);
        assert_eq!(literal(b"* 1 FETCH (FLAGS ())"), None);
    }
}
