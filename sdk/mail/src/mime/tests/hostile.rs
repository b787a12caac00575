//! Messages that nobody should send.

use super::*;

#[test]
fn no_header_only_header_nothing() {
    for (message, header, body, lines) in [
        (&b""[..], 0..0, 0..0, 0),
        (b"\r\n", 0..2, 2..2, 0),
        (b"\r\nbody", 0..2, 2..6, 1),
        (b"\nbody\n", 0..1, 1..6, 1),
        (b"Subject: x", 0..10, 10..10, 0),
        (b"Subject: x\r\n", 0..12, 12..12, 0),
        (b"Subject: x\r\n\r\n", 0..14, 14..14, 0),
        (b"no header at all\r\n", 0..18, 18..18, 0),
    ] {
        let summary = scan(message);
        check(message, &summary);
        let root = summary.root();
        assert_eq!(
            (tree(&summary).as_str(), &root.header, &root.body, root.lines),
            ("text/plain", &header, &body, lines)
        );
        assert_eq!(root.param("charset"), Some(&b"us-ascii"[..]));
    }
    assert_eq!(scan(b"Subject: x").envelope().subject.as_deref(), Some(&b"x"[..]));
}

#[test]
fn a_multipart_that_is_none_is_text() {
    for message in [
        "Content-Type: multipart/mixed\n\n--b\n\nx\n--b--\n",
        "Content-Type: multipart/mixed; boundary=\"\"\n\n--\n\nx\n",
        "Content-Type: multipart/mixed; boundary=b\n\nno boundary here\n",
        "Content-Type: multipart/mixed; boundary=b\n\n--b--\n",
        "Content-Type: multipart/mixed; boundary=b\n",
        "Content-Type: text\n\n",
        "Content-Type: /plain\n\n",
        "Content-Type: \u{e4}/x\n\n",
        "Content-Type:\n\n",
    ] {
        let message = crlf(message);
        let summary = scan(&message);
        check(&message, &summary);
        assert_eq!(tree(&summary), "text/plain", "{}", String::from_utf8_lossy(&message));
    }
    let long = format!("Content-Type: multipart/mixed; boundary={0}\n\n--{0}\n\nx\n", "b".repeat(300));
    assert_eq!(tree(&scan(&crlf(&long))), "text/plain");
}

#[test]
fn what_is_not_ended_ends_with_the_message() {
    let message = crlf("Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/mixed; boundary=i\n\n--i\n\ntext without end");
    let summary = scan(&message);
    check(&message, &summary);
    assert_eq!(tree(&summary), "multipart/mixed(multipart/mixed(text/plain))");
    assert_eq!(body_of(&message, &summary.parts()[2]), b"text without end");
    // A boundary at the very end begins a part of nothing.
    for end in ["--b", "--b\r\n", "--b\r\nContent-Type: message/rfc822"] {
        let message = [b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n", end.as_bytes()].concat();
        let summary = scan(&message);
        check(&message, &summary);
        assert_eq!(summary.children(0).count(), 2, "{end:?}");
    }
}

#[test]
fn an_outer_boundary_ends_inner_parts() {
    let message = crlf("Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/mixed; boundary=i\n\n--i\n\none\n--o\nContent-Type: image/png\n--o\n\nthree\n--o--\n--i\n\nnot a part\n");
    let summary = scan(&message);
    check(&message, &summary);
    assert_eq!(tree(&summary), "multipart/mixed(multipart/mixed(text/plain) image/png text/plain)");
    assert_eq!(body_of(&message, &summary.parts()[4]), b"three");
}

#[test]
fn boundaries_that_begin_like_each_other() {
    let message = crlf("Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=ab\n\n--ab\n\none\n--abc\n--ab\n\ntwo\n--ab--\n--a\n\nthree\n--a--\n");
    let summary = scan(&message);
    check(&message, &summary);
    assert_eq!(tree(&summary), "multipart/mixed(multipart/mixed(text/plain text/plain) text/plain)");
    assert_eq!(body_of(&message, &summary.parts()[2]), b"one\r\n--abc");
    // `--a--` begins a part of the inner multipart, whose boundary is `a--`; `--a----` ends it.
    let message = crlf("Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/related; boundary=\"a--\"\n\n--a--\n\none\n--a----\n--a--\n");
    let summary = scan(&message);
    check(&message, &summary);
    assert_eq!(tree(&summary), "multipart/mixed(multipart/related(text/plain))");
    // The same boundary inside: the inner multipart takes them until it has ended.
    let message = crlf("Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/related; boundary=a\n\n--a\n\none\n--a--\n--a\n\ntwo\n--a--\n");
    assert_eq!(tree(&scan(&message)), "multipart/mixed(multipart/related(text/plain) text/plain)");
}

#[test]
fn an_encoded_message_is_a_file() {
    let message = b"Content-Type: message/rfc822; name=a\r\nContent-Transfer-Encoding: base64\r\n\r\nQQ==";
    assert_eq!(tree(&scan(message)), "application/octet-stream");
}

#[test]
fn nul_and_octets_outside_ascii() {
    let message = b"Subject: a\0b\xe4\r\nFrom: \xff\xfe <a@b>\r\nContent-ID: \0\r\n\r\n\0\0\n\xff";
    let summary = scan(message);
    check(message, &summary);
    assert_eq!(summary.envelope().subject.as_deref(), Some(&b"ab\xe4"[..]));
    assert_eq!(summary.envelope().from.as_deref(), Some(&b"\xff\xfe <a@b>"[..]));
    assert_eq!(summary.root().id.as_deref(), Some(&b""[..]));
    assert_eq!(summary.root().lines, 2);
}

#[test]
fn a_header_that_a_boundary_ends() {
    let head = "Content-Type: multipart/mixed; boundary=o\n\n--o\n";
    // The line end before the boundary is not of the message inside, though it looks like its empty line.
    let message = crlf(&format!("{head}Content-Type: message/rfc822\n\nSubject: x\n\n--o--\n"));
    check(&message, &scan(&message));
    assert_eq!(section(&message, &[1], Section::Whole).as_deref(), Some("Subject: x\r\n"));
    assert_eq!(section(&message, &[1], Section::Header).as_deref(), Some("Subject: x\r\n"));
    assert_eq!(section(&message, &[1], Section::Text).as_deref(), Some(""));
    // A part without body keeps its empty line.
    let message = crlf(&format!("{head}Content-Type: image/png\n\n--o\nContent-ID: <1>\n--o--\n"));
    check(&message, &scan(&message));
    assert_eq!(section(&message, &[1], Section::Mime).as_deref(), Some("Content-Type: image/png\r\n\r\n"));
    assert_eq!(section(&message, &[2], Section::Mime).as_deref(), Some("Content-ID: <1>\r\n"));
    assert_eq!(section(&message, &[2], Section::Whole).as_deref(), Some(""));
    // A message part whose body does not even begin.
    let message = crlf(&format!("{head}Content-Type: message/rfc822\n--o--\n"));
    check(&message, &scan(&message));
    assert_eq!(tree(&scan(&message)), "multipart/mixed(message/rfc822(text/plain))");
    // An inner part that begins right before the boundary of the outer multipart.
    let message = crlf(&format!("{head}Content-Type: multipart/mixed; boundary=i\n\n--i\n--o--\n"));
    check(&message, &scan(&message));
    assert_eq!(section(&message, &[1], Section::Whole).as_deref(), Some("--i"));
}
