//! The fields that final delivery puts on top of a message (RFC 5321 section 4.4): `Return-Path` and `Received`.

use std::net::IpAddr;

use dovetail_mail::address::{Literal, ReversePath};
use time::format_description::well_known::Rfc2822;
use time::{Duration, OffsetDateTime};

/// What they tell.
pub struct Trace<'a> {
    /// Who sent it.
    pub sender: &'a ReversePath,
    /// What the client calls itself.
    pub hello: &'a str,
    /// Where it is.
    pub peer: IpAddr,
    /// Our name.
    pub hostname: &'a str,
    /// Whether there is TLS.
    pub tls: bool,
    /// The message's id, as in the log.
    pub id: &'a str,
    /// When, in milliseconds since 1970.
    pub now: i64,
}

impl Trace<'_> {
    /// Both fields, folded.
    pub fn fields(&self) -> String {
        let Trace { sender, hello, hostname, id, .. } = self;
        let peer = Literal(self.peer.to_canonical());
        // RFC 3848.
        let with = if self.tls { "LMTPS" } else { "LMTP" };
        let date = OffsetDateTime::UNIX_EPOCH.checked_add(Duration::milliseconds(self.now));
        // Only years that RFC 5322 cannot write have no text; a clock that far off is visible without help.
        let date = date.and_then(|date| date.format(&Rfc2822).ok());
        let date = date.unwrap_or_else(|| "Thu, 01 Jan 1970 00:00:00 +0000".to_owned());
        format!(
            "Return-Path: {sender}\r\nReceived: from {hello} ({peer})\r\n\tby {hostname} with {with} id {id};\r\n\t{date}\r\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_fields() {
        let peer = "::ffff:192.0.2.1".parse().unwrap();
        let (sender, hello, hostname) = (&ReversePath::Null, "front.example", "mail.example");
        let trace = Trace { sender, hello, peer, hostname, tls: true, id: "s1.1", now: 1_772_366_400_000 };
        assert_eq!(
            trace.fields(),
            "Return-Path: <>\r\nReceived: from front.example ([192.0.2.1])\r\n\tby mail.example with LMTPS id s1.1;\r\n\tSun, 01 Mar 2026 12:00:00 +0000\r\n"
        );
    }
}
