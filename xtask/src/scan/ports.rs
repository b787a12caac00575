//! The ports that speak TLS.

/// A listener of the server under test.
#[derive(Debug)]
pub struct Port {
    /// Its name in the configuration.
    pub listener: &'static str,
    /// What the scanners call its way to TLS, if TLS isn't there from the first byte.
    pub starttls: Option<&'static str>,
}

/// All of them: 25, 587, 465, 110, 995, 143 and 993 in their order.
pub const PORTS: [Port; 7] = [
    Port { listener: "smtp", starttls: Some("smtp") },
    Port { listener: "submission", starttls: Some("smtp") },
    Port { listener: "submissions", starttls: None },
    Port { listener: "pop3", starttls: Some("pop3") },
    Port { listener: "pop3s", starttls: None },
    Port { listener: "imap", starttls: Some("imap") },
    Port { listener: "imaps", starttls: None },
];

impl Port {
    /// Whether it is the one port of a quick scan: both ways to TLS are looked at, each with one provider.
    pub fn is_for_quick(&self, provider: &str) -> bool {
        self.listener == if provider == "tls-rustls" { "submission" } else { "imaps" }
    }
}
