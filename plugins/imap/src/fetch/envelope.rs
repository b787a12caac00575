//! ENVELOPE (RFC 9051 section 7.5.2): ten fields of a header.

use dovetail_imap_grammar::TextMode;
use dovetail_mail::mime::{addresses, Envelope, ListedAddress};

use dovetail_imap_grammar::encode::nstring;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::summary;

    fn written(header: &str, mode: TextMode) -> String {
        let mut out = Vec::new();
        write(&mut out, summary(header.replace('\n', "\r\n").as_bytes()).envelope(), mode);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn example_of_the_rfc() {
        // RFC 3501 section 8
        let envelope = written(
            "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\n\
             From: Terry Gray <gray@cac.washington.edu>\n\
             Subject: IMAP4rev1 WG mtg summary and minutes\n\
             To: imap@cac.washington.edu\n\
             cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\n\
             Message-Id: <B27397-0100000@cac.washington.edu>\n\n",
            TextMode::Utf7,
        );
        let gray = r#"(("Terry Gray" NIL "gray" "cac.washington.edu"))"#;
        let expected = format!(
            r#"("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev1 WG mtg summary and minutes" {gray} {gray} {gray} ((NIL NIL "imap" "cac.washington.edu")) ((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) NIL NIL "<B27397-0100000@cac.washington.edu>")"#
        );
        assert_eq!(envelope, expected);
    }

    #[test]
    fn what_is_not_there_is_nil() {
        assert_eq!(written("X: y\n\n", TextMode::Utf7), "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
        // There, but empty: that is not the same (RFC 9051 section 7.5.2).
        assert!(written("Subject:\n\n", TextMode::Utf7).starts_with("(NIL \"\" NIL"));
    }

    #[test]
    fn the_sender_may_be_somebody_else() {
        let envelope = written(
            "From: a@x.test, b@x.test\nSender: s@x.test\nReply-To:\nIn-Reply-To: <1@x.test>\nBcc: h@x.test\n\n",
            TextMode::Utf7,
        );
        let (a, b) = (r#"(NIL NIL "a" "x.test")"#, r#"(NIL NIL "b" "x.test")"#);
        let expected = format!(
            r#"(NIL NIL ({a}{b}) ((NIL NIL "s" "x.test")) ({a}{b}) NIL NIL ((NIL NIL "h" "x.test")) "<1@x.test>" NIL)"#
        );
        assert_eq!(envelope, expected);
    }

    #[test]
    fn groups_have_a_beginning_and_an_end() {
        let envelope = written("To: A Group: Chris <c@a.test>, joe@b.test;, \"x\\\"y\" <z@c.test>\n\n", TextMode::Utf7);
        let expected = r#"(NIL NIL NIL NIL NIL ((NIL NIL "A Group" NIL)("Chris" NIL "c" "a.test")(NIL NIL "joe" "b.test")(NIL NIL NIL NIL)("x\"y" NIL "z" "c.test")) NIL NIL NIL NIL)"#;
        assert_eq!(envelope, expected);
        assert!(written("Cc: undisclosed-recipients:;\n\n", TextMode::Utf7)
            .contains(r#"((NIL NIL "undisclosed-recipients" NIL)(NIL NIL NIL NIL))"#));
    }

    #[test]
    fn words_stay_encoded_and_eight_bits_are_told_by_the_mode() {
        let word = "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n\n";
        assert!(written(word, TextMode::Utf7).starts_with(r#"(NIL "=?utf-8?q?Gr=C3=BC=C3=9Fe?=" "#));
        assert!(written("Subject: Gr\u{fc}\u{df}e\n\n", TextMode::Utf7).starts_with("(NIL {7}\r\nGr\u{fc}\u{df}e NIL"));
        assert!(written("Subject: Gr\u{fc}\u{df}e\n\n", TextMode::Utf8).starts_with("(NIL \"Gr\u{fc}\u{df}e\" NIL"));
        // A folded line is one line.
        assert!(written("Subject: a\n b\n\n", TextMode::Utf7).starts_with("(NIL \"a b\" NIL"));
    }
}
