//! Sections as IMAP numbers them.

use super::*;

/// The shape of the example of RFC 3501 section 6.4.5.
const EXAMPLE: &str = "Subject: top
Content-Type: multipart/mixed; boundary=m

--m

one
--m
Content-Type: application/octet-stream

two
--m
Content-Type: message/rfc822

Subject: three
Content-Type: multipart/mixed; boundary=n

--n

three one
--n
Content-Type: application/octet-stream

three two
--n--
--m
Content-Type: multipart/mixed; boundary=o

--o
Content-Type: image/gif

four one
--o
Content-Type: message/rfc822

Subject: four two
Content-Type: multipart/mixed; boundary=p

--p

four two one
--p
Content-Type: multipart/alternative; boundary=q

--q

four two two one
--q
Content-Type: text/richtext

four two two two
--q--
--p--
--o--
--m--
";

#[test]
fn the_example_of_rfc3501() {
    let message = crlf(EXAMPLE);
    check(&message, &scan(&message));
    let whole = |path: &[u32]| section(&message, path, Section::Whole);
    assert_eq!(whole(&[]).unwrap().len(), message.len());
    assert_eq!(whole(&[1]).as_deref(), Some("one"));
    assert_eq!(whole(&[2]).as_deref(), Some("two"));
    assert_eq!(whole(&[3, 1]).as_deref(), Some("three one"));
    assert_eq!(whole(&[3, 2]).as_deref(), Some("three two"));
    assert_eq!(whole(&[4, 1]).as_deref(), Some("four one"));
    assert_eq!(whole(&[4, 2, 1]).as_deref(), Some("four two one"));
    assert_eq!(whole(&[4, 2, 2, 1]).as_deref(), Some("four two two one"));
    assert_eq!(whole(&[4, 2, 2, 2]).as_deref(), Some("four two two two"));
    assert!(whole(&[3]).unwrap().starts_with("Subject: three\r\n"));
    assert!(whole(&[4, 2, 2]).unwrap().starts_with("--q\r\n"));
    for absent in [&[0][..], &[5], &[1, 1], &[3, 3], &[4, 1, 1], &[3, 1, 1], &[u32::MAX], &[4, 2, 2, 1, 1]] {
        assert_eq!(whole(absent), None, "{absent:?}");
    }

    let header = |path: &[u32]| section(&message, path, Section::Header);
    assert_eq!(header(&[]).as_deref(), Some("Subject: top\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n"));
    assert_eq!(header(&[3]).as_deref(), Some("Subject: three\r\nContent-Type: multipart/mixed; boundary=n\r\n\r\n"));
    assert!(header(&[4, 2]).unwrap().starts_with("Subject: four two\r\n"));
    let text = |path: &[u32]| section(&message, path, Section::Text);
    assert!(text(&[]).unwrap().starts_with("--m\r\n"));
    assert!(text(&[3]).unwrap().starts_with("--n\r\n"));
    let mime = |path: &[u32]| section(&message, path, Section::Mime);
    assert_eq!(mime(&[1]).as_deref(), Some("\r\n"));
    assert_eq!(mime(&[4, 1]).as_deref(), Some("Content-Type: image/gif\r\n\r\n"));
    assert_eq!(mime(&[4, 2]).as_deref(), Some("Content-Type: message/rfc822\r\n\r\n"));
    assert_eq!(mime(&[4, 2, 2, 2]).as_deref(), Some("Content-Type: text/richtext\r\n\r\n"));
    assert_eq!(mime(&[]), None);
    for no_message in [&[1][..], &[4], &[4, 2, 2], &[9]] {
        assert_eq!((header(no_message), text(no_message)), (None, None), "{no_message:?}");
    }
}

#[test]
fn a_message_that_is_no_multipart_has_one_part() {
    let message = crlf("Subject: x\n\nbody\n");
    assert_eq!(section(&message, &[1], Section::Whole).as_deref(), Some("body\r\n"));
    assert_eq!(section(&message, &[], Section::Text).as_deref(), Some("body\r\n"));
    assert_eq!(section(&message, &[1], Section::Mime).as_deref(), Some("Subject: x\r\n\r\n"));
    for path in [&[2][..], &[0], &[1, 1]] {
        assert_eq!(section(&message, path, Section::Whole), None);
    }
}

#[test]
fn messages_in_messages() {
    let message = crlf(
        "Subject: a\nContent-Type: message/rfc822\n\nSubject: b\nContent-Type: message/rfc822\n\nSubject: c\n\ntext\n",
    );
    check(&message, &scan(&message));
    assert!(section(&message, &[1], Section::Whole).unwrap().starts_with("Subject: b"));
    assert!(section(&message, &[1], Section::Header).unwrap().starts_with("Subject: b"));
    assert!(section(&message, &[1, 1], Section::Whole).unwrap().starts_with("Subject: c"));
    assert!(section(&message, &[1, 1], Section::Mime).unwrap().starts_with("Subject: b"));
    assert!(section(&message, &[1, 1], Section::Header).unwrap().starts_with("Subject: c"));
    assert_eq!(section(&message, &[1, 1, 1], Section::Whole).as_deref(), Some("text\r\n"));
    assert_eq!(section(&message, &[1, 1, 1], Section::Header), None);
    assert_eq!(section(&message, &[1, 1, 1, 1], Section::Whole), None);
}
