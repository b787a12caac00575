//! A message on its way out: stuffed in pieces and read back like a client; and where TOP stops.

use crate::pieces::cut;
use crate::stuffing::Stuffing;
use crate::top::TopFilter;

/// First octet: lines for TOP. Second: how the rest is cut. Rest: the message.
pub fn pop3_dots(input: &[u8]) -> bool {
    let [lines, pattern, message @ ..] = input else {
        return false;
    };
    let pieces = cut(message, *pattern);
    let wire = stuff(&pieces);
    assert_eq!(wire, stuff(&[message]), "the pieces make a difference");
    let mut want = message.to_vec();
    if !want.is_empty() && !want.ends_with(b"\r\n") {
        want.extend_from_slice(b"\r\n");
    }
    assert_eq!(unstuff(&wire).as_ref(), Some(&want), "a client reads something else");

    let lines = u64::from(*lines);
    let shown = top(&pieces, lines);
    assert_eq!(shown, top(&[message], lines), "the pieces change where TOP stops");
    assert_eq!(shown, reference(message, lines));
    true
}

fn stuff(pieces: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut stuffing = Stuffing::new();
    for piece in pieces {
        stuffing.feed(piece, |bytes| out.extend_from_slice(bytes));
    }
    out.extend_from_slice(stuffing.finish());
    out
}

/// What a client does: lines up to a lone dot, dots undoubled.
fn unstuff(wire: &[u8]) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    let mut lines = wire.split_inclusive(|&b| b == b'\n');
    loop {
        match lines.next()? {
            b".\r\n" => return lines.next().is_none().then_some(message),
            [b'.', line @ ..] | line => message.extend_from_slice(line),
        }
    }
}

fn top(pieces: &[&[u8]], lines: u64) -> Vec<u8> {
    let mut filter = TopFilter::new(lines);
    let mut out = Vec::new();
    for piece in pieces {
        let taken = filter.take(piece);
        out.extend_from_slice(&piece[..taken]);
        if filter.done() {
            break;
        }
        assert_eq!(taken, piece.len(), "it stops and is not done");
    }
    out
}

/// Header, empty line, and so many lines.
fn reference(message: &[u8], lines: u64) -> Vec<u8> {
    let mut out = Vec::new();
    let mut left = None;
    for line in message.split_inclusive(|&b| b == b'\n') {
        match &mut left {
            Some(0) => break,
            Some(left) => *left -= 1,
            None if matches!(line, b"\n" | b"\r\n") => left = Some(lines),
            None => {}
        }
        out.extend_from_slice(line);
    }
    out
}
