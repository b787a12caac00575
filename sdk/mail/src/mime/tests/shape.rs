//! What is found in messages as they should be.

use super::*;

#[test]
fn a_plain_message() {
    let message = crlf("Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\nFrom: Terry Gray <gray@cac.washington.edu>\nSubject: IMAP4rev1 WG mtg\n\tsummary and minutes\nTo: imap@cac.washington.edu\ncc: minutes@CNRI.Reston.VA.US,\n   John Klensin <KLENSIN@MIT.EDU>\nMessage-Id: <B27397-0100000@cac.washington.edu>\nMIME-Version: 1.0\nContent-Type: TEXT/PLAIN; CHARSET=US-ASCII\n\nHello\n\nWorld\n");
    let summary = scan(&message);
    let part = summary.root();
    assert_eq!(tree(&summary), "text/plain");
    assert_eq!(part.param("charset"), Some(&b"US-ASCII"[..]));
    assert_eq!((part.size(), part.lines, part.encoding.as_str()), (16, 3, "7bit"));
    assert_eq!(body_of(&message, part), b"Hello\r\n\r\nWorld\r\n");
    assert!(part.is_text());
    let envelope = summary.envelope();
    assert_eq!(envelope.subject.as_deref(), Some(&b"IMAP4rev1 WG mtg\tsummary and minutes"[..]));
    assert_eq!(envelope.date.as_deref(), Some(&b"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)"[..]));
    assert_eq!(envelope.cc.as_deref(), Some(&b"minutes@CNRI.Reston.VA.US,   John Klensin <KLENSIN@MIT.EDU>"[..]));
    assert_eq!(envelope.message_id.as_deref(), Some(&b"<B27397-0100000@cac.washington.edu>"[..]));
    assert_eq!((&envelope.sender, &envelope.in_reply_to), (&None, &None));
    let length = summary.encode().len();
    assert!(length < 400, "a plain message takes {length} octets");
}

/// The second example of RFC 3501 section 7.4.2, `BODYSTRUCTURE`.
#[test]
fn text_and_an_attachment() {
    let (text, diff) = ("x".repeat(48) + "\n", "QUJD".repeat(15) + "\n");
    let message = crlf(&format!("Content-Type: multipart/MIXED; boundary=\"cut here\"\n\nFor old readers.\n--cut here\nContent-Type: TEXT/PLAIN; CHARSET=US-ASCII\n\n{}\n--cut here  \nContent-Type: TEXT/PLAIN; CHARSET=US-ASCII; NAME=\"cc.diff\"\nContent-ID: <960723163407.20117h@cac.washington.edu>\nContent-Description: Compiler diff\nContent-Transfer-Encoding: BASE64\nContent-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\nContent-Disposition: Attachment; filename=cc.diff\nContent-Language: en, de-AT\nContent-Location: http://example.org/x\n\n{}\n--cut here--\nEpilogue\n", text.repeat(23), diff.repeat(73)));
    let summary = scan(&message);
    check(&message, &summary);
    assert_eq!(tree(&summary), "multipart/mixed(text/plain text/plain)");
    let [_, first, second] = summary.parts() else { panic!("three parts") };
    assert_eq!((first.size(), first.lines), (50 * 23, 23));
    assert_eq!((second.size(), second.lines), (62 * 73, 73));
    assert_eq!(second.id.as_deref(), Some(&b"<960723163407.20117h@cac.washington.edu>"[..]));
    assert_eq!(second.description.as_deref(), Some(&b"Compiler diff"[..]));
    assert_eq!(second.md5.as_deref(), Some(&b"Q2hlY2sgSW50ZWdyaXR5IQ=="[..]));
    assert_eq!(second.location.as_deref(), Some(&b"http://example.org/x"[..]));
    assert_eq!(second.encoding, "base64");
    assert_eq!(second.language, ["en", "de-at"]);
    assert_eq!(second.param("name"), Some(&b"cc.diff"[..]));
    let disposition = second.disposition.as_ref().unwrap();
    assert_eq!(disposition.kind, "attachment");
    assert_eq!((disposition.params[0].name.as_str(), &disposition.params[0].value[..]), ("filename", &b"cc.diff"[..]));
}

#[test]
fn the_line_end_before_a_boundary_is_not_of_the_body() {
    for (body, size, lines) in
        [("", 0, 0), ("\n", 0, 0), ("hello\n", 5, 1), ("hello\n\n", 7, 1), ("a\n\n\n", 5, 2), ("\n\n", 2, 1)]
    {
        let message = crlf(&format!("Content-Type: multipart/mixed; boundary=b\n\n--b\n\n{body}--b--\n"));
        let summary = scan(&message);
        let part = &summary.parts()[1];
        assert_eq!((part.size(), part.lines), (size, lines), "{body:?}");
    }
    let summary = scan(b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\na\r\n\n--b--\n");
    let part = &summary.parts()[1];
    assert_eq!((part.size(), part.lines), (3, 1), "LF line ends");
}

#[test]
fn a_message_in_the_message() {
    let message = crlf("Subject: outer\nContent-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: message/rfc822\n\nSubject: inner\nFrom: a@b\nContent-Type: multipart/alternative; boundary=i\n\n--i\n\none\n--i\nContent-Type: text/html\n\ntwo\n--i--\n\n--o--\n");
    let summary = scan(&message);
    check(&message, &summary);
    assert_eq!(tree(&summary), "multipart/mixed(message/rfc822(multipart/alternative(text/plain text/html)))");
    assert_eq!(summary.envelope().subject.as_deref(), Some(&b"outer"[..]));
    let (rfc822, inner) = (&summary.parts()[1], &summary.parts()[2]);
    assert_eq!(rfc822.envelope, None);
    assert_eq!(inner.envelope.as_ref().unwrap().subject.as_deref(), Some(&b"inner"[..]));
    assert_eq!(inner.header.start, rfc822.body.start);
    assert_eq!(inner.body.end, rfc822.body.end);
}

#[test]
fn parts_of_a_digest_are_messages() {
    let message = crlf("Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: one\n\n1\n--b\nContent-Type: text/plain\n\n2\n--b\n\n\n3\n--b--\n");
    assert_eq!(
        tree(&scan(&message)),
        "multipart/digest(message/rfc822(text/plain) text/plain message/rfc822(text/plain))"
    );
}

#[test]
fn lists_written_twice_are_joined_and_other_fields_count_once() {
    let summary = scan(b"To: a@b\r\nTo: c@d\r\nSubject: one\r\nSubject: two\r\nBcc:\r\n\r\n");
    assert_eq!(summary.envelope().to.as_deref(), Some(&b"a@b, c@d"[..]));
    assert_eq!(summary.envelope().subject.as_deref(), Some(&b"one"[..]));
    assert_eq!(summary.envelope().bcc.as_deref(), Some(&b""[..]));
}

#[test]
fn the_envelope_example_of_rfc3501() {
    // Section 8: the addresses of the envelope in the sample connection.
    let list = addresses(b"minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>");
    let shown: Vec<_> =
        list.iter().map(|one| (one.name.as_deref(), one.mailbox.as_deref(), one.host.as_deref())).collect();
    assert_eq!(
        shown,
        [
            (None, Some(&b"minutes"[..]), Some(&b"CNRI.Reston.VA.US"[..])),
            (Some(&b"John Klensin"[..]), Some(&b"KLENSIN"[..]), Some(&b"MIT.EDU"[..])),
        ]
    );
}
