//! The lines that we put on top of a message (RFC 5321 section 4.4): `Return-Path` and `Received`.

use std::net::IpAddr;

use dovetail_mail::address::{Literal, ReversePath};
use dovetail_sdk::protocol::TlsFacts;
use time::format_description::well_known::Rfc2822;
use time::OffsetDateTime;

/// What a `Received` field tells.
#[derive(Clone, Copy, Debug)]
pub struct Trace<'a> {
    /// What the client called itself.
    pub hello: &'a str,
    /// Whether it said EHLO.
    pub extended: bool,
    /// Where it came from.
    pub peer: IpAddr,
    /// Our name.
    pub hostname: &'a str,
    /// How the connection is protected.
    pub tls: Option<&'a TlsFacts>,
    /// Whether the client logged in.
    pub authenticated: bool,
    /// Id of the message in our log.
    pub id: &'a str,
    /// The recipient, if it is the only one: others must not learn of each other.
    pub recipient: Option<&'a str>,
    /// When.
    pub date: OffsetDateTime,
}

/// `Return-Path: <...>`, for final delivery.
pub fn return_path(sender: &ReversePath) -> String {
    format!("Return-Path: {sender}\r\n")
}

/// A whole `Received:` field, folded.
pub fn received(trace: &Trace<'_>) -> String {
    let Trace { hello, hostname, id, .. } = *trace;
    let peer = Literal(trace.peer.to_canonical());
    let with = protocol(trace);
    let recipient = trace.recipient.map(|r| format!("\r\n\tfor <{r}>")).unwrap_or_default();
    let tls = match trace.tls {
        Some(facts) => format!("\r\n\t({})", tls_text(facts)),
        None => String::new(),
    };
    // Formatting fails only for years that RFC 5322 can't write; a clock that far off is visible without help.
    let date = trace.date.format(&Rfc2822).unwrap_or_else(|_| "Thu, 01 Jan 1970 00:00:00 +0000".to_owned());
    format!("Received: from {hello} ({peer})\r\n\tby {hostname} with {with}{tls} id {id}{recipient};\r\n\t{date}\r\n")
}

/// Version, cipher suite and group, as in the log.
fn tls_text(facts: &TlsFacts) -> String {
    let group = facts.group.as_deref().map(|group| format!(" {group}")).unwrap_or_default();
    format!("{} {}{group}", facts.version, facts.cipher)
}

/// RFC 3848.
fn protocol(trace: &Trace<'_>) -> &'static str {
    match (trace.extended, trace.tls.is_some(), trace.authenticated) {
        (false, _, _) => "SMTP",
        (true, false, false) => "ESMTP",
        (true, false, true) => "ESMTPA",
        (true, true, false) => "ESMTPS",
        (true, true, true) => "ESMTPSA",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn trace() -> Trace<'static> {
        Trace {
            hello: "client.example",
            extended: true,
            peer: IpAddr::from([192, 0, 2, 1]),
            hostname: "mx.example",
            tls: None,
            authenticated: false,
            id: "42.1",
            recipient: None,
            date: datetime!(2026-03-01 12:00:00 UTC),
        }
    }

    fn facts() -> TlsFacts {
        TlsFacts {
            version: "TLSv1.3".to_owned(),
            cipher: "TLS_AES_128_GCM_SHA256".to_owned(),
            group: Some("x25519".to_owned()),
            server_name: None,
            alpn: None,
            peer_chain: vec![],
            resumed: false,
            exporter: None,
        }
    }

    #[test]
    fn received_in_plain() {
        assert_eq!(
            received(&trace()),
            "Received: from client.example ([192.0.2.1])\r\n\tby mx.example with ESMTP id 42.1;\r\n\tSun, 01 Mar 2026 12:00:00 +0000\r\n"
        );
    }

    #[test]
    fn received_with_everything() {
        let peer: IpAddr = "2001:db8::1".parse().unwrap();
        let facts = facts();
        let full = Trace { peer, tls: Some(&facts), authenticated: true, recipient: Some("bob@mx.example"), ..trace() };
        assert_eq!(
            received(&full),
            "Received: from client.example ([IPv6:2001:db8::1])\r\n\tby mx.example with ESMTPSA\r\n\t(TLSv1.3 TLS_AES_128_GCM_SHA256 x25519) id 42.1\r\n\tfor <bob@mx.example>;\r\n\tSun, 01 Mar 2026 12:00:00 +0000\r\n"
        );
    }

    #[test]
    fn a_mapped_address_is_shown_as_what_it_is() {
        let peer: IpAddr = "::ffff:192.0.2.7".parse().unwrap();
        assert!(received(&Trace { peer, ..trace() }).contains("([192.0.2.7])"));
    }

    #[test]
    fn protocol_names_are_those_of_rfc_3848() {
        let facts = facts();
        let tls = Some(&facts);
        assert_eq!(protocol(&Trace { extended: false, tls, ..trace() }), "SMTP");
        assert_eq!(protocol(&Trace { tls, ..trace() }), "ESMTPS");
        assert_eq!(protocol(&Trace { authenticated: true, ..trace() }), "ESMTPA");
    }

    #[test]
    fn return_path_of_a_bounce_is_empty() {
        assert_eq!(return_path(&ReversePath::Null), "Return-Path: <>\r\n");
    }
}
