//! Where a subcommand connects to and how: address, TLS mode, user names, and the way to a greeted connection.
use crate::args::Args;
use crate::conn::{proto_err, Conn};
use crate::tls::{client_config, TlsInfo};
use rustls::pki_types::ServerName;
use rustls::ClientConfig;
use std::io::{Error, ErrorKind, Result};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tls {
    None,
    Implicit,
    Starttls,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Proto {
    Smtp,
    Lmtp,
    Imap,
    Pop3,
    Http,
    Raw,
}

impl Proto {
    pub fn parse(s: &str) -> std::result::Result<Proto, String> {
        Ok(match s {
            "smtp" => Proto::Smtp,
            "lmtp" => Proto::Lmtp,
            "imap" => Proto::Imap,
            "pop3" => Proto::Pop3,
            "http" => Proto::Http,
            "raw" => Proto::Raw,
            _ => return Err(format!("--proto {s:?}: smtp, lmtp, imap, pop3, http or raw")),
        })
    }
}

/// What every subcommand needs to open connections.
pub struct Net {
    pub addr: SocketAddr,
    pub tls: Tls,
    pub proto: Proto,
    name: ServerName<'static>,
    config: Arc<ClientConfig>,
    resuming: Option<Arc<ClientConfig>>,
    source_ips: u32,
    next_ip: AtomicU32,
    pub timeout: Duration,
    pub user: String,
    pub password: String,
    pub users: u64,
    pub user_from: u64,
    sasl: String,
}

impl Net {
    pub fn from_args(a: &Args, proto: Proto) -> std::result::Result<Net, String> {
        let host = a.str("host", "127.0.0.1");
        let port: u16 = a.get("port").ok_or("--port is required")?.parse().map_err(|_| "--port: bad number")?;
        let addr =
            (host.as_str(), port).to_socket_addrs().map_err(|e| format!("{host}: {e}"))?.next().ok_or("no address")?;
        if !addr.ip().is_loopback() && !a.flag("allow-remote") {
            return Err("refusing a non-loopback target without --allow-remote".into());
        }
        let tls = match a.str("tls", "none").as_str() {
            "none" => Tls::None,
            "implicit" => Tls::Implicit,
            "starttls" | "stls" => Tls::Starttls,
            x => return Err(format!("--tls {x:?}: none, implicit or starttls")),
        };
        let sni = a.str("sni", "localhost");
        let name = ServerName::try_from(sni).map_err(|_| "--sni: bad name")?;
        let config = Arc::new(client_config(a, false)?);
        let resuming = if a.flag("resume") { Some(Arc::new(client_config(a, true)?)) } else { None };
        Ok(Net {
            addr,
            tls,
            proto,
            name,
            config,
            resuming,
            source_ips: a.num("source-ips", 0)?,
            next_ip: AtomicU32::new(0),
            timeout: Duration::from_secs_f64(a.num("timeout", 60.0)?),
            user: a.str("user", ""),
            password: a.str("password", ""),
            users: a.num("users", 1)?,
            user_from: a.num("user-from", 0)?,
            sasl: a.str("sasl", "login"),
        })
    }
    /// `{n}` in a template becomes a user number, spread over --users from --user-from.
    pub fn expand(&self, template: &str, n: u64) -> String {
        template.replace("{n}", &(self.user_from + n % self.users.max(1)).to_string())
    }
    pub async fn tcp(&self) -> Result<TcpStream> {
        let s = if self.addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if self.source_ips > 0 && self.addr.is_ipv4() {
            let k = self.next_ip.fetch_add(1, Ordering::Relaxed) % self.source_ips;
            let ip = Ipv4Addr::from(0x7f01_0001u32 + k);
            // Each source address has ports of its own.
            s.bind(SocketAddr::new(IpAddr::V4(ip), 0))?;
        }
        s.set_nodelay(true)?;
        s.connect(self.addr).await
    }
    pub fn worker_config(&self) -> Arc<ClientConfig> {
        let Some(resuming) = &self.resuming else { return self.config.clone() };
        // A cache of its own: rustls keeps eight tickets of a server, too few for many workers.
        let mut own = ClientConfig::clone(resuming);
        own.resumption = rustls::client::Resumption::in_memory_sessions(256);
        Arc::new(own)
    }
    /// Connects and goes as far as "greeted, and TLS up where asked for".
    pub async fn open(&self) -> Result<Conn> {
        Ok(self.open_with(&self.config).await?.0)
    }
    pub async fn open_with(&self, config: &Arc<ClientConfig>) -> Result<(Conn, Option<TlsInfo>)> {
        match tokio::time::timeout(self.timeout, self.open_inner(config)).await {
            Ok(r) => r,
            Err(_) => Err(Error::new(ErrorKind::TimedOut, "timeout while opening")),
        }
    }
    async fn open_inner(&self, config: &Arc<ClientConfig>) -> Result<(Conn, Option<TlsInfo>)> {
        let mut c = Conn::new(self.tcp().await?, self.proto);
        let mut info = None;
        if self.tls == Tls::Implicit {
            info = Some(c.handshake(config, &self.name).await?);
        }
        match self.proto {
            Proto::Raw => {}
            Proto::Http => {
                c.send(b"GET / HTTP/1.0\r\n\r\n").await?;
                while !c.line_vec().await?.is_empty() {}
            }
            Proto::Smtp | Proto::Lmtp => {
                let code = c.smtp_reply().await?;
                c.expect(code, 220, "greeting")?;
                c.helo().await?;
                if self.tls == Tls::Starttls {
                    c.send(b"STARTTLS\r\n").await?;
                    let code = c.smtp_reply().await?;
                    c.expect(code, 220, "STARTTLS")?;
                    info = Some(c.handshake(config, &self.name).await?);
                    c.helo().await?;
                }
            }
            Proto::Imap => {
                let l = c.line_vec().await?;
                if !l.starts_with(b"* OK") {
                    return Err(proto_err("greeting", &l));
                }
                if self.tls == Tls::Starttls {
                    c.imap_cmd("STARTTLS").await?;
                    info = Some(c.handshake(config, &self.name).await?);
                    c.imap_cmd("CAPABILITY").await?;
                }
            }
            Proto::Pop3 => {
                c.pop_ok("greeting").await?;
                if self.tls == Tls::Starttls {
                    c.send(b"STLS\r\n").await?;
                    c.pop_ok("STLS").await?;
                    info = Some(c.handshake(config, &self.name).await?);
                    c.send(b"CAPA\r\n").await?;
                    c.pop_ok("CAPA").await?;
                    c.pop_body().await?;
                }
            }
        }
        Ok((c, info))
    }
    /// open() and log in as user number n, when --user is given.
    pub async fn open_login(&self, n: u64) -> Result<Conn> {
        let mut c = self.open().await?;
        if !self.user.is_empty() {
            let u = self.expand(&self.user, n);
            match tokio::time::timeout(self.timeout, c.login(&u, &self.password, &self.sasl)).await {
                Ok(r) => r?,
                Err(_) => return Err(Error::new(ErrorKind::TimedOut, "timeout while logging in")),
            }
        }
        Ok(c)
    }
}
