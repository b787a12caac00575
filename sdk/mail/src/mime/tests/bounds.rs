//! What a message can make the scanner keep.

use super::*;

/// Multiparts in multiparts, `levels` deep.
fn nested(levels: usize) -> Vec<u8> {
    let mut message = Vec::new();
    for level in 0..levels {
        message.extend_from_slice(
            format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n").as_bytes(),
        );
    }
    message.extend_from_slice(b"\r\nthe end");
    message
}

fn depth(summary: &Summary) -> usize {
    tree(summary).matches('(').count() + 1
}

#[test]
fn ten_thousand_levels() {
    let message = nested(10_000);
    let summary = scan(&message);
    check(&message, &summary);
    assert_eq!(depth(&summary), 64);
    let inmost = summary.parts().last().unwrap();
    assert_eq!((inmost.media_type.as_str(), inmost.body.end), ("text", summary.size()));
    let messages = [b"Content-Type: message/rfc822\r\n\r\n".repeat(10_000), b"the end".to_vec()].concat();
    let summary = scan(&messages);
    check(&messages, &summary);
    assert_eq!(depth(&summary), 64);
}

#[test]
fn levels_within_the_limit_are_all_there() {
    assert_eq!(depth(&scan(&nested(63))), 64);
    assert_eq!(depth(&scan(&nested(10))), 11);
}

#[test]
fn ten_thousand_parts() {
    let message = [
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_vec(),
        b"--b\r\n\r\nx\r\n".repeat(10_000),
        b"--b--".to_vec(),
    ]
    .concat();
    let summary = scan(&message);
    check(&message, &summary);
    assert_eq!(summary.parts().len(), 1_000);
    assert_eq!(summary.root().body.end, summary.size());
    assert_eq!(summary.parts().last().unwrap().size(), 1, "what lies behind is of no part");
}

#[test]
fn a_header_without_end() {
    let fields = b"Subject: x\r\nX-Long: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n".repeat(20_000);
    let message = [fields.as_slice(), b"To: late@example.org\r\n\r\nbody"].concat();
    let summary = scan(&message);
    check(&message, &summary);
    assert_eq!(summary.envelope().subject.as_deref(), Some(&b"x"[..]));
    assert_eq!(summary.envelope().to, None, "beyond the limit");
    assert_eq!(body_of(&message, summary.root()), b"body");
    let mut scanner = Scanner::new(&Limits::default());
    (0..1_000).for_each(|_| scanner.push(&b"x".repeat(1_000)));
    assert!(scanner.kept() <= 300 * 1024);
}

#[test]
fn values_of_all_parts_together_are_bounded() {
    let part = format!("--b\r\nContent-Description: {0}\r\nContent-Type: text/x; p={0}\r\n\r\n", "d".repeat(10_000));
    let message = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}", part.repeat(100));
    let summary = scan(message.as_bytes());
    check(message.as_bytes(), &summary);
    assert_eq!(summary.parts().len(), 101);
    assert!(summary.encode().len() < 300 * 1024);
}

#[test]
fn a_body_is_not_kept() {
    let mut scanner = Scanner::new(&Limits::default());
    scanner.push(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n");
    for _ in 0..1_000 {
        scanner.push(b"--not a boundary, and a line that does not end ".repeat(20).as_slice());
        scanner.push(b"\n\n-");
    }
    assert!(scanner.kept() < 2_000);
    assert_eq!(scanner.finish().size(), 52 + 1_000 * (20 * 47 + 3));
}
