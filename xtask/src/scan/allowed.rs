//! What the scanners may find, and why.

use super::finding::{Finding, Found};

/// A finding that says nothing against the server.
struct Allowed {
    scanner: &'static str,
    id: &'static str,
    severity: &'static str,
    /// The reason, as the end of "since ...".
    reason: &'static str,
}

/// One is about the certificate of a private authority, the others about the scanner itself.
const ALLOWED: &[Allowed] = &[
    Allowed {
        scanner: "testssl.sh",
        id: "cert_revocation",
        severity: "HIGH",
        reason: "a private authority publishes no revocation lists and answers no questions",
    },
    Allowed {
        scanner: "testssl.sh",
        id: "engine_problem",
        severity: "WARN",
        reason: "the scanner's own OpenSSL has no GOST, with which it looks for clients; servers have none either",
    },
    Allowed {
        scanner: "testssl.sh",
        id: "sessionresumption_ticket",
        severity: "WARN",
        reason: "the scanner leaves before a ticket of TLS 1.3 comes, and then has none to come back with",
    },
];

/// Why a finding is allowed, if it is.
pub fn reason(finding: &Finding) -> Option<&'static str> {
    let Finding { scanner, found: Found { id, severity, .. }, .. } = finding;
    let is_it = |allowed: &&Allowed| {
        (allowed.scanner, allowed.id, allowed.severity) == (*scanner, id.as_str(), severity.as_str())
    };
    ALLOWED.iter().find(is_it).map(|allowed| allowed.reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allowed_is_what_is_named() {
        let finding = |scanner, id, severity| Finding {
            place: "tls-rustls imaps".into(),
            scanner,
            found: Found::new(id, severity, ""),
        };
        assert!(reason(&finding("testssl.sh", "cert_revocation", "HIGH")).is_some());
        assert!(reason(&finding("testssl.sh", "engine_problem", "CRITICAL")).is_none());
        assert!(reason(&finding("sslscan", "cert_revocation", "HIGH")).is_none());
        assert!(reason(&finding("testssl.sh", "heartbleed", "CRITICAL")).is_none());
    }
}
