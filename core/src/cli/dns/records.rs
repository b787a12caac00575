//! The records: worked out from the facts, and written as lines of a zone file or as JSON.

use super::address::Addresses;
use crate::config::{Config, ListenerConfig, TlsMode};
use std::{fmt, net::SocketAddr};

/// Where other servers bring mail; an MX record can name no other port.
const EXCHANGE_PORT: u16 = 25;
/// One hour: soon enough after a mistake.
const TTL: u32 = 3600;

/// What records are made of.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The domain.
    pub domain: &'a str,
    /// The server's config.
    pub config: &'a Config,
    /// Where the server is.
    pub addresses: &'a Addresses,
    /// SHA-256 of each public key on port 25, in hex.
    pub keys: &'a [String],
}

/// One record.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
pub struct Record {
    /// The owner's name, with its final dot.
    pub name: String,
    /// The type.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Seconds that others may remember it.
    pub ttl: u32,
    /// The data, as in a zone file.
    pub value: String,
    /// What it is for.
    pub comment: String,
}

/// All records for a domain, and what could not be said in records.
#[derive(Debug)]
pub struct Zone {
    domain: String,
    hostname: String,
    records: Vec<Record>,
    hints: Vec<String>,
}

/// The listeners where other servers can bring mail.
pub fn exchangers(config: &Config) -> impl Iterator<Item = &ListenerConfig> {
    reachable(config, "smtp").filter(|(_, port)| *port == EXCHANGE_PORT).map(|(listener, _)| listener)
}

impl Zone {
    /// Works the records out; `hints` are what is known to be missing.
    pub fn new(facts: &Facts<'_>, hints: Vec<String>) -> Zone {
        let Facts { domain, config, addresses, keys } = *facts;
        let hostname = config.hostname.to_ascii_lowercase();
        let mut zone = Zone { domain: domain.to_owned(), hostname: hostname.clone(), records: Vec::new(), hints };
        let host = format!("{hostname}.");
        let receives = exchangers(config).next().is_some();
        if receives {
            zone.add(format!("{domain}."), "MX", format!("10 {host}"), "where other servers bring mail to this domain");
        } else {
            zone.hints.push("no listener takes mail from other servers: none is SMTP on port 25".to_owned());
        }
        for ip in &addresses.public {
            let kind = if ip.is_ipv4() { "A" } else { "AAAA" };
            zone.add(host.clone(), kind, ip.to_string(), "where the server is; its PTR record should name it, too");
        }
        if addresses.public.is_empty() {
            let known: Vec<String> = addresses.private.iter().map(ToString::to_string).collect();
            let known = match known.is_empty() {
                true => "this machine does not know it".to_owned(),
                false => format!("this machine only knows {}, which is not public", known.join(" and ")),
            };
            zone.hints.push(format!("{host} needs an A or AAAA record with the server's public address; {known}"));
        }
        if receives {
            // This server itself sends to no other servers.
            let why = "SPF: who may send as this domain: this server and nobody else. Before you publish it add the hosts that send \
                       for the domain, such as include:spf.provider.example: this server sends nothing to others";
            zone.add(format!("{domain}."), "TXT", quoted("v=spf1 mx -all"), why);
        }
        let policy = quoted(&format!("v=DMARC1; p=none; rua=mailto:postmaster@{domain}"));
        let why = "DMARC: reports to begin with; p=quarantine or p=reject when they show no harm";
        zone.add(format!("_dmarc.{domain}."), "TXT", policy, why);
        for key in keys.iter().filter(|_| receives) {
            let why = "DANE: the server's key; only with DNSSEC, and to be changed with the key";
            zone.add(format!("_{EXCHANGE_PORT}._tcp.{host}"), "TLSA", format!("3 1 1 {key}"), why);
        }
        zone.add_services(config, &host);
        zone
    }

    /// SRV records (RFC 6186, RFC 8314 section 5.1); lower numbers are preferred.
    fn add_services(&mut self, config: &Config, host: &str) {
        let exchanging: Vec<&str> = exchangers(config).map(|listener| listener.options.protocol.as_str()).collect();
        for (plugin, mode, label, priority, comment) in [
            ("smtp", TlsMode::Implicit, "submissions", 0, "how clients send: TLS from the first byte"),
            ("smtp", TlsMode::Explicit, "submission", 10, "how clients send: STARTTLS"),
            ("imap", TlsMode::Implicit, "imaps", 0, "how clients read: IMAP, TLS from the first byte"),
            ("imap", TlsMode::Explicit, "imap", 10, "how clients read: IMAP, STARTTLS"),
            ("pop3", TlsMode::Implicit, "pop3s", 20, "how clients fetch: POP3, TLS from the first byte"),
            ("pop3", TlsMode::Explicit, "pop3", 30, "how clients fetch: POP3, STLS"),
        ] {
            let mut ports: Vec<u16> = reachable(config, plugin)
                // What takes mail from other servers takes none from users.
                .filter(|(listener, _)| plugin != "smtp" || !exchanging.contains(&listener.options.protocol.as_str()))
                .filter(|(listener, _)| listener.options.tls == mode)
                .map(|(_, port)| port)
                .collect();
            ports.sort_unstable();
            ports.dedup();
            for port in ports {
                let name = format!("_{label}._tcp.{}.", self.domain);
                self.add(name, "SRV", format!("{priority} 1 {port} {host}"), comment);
            }
        }
    }

    fn add(&mut self, name: String, kind: &'static str, value: String, comment: &str) {
        self.records.push(Record { name, kind, ttl: TTL, value, comment: comment.to_owned() });
    }

    /// For programs.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "domain": self.domain, "hostname": self.hostname, "records": self.records, "hints": self.hints,
        })
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "; DNS records for mail to {}, served by {}", self.domain, self.hostname)?;
        let elsewhere = self.hostname != self.domain && !self.hostname.ends_with(&format!(".{}", self.domain));
        if elsewhere {
            writeln!(f, "; (those of {} and below it belong into that name's own zone)", self.hostname)?;
        }
        for hint in &self.hints {
            writeln!(f, "; {hint}")?;
        }
        for Record { name, kind, ttl, value, comment } in &self.records {
            writeln!(f, "\n; {comment}\n{name} {ttl} IN {kind} {value}")?;
        }
        Ok(())
    }
}

/// Listeners of a plugin that others than this machine can reach, with their ports.
fn reachable<'a>(config: &'a Config, plugin: &'a str) -> impl Iterator<Item = (&'a ListenerConfig, u16)> {
    let is_plugin =
        move |instance: &str| config.plugins.iter().any(|one| one.instance == instance && one.plugin == plugin);
    let listeners = config.listeners.iter().filter(move |listener| is_plugin(&listener.options.protocol));
    let reachable = |address: &&SocketAddr| !address.ip().is_loopback();
    listeners.flat_map(move |listener| {
        listener.options.bind.iter().filter(reachable).map(move |address| (listener, address.port()))
    })
}

/// A character string of a TXT record (RFC 1035 section 5.1); ours are short and plain.
fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn zone(listeners: &str, domain: &str, ips: &[&str]) -> Zone {
        let text = format!(
            "(hostname: \"mail.example.org\", data_dir: \"d\", plugins: {{\"mx\": (plugin: \"smtp\"), \
             \"submission\": (plugin: \"smtp\"), \"imap\": (), \"pop3\": ()}}, listeners: {{{listeners}}})"
        );
        let config = Config::parse("test", text, Path::new("/")).unwrap();
        assert!(!config.problems.has_errors(), "{}", config.problems);
        let public = ips.iter().map(|ip| ip.parse().unwrap()).collect();
        let addresses = Addresses { public, ..Addresses::default() };
        Zone::new(&Facts { domain, config: &config, addresses: &addresses, keys: &["ab".to_owned()] }, Vec::new())
    }

    fn lines(zone: &Zone) -> Vec<String> {
        zone.to_string().lines().filter(|line| !line.is_empty() && !line.starts_with(';')).map(str::to_owned).collect()
    }

    const ALL: &str = r#"
        "smtp": (protocol: "mx", bind: ["0.0.0.0:25", "[::]:25"], tls: Explicit),
        "submission": (protocol: "submission", bind: ["0.0.0.0:587", "[::]:587"], tls: Explicit),
        "submissions": (protocol: "submission", bind: ["0.0.0.0:465"], tls: Implicit),
        "imap": (protocol: "imap", bind: ["0.0.0.0:143"], tls: Explicit),
        "imaps": (protocol: "imap", bind: ["0.0.0.0:993"], tls: Implicit),
        "pop3": (protocol: "pop3", bind: ["0.0.0.0:110"], tls: Explicit),
        "pop3s": (protocol: "pop3", bind: ["0.0.0.0:1995"], tls: Implicit)"#;

    #[test]
    fn a_whole_server() {
        let zone = zone(ALL, "example.org", &["203.0.113.5", "2001:db8::5"]);
        assert_eq!(
            lines(&zone),
            [
                "example.org. 3600 IN MX 10 mail.example.org.",
                "mail.example.org. 3600 IN A 203.0.113.5",
                "mail.example.org. 3600 IN AAAA 2001:db8::5",
                "example.org. 3600 IN TXT \"v=spf1 mx -all\"",
                "_dmarc.example.org. 3600 IN TXT \"v=DMARC1; p=none; rua=mailto:postmaster@example.org\"",
                "_25._tcp.mail.example.org. 3600 IN TLSA 3 1 1 ab",
                "_submissions._tcp.example.org. 3600 IN SRV 0 1 465 mail.example.org.",
                "_submission._tcp.example.org. 3600 IN SRV 10 1 587 mail.example.org.",
                "_imaps._tcp.example.org. 3600 IN SRV 0 1 993 mail.example.org.",
                "_imap._tcp.example.org. 3600 IN SRV 10 1 143 mail.example.org.",
                "_pop3s._tcp.example.org. 3600 IN SRV 20 1 1995 mail.example.org.",
                "_pop3._tcp.example.org. 3600 IN SRV 30 1 110 mail.example.org.",
            ]
        );
        assert!(zone.hints.is_empty());
        let spf = zone.records.iter().find(|record| record.value.contains("spf1"));
        assert!(spf.is_some_and(|spf| spf.comment.contains("add the hosts that send for the domain")), "{spf:?}");
        let json = zone.to_json();
        assert_eq!(json["records"][0]["type"], "MX");
        assert_eq!(json["records"].as_array().map(Vec::len), Some(12));
    }

    #[test]
    fn what_is_not_served_is_not_published() {
        let listeners = r#"
            "smtp": (protocol: "mx", bind: ["0.0.0.0:25"], tls: Explicit),
            "odd": (protocol: "mx", bind: ["0.0.0.0:2525"], tls: Explicit),
            "plain": (protocol: "pop3", bind: ["0.0.0.0:110"]),
            "own": (protocol: "imap", bind: ["127.0.0.1:993", "[::1]:993"], tls: Implicit)"#;
        let zone = zone(listeners, "example.net", &[]);
        let kinds: Vec<&str> = zone.records.iter().map(|record| record.kind).collect();
        assert_eq!(kinds, ["MX", "TXT", "TXT", "TLSA"]);
        assert!(zone.hints[0].contains("needs an A or AAAA record"), "{:?}", zone.hints);
        assert!(zone.to_string().contains("belong into that name's own zone"));
    }

    #[test]
    fn without_port_25_there_is_no_exchanger() {
        let zone = zone(r#""pop3s": (protocol: "pop3", bind: ["0.0.0.0:995"], tls: Implicit)"#, "example.org", &[]);
        assert!(zone.records.iter().all(|record| !matches!(record.kind, "MX" | "TLSA")));
        assert!(zone.hints.iter().any(|hint| hint.contains("port 25")), "{:?}", zone.hints);
    }
}
