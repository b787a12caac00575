//! The content of `DATA`: the decoder beside a plain one, whatever the pieces.

use crate::data::{Decoder, HopCounter, Piece};
use crate::pieces::cut;

/// What a decoder made of the wire.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// Content, whether a line was too long, and what was left behind the end.
    Message(Vec<u8>, bool, Vec<u8>),
    /// The end did not come.
    Unfinished,
    /// A bare CR or LF; the error as `Debug` shows it, since its type is the plugin's own.
    Refused(String),
}

/// First octet: the longest line. Second: how the rest is cut. Rest: what comes over the wire.
pub fn smtp_data(input: &[u8]) -> bool {
    let [longest, pattern, wire @ ..] = input else {
        return false;
    };
    let longest = usize::from(*longest);
    let pieces = cut(wire, *pattern);
    let outcome = decode(&pieces, longest);
    assert_eq!(outcome, reference(wire, longest), "cut into {pieces:?}");
    let Outcome::Message(message, ..) = &outcome else {
        return false;
    };
    let mut whole = HopCounter::default();
    whole.feed(message);
    let mut cut_up = HopCounter::default();
    cut(message, *pattern).into_iter().for_each(|piece| cut_up.feed(piece));
    assert_eq!(whole.hops(), cut_up.hops(), "the pieces change the count of hops");
    assert!(whole.hops() <= message.len() / "received:".len());
    true
}

fn decode(pieces: &[&[u8]], longest: usize) -> Outcome {
    let mut decoder = Decoder::new(longest);
    let mut message = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        let mut rest = *piece;
        loop {
            let (used, got) = match decoder.next(rest) {
                Ok(step) => step,
                Err(error) => return Outcome::Refused(format!("{error:?}")),
            };
            rest = &rest[used..];
            match got {
                Piece::Content(content) => {
                    assert!(!content.is_empty(), "a piece of nothing");
                    message.extend_from_slice(content);
                }
                Piece::NeedMore => {
                    assert!(rest.is_empty(), "it wants more and has not used what it has");
                    break;
                }
                Piece::End => {
                    let after = [rest, &pieces[at + 1..].concat()].concat();
                    return Outcome::Message(message, decoder.line_too_long(), after);
                }
            }
        }
    }
    Outcome::Unfinished
}

/// The same line by line over the whole wire.
fn reference(wire: &[u8], longest: usize) -> Outcome {
    let mut message = Vec::new();
    let mut too_long = false;
    let mut rest = wire;
    loop {
        let Some(at) = rest.iter().position(|b| matches!(b, b'\r' | b'\n')) else {
            return Outcome::Unfinished;
        };
        match (rest[at], rest.get(at + 1)) {
            (b'\n', _) => return Outcome::Refused("BareLf".to_owned()),
            (_, Some(b'\n')) => {}
            (_, None) => return Outcome::Unfinished,
            _ => return Outcome::Refused("BareCr".to_owned()),
        }
        let (line, after) = rest.split_at(at + 2);
        rest = after;
        if line == b".\r\n" {
            return Outcome::Message(message, too_long, rest.to_vec());
        }
        let line = line.strip_prefix(b".").unwrap_or(line);
        too_long |= line.len() - 2 > longest;
        message.extend_from_slice(line);
    }
}
