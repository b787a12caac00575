//! The trees of RFC 9051 section 7.5.2, and what else clients have to be able to read.

use super::*;
use crate::testing::summary;

fn written(message: &str, extended: bool) -> String {
    let mut out = Vec::new();
    write(&mut out, &summary(message.replace('\n', "\r\n").as_bytes()), extended, TextMode::Utf7);
    String::from_utf8(out).unwrap()
}

/// So many octets with CRLF at the end of each of so many lines; each LF of it becomes CRLF later.
fn text(octets: usize, lines: usize) -> String {
    let letters = octets - 2 * lines;
    let line = |n: usize| "x".repeat(letters / lines + usize::from(n < letters % lines)) + "\n";
    (0..lines).map(line).collect()
}

#[test]
fn examples_of_the_rfcs() {
    let plain = |octets, lines| format!("Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\n\n{}", text(octets, lines));
    let body = r#"("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 2279 48)"#;
    assert_eq!(written(&plain(2279, 48), false), body);
    let body = r#"("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 3028 92)"#;
    assert_eq!(written(&plain(3028, 92), false), body);
    let two = format!(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n{}\n--b\n\
         Content-Type: TEXT/PLAIN; CHARSET=US-ASCII; NAME=\"cc.diff\"\n\
         Content-ID: <960723163407.20117h@cac.washington.edu>\n\
         Content-Description: Compiler diff\n\
         Content-Transfer-Encoding: BASE64\n\n{}\n--b--\n",
        plain(1152, 23),
        text(4554, 73),
    );
    let parts = r#"("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 1152 23)("TEXT" "PLAIN" ("CHARSET" "US-ASCII" "NAME" "cc.diff") "<960723163407.20117h@cac.washington.edu>" "Compiler diff" "BASE64" 4554 73)"#;
    assert_eq!(written(&two, false), format!(r#"({parts} "MIXED")"#));
}

#[test]
fn the_extension_has_all_or_nil() {
    let leaf = "Content-Type: image/png; name=\"a \\\"b\\\".png\"\n\
                Content-Transfer-Encoding: base64\n\
                Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\n\
                Content-Disposition: attachment; filename=x.png; size=3\n\
                Content-Language: de, en-GB\n\
                Content-Location: http://example.test/x.png\n\nAAAA";
    let expected = r#"("IMAGE" "PNG" ("NAME" "a \"b\".png") NIL NIL "BASE64" 4 "Q2hlY2sgSW50ZWdyaXR5IQ==" ("ATTACHMENT" ("FILENAME" "x.png" "SIZE" "3")) ("de" "en-gb") "http://example.test/x.png")"#;
    assert_eq!(written(leaf, true), expected);
    let multipart = "Content-Type: multipart/related; boundary=b; type=\"text/html\"\n\
                     Content-Disposition: inline\nContent-Language: fr\n\n--b\n\nx\n--b--\n";
    let expected = r#"(("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" 1 1 NIL NIL NIL NIL) "RELATED" ("BOUNDARY" "b" "TYPE" "text/html") ("INLINE" NIL) "fr" NIL)"#;
    assert_eq!(written(multipart, true), expected);
}

#[test]
fn a_message_within_has_envelope_structure_and_lines() {
    let message = "Content-Type: message/rfc822\n\nSubject: within\nFrom: a@x.test\n\nline\n";
    let from = r#"((NIL NIL "a" "x.test"))"#;
    let envelope = format!(r#"(NIL "within" {from} {from} {from} NIL NIL NIL NIL NIL)"#);
    let inner = r#"("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" 6 1)"#;
    let size = "Subject: within\r\nFrom: a@x.test\r\n\r\nline\r\n".len();
    let expected = format!(r#"("MESSAGE" "RFC822" NIL NIL NIL "7BIT" {size} {envelope} {inner} 4)"#);
    assert_eq!(written(message, false), expected);
}

#[test]
fn every_message_has_a_structure_that_can_be_read() {
    for message in [
        "",
        "\n",
        "x",
        "Content-Type: multipart/mixed; boundary=b\n\n",
        "Content-Type: multipart/mixed; boundary=b\n\nno boundary anywhere\n",
        "Content-Type: multipart/mixed; boundary=b\n\n--b--\n",
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n",
        "Content-Type: multipart/mixed\n\n--b\n\nx\n--b--\n",
        "Content-Type: message/rfc822\n\n",
        "Content-Type: message/rfc822\n",
        "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeA0KDQo=\n",
        "Content-Type: message/partial; id=x; number=1\n\nx",
        "Content-Type: nonsense\n\nx",
        "Content-Type: text/\"\n\nx",
        "Content-Type: text/plain; name=\"a\n b\"; x\n\nx",
        "Content-Disposition:\nContent-Language:\nContent-Location:\nContent-ID:\nContent-MD5:\n\nx",
    ] {
        for extended in [false, true] {
            let structure = written(message, extended);
            assert!(is_body(&mut structure.as_bytes(), extended), "{message:?}: {structure}");
        }
    }
}

/// Whether this is `body` of RFC 9051 section 9, read to its end.
fn is_body(text: &mut &[u8], extended: bool) -> bool {
    let whole = body(text, extended);
    whole.is_some() && text.is_empty()
}

fn body(text: &mut &[u8], extended: bool) -> Option<()> {
    eat(text, b"(")?;
    if text.starts_with(b"(") {
        while text.starts_with(b"(") {
            body(text, extended)?;
        }
        eat(text, b" ")?;
        value(text)?;
        if extended {
            // Parameters, disposition, language, location.
            values(text, 4)?;
        }
        return eat(text, b")");
    }
    let message = text.starts_with(b"\"MESSAGE\" \"RFC822\"") || text.starts_with(b"\"MESSAGE\" \"GLOBAL\"");
    let lines = message || text.starts_with(b"\"TEXT\" ");
    value(text)?;
    values(text, 6)?;
    if message {
        values(text, 1)?;
        eat(text, b" ")?;
        body(text, extended)?;
    }
    values(text, usize::from(lines) + if extended { 4 } else { 0 })?;
    eat(text, b")")
}

fn values(text: &mut &[u8], count: usize) -> Option<()> {
    (0..count).try_for_each(|_| eat(text, b" ").and_then(|()| value(text)))
}

/// A string, a number, NIL, or a list of such.
fn value(text: &mut &[u8]) -> Option<()> {
    if text.starts_with(b"(") {
        eat(text, b"(")?;
        loop {
            value(text)?;
            if eat(text, b")").is_some() {
                return Some(());
            }
            if !text.starts_with(b"(") {
                eat(text, b" ")?;
            }
        }
    }
    if eat(text, b"\"").is_some() {
        while !text.starts_with(b"\"") {
            let skip = if text.starts_with(b"\\") { 2 } else { 1 };
            *text = text.get(skip..)?;
        }
        return eat(text, b"\"");
    }
    let length = text.iter().take_while(|octet| octet.is_ascii_alphanumeric()).count();
    *text = text.get(length..)?;
    (length > 0).then_some(())
}

fn eat(text: &mut &[u8], what: &[u8]) -> Option<()> {
    *text = text.strip_prefix(what)?;
    Some(())
}
