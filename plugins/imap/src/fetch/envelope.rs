//! ENVELOPE (RFC 9051 section 7.5.2): ten fields of a header.

use dovetail_imap_grammar::TextMode;
use dovetail_mail::mime::{addresses, Envelope, ListedAddress};

use super::params::nstring;

/// Writes an envelope.
pub fn write(out: &mut Vec<u8>, envelope: &Envelope, mode: TextMode) {
    let text = |value: &Option<Vec<u8>>, out: &mut Vec<u8>| nstring(out, value.as_deref(), mode);
    out.push(b'(');
    text(&envelope.date, out);
    out.push(b' ');
    text(&envelope.subject, out);
    let from = list(&envelope.from);
    for own in [&envelope.from, &envelope.sender, &envelope.reply_to] {
        out.push(b' ');
        // A Sender or Reply-To that is not there, or has nobody in it, is the From.
        let own = list(own);
        write_list(out, if own.is_empty() { &from } else { &own }, mode);
    }
    for field in [&envelope.to, &envelope.cc, &envelope.bcc] {
        out.push(b' ');
        write_list(out, &list(field), mode);
    }
    out.push(b' ');
    text(&envelope.in_reply_to, out);
    out.push(b' ');
    text(&envelope.message_id, out);
    out.push(b')');
}

fn list(value: &Option<Vec<u8>>) -> Vec<ListedAddress> {
    value.as_deref().map(addresses).unwrap_or_default()
}

fn write_list(out: &mut Vec<u8>, list: &[ListedAddress], mode: TextMode) {
    if list.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    for address in list {
        out.push(b'(');
        nstring(out, address.name.as_deref(), mode);
        // Source routes are history.
        out.extend_from_slice(b" NIL ");
        nstring(out, address.mailbox.as_deref(), mode);
        out.push(b' ');
        nstring(out, address.host.as_deref(), mode);
        out.push(b')');
    }
    out.push(b')');
}
