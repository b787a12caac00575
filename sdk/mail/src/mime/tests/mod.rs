//! Whole messages through the scanner, and what is asked about them.

mod bounds;
mod hostile;
mod sections;
mod shape;
mod stored;

use proptest::prelude::*;

use super::*;

/// The summary of a message in one piece.
fn scan(message: &[u8]) -> Summary {
    scan_pieces(message, message.len().max(1))
}

fn scan_pieces(message: &[u8], size: usize) -> Summary {
    let mut scanner = Scanner::new(&Limits::default());
    message.chunks(size).for_each(|piece| scanner.push(piece));
    scanner.finish()
}

/// Text as it goes over the wire.
fn crlf(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

/// The tree in one line: `multipart/mixed(text/plain image/png)`.
fn tree(summary: &Summary) -> String {
    fn one(summary: &Summary, index: usize) -> String {
        let part = &summary.parts()[index];
        let inside: Vec<_> = summary.children(index).map(|(child, _)| one(summary, child)).collect();
        let name = format!("{}/{}", part.media_type, part.subtype);
        if inside.is_empty() {
            name
        } else {
            format!("{name}({})", inside.join(" "))
        }
    }
    one(summary, 0)
}

fn body_of<'a>(message: &'a [u8], part: &Part) -> &'a [u8] {
    &message[part.body.start as usize..part.body.end as usize]
}

/// The octets of a section as text.
fn section(message: &[u8], path: &[u32], section: Section) -> Option<String> {
    let range = locate(&scan(message), path, section)?;
    Some(String::from_utf8_lossy(&message[range.start as usize..range.end as usize]).into_owned())
}

/// Text that looks like a message here and there.
fn messages() -> impl Strategy<Value = Vec<u8>> {
    let pieces = proptest::sample::select(vec![
        "\r\n",
        "\n",
        "\r",
        "--",
        "--a",
        "--a--",
        "--ab",
        "a",
        "b",
        " ",
        "\t",
        "x: y",
        "\0",
        "\u{e4}",
        "Content-Type: multipart/mixed; boundary=a\r\n",
        "Content-Type: multipart/digest; boundary=\"ab\"\r\n",
        "Content-Type: multipart/mixed; boundary=a--\n",
        "Content-Type: message/rfc822\r\n",
        "Content-Type: image/png; name*0=x; name*1*=%20\r\n",
        "\r\n--a\r\n",
        "\n--a\n",
        "\r\n--ab\r\n",
        "\r\n--a--\r\n",
        "\r\n--ab--",
        "\r\n\r\n",
        "\n\n",
        "Subject: one\r\n two\r\n",
        "From: <a@b>\n",
    ]);
    proptest::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat().into_bytes())
}

/// What holds for every summary.
fn check(message: &[u8], summary: &Summary) {
    assert_eq!(summary.size(), message.len() as u64);
    assert_eq!(Summary::decode(&summary.encode()).as_ref(), Ok(summary));
    for (index, part) in summary.parts().iter().enumerate() {
        assert_eq!(part.header.end, part.body.start);
        let body = body_of(message, part);
        let unfinished = !body.is_empty() && !body.ends_with(b"\n");
        let lines = body.iter().filter(|&&byte| byte == b'\n').count() as u64 + u64::from(unfinished);
        assert_eq!(part.lines, lines, "lines of {part:?}");
        let children = summary.children(index).count();
        assert_eq!(part.kind == Kind::Leaf, children == 0);
        if part.kind == Kind::Message {
            assert_eq!(children, 1);
        }
        for (_, child) in summary.children(index) {
            assert!(part.body.start <= child.header.start && child.body.end <= part.body.end);
            assert_eq!(child.envelope.is_some(), part.kind == Kind::Message);
        }
    }
}

proptest! {
    #[test]
    fn the_summary_does_not_depend_on_cuts(message in messages(), sizes in proptest::collection::vec(1_usize..30, 1..10)) {
        let whole = scan(&message);
        check(&message, &whole);
        prop_assert_eq!(&scan_pieces(&message, 1), &whole);
        let mut scanner = Scanner::new(&Limits::default());
        let mut rest = &message[..];
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, more) = rest.split_at((*size).min(rest.len()));
            scanner.push(piece);
            rest = more;
        }
        prop_assert_eq!(&scanner.finish(), &whole);
    }

    #[test]
    fn cuts_do_not_matter_at_the_limits_either(message in messages(), size in 1_usize..20) {
        let limits = Limits { header_octets: 40, parts: 4, depth: 3, params: 1 };
        let mut one = Scanner::new(&limits);
        one.push(&message);
        let mut many = Scanner::new(&limits);
        message.chunks(size).for_each(|piece| many.push(piece));
        let summary = one.finish();
        check(&message, &summary);
        prop_assert!(summary.parts().len() <= 4);
        prop_assert_eq!(many.finish(), summary);
    }

    #[test]
    fn any_octets_are_a_message(message in proptest::collection::vec(any::<u8>(), 0..200)) {
        check(&message, &scan(&message));
    }
}
