//! Takes the dots out of `DATA` and finds its end (RFC 5321 sections 4.1.1.4 and 4.5.2).
//!
//! Input comes in whatever pieces the network makes; output are slices of the same input, as long as possible, that
//! together are the message byte for byte. Nothing is buffered but at most one CR.
//!
//! How it fails: a CR without LF or an LF without CR anywhere in the content is an error. The end of data is
//! `CRLF . CRLF` and nothing else, so no two servers can disagree about where a message ends (SMTP smuggling).
//!
//! Bounds: a line longer than the limit is reported by [`Decoder::line_too_long`], once the caller asks; decoding goes
//! on, so that the client can be answered in its turn.

use memchr::memchr2;

/// Decoder for one message.
#[derive(Debug)]
pub struct Decoder {
    state: State,
    /// Octets of the current line so far, without its end and without the stuffed dot.
    line: usize,
    max_line: usize,
    too_long: bool,
}

/// What a piece of input gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// The next octets of the message.
    Content(&'a [u8]),
    /// Nothing left in the input.
    NeedMore,
    /// The message is complete; what follows in the input are commands.
    End,
}

/// Content that no client may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// CR not followed by LF.
    #[error("the message has a CR without LF; lines end with CRLF")]
    BareCr,
    /// LF not preceded by CR.
    #[error("the message has an LF without CR; lines end with CRLF")]
    BareLf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first octet of a line.
    LineStart,
    /// Behind a dot at the start of a line, which is not content.
    Dot,
    /// Behind that dot and CR: the end, or an error.
    DotCr,
    /// Inside a line.
    Text,
    /// Behind a CR that was the last octet of the input, and is held back until its LF comes.
    HeldCr,
}

impl Decoder {
    /// A decoder at the first octet behind the `354` reply.
    pub fn new(max_line: usize) -> Self {
        Decoder { state: State::LineStart, line: 0, max_line, too_long: false }
    }

    /// Whether some line so far was longer than the limit.
    pub fn line_too_long(&self) -> bool {
        self.too_long
    }

    /// Looks at `input` and returns how much of it is done with, and what it gave. Call again with the rest until it
    /// gives [`Piece::NeedMore`] or [`Piece::End`].
    ///
    /// # Errors
    /// [`DecodeError`]; the message is then worthless, and where it ends unknowable.
    pub fn next<'a>(&mut self, input: &'a [u8]) -> Result<(usize, Piece<'a>), DecodeError> {
        let mut from = 0;
        let mut at = 0;
        loop {
            let Some(&byte) = input.get(at) else {
                return Ok((at, content(&input[from..at])));
            };
            match self.state {
                State::LineStart if byte == b'.' => {
                    if at > from {
                        return Ok((at, Piece::Content(&input[from..at])));
                    }
                    self.state = State::Dot;
                    at += 1;
                    from = at;
                }
                State::LineStart => self.state = State::Text,
                State::Dot => match byte {
                    b'\r' => {
                        self.state = State::DotCr;
                        at += 1;
                        from = at;
                    }
                    b'\n' => return Err(DecodeError::BareLf),
                    _ => self.state = State::Text,
                },
                State::DotCr if byte == b'\n' => return Ok((at + 1, Piece::End)),
                State::DotCr => return Err(DecodeError::BareCr),
                State::HeldCr if byte == b'\n' => {
                    self.end_line();
                    return Ok((at + 1, Piece::Content(b"\r\n")));
                }
                State::HeldCr => return Err(DecodeError::BareCr),
                State::Text => {
                    let Some(length) = memchr2(b'\r', b'\n', &input[at..]) else {
                        self.grow_line(input.len() - at);
                        return Ok((input.len(), content(&input[from..])));
                    };
                    self.grow_line(length);
                    at += length;
                    if input[at] == b'\n' {
                        return Err(DecodeError::BareLf);
                    }
                    match input.get(at + 1) {
                        Some(b'\n') => {
                            self.end_line();
                            at += 2;
                        }
                        Some(_) => return Err(DecodeError::BareCr),
                        None => {
                            self.state = State::HeldCr;
                            return Ok((at + 1, content(&input[from..at])));
                        }
                    }
                }
            }
        }
    }

    fn grow_line(&mut self, octets: usize) {
        self.line += octets;
        self.too_long |= self.line > self.max_line;
    }

    fn end_line(&mut self) {
        self.line = 0;
        self.state = State::LineStart;
    }
}

fn content(slice: &[u8]) -> Piece<'_> {
    if slice.is_empty() {
        Piece::NeedMore
    } else {
        Piece::Content(slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Content and what was left behind the end, or the error; `None` if the end did not come.
    type Outcome = Result<Option<(Vec<u8>, Vec<u8>)>, DecodeError>;

    fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
        let mut decoder = Decoder::new(usize::MAX);
        let mut message = Vec::new();
        let mut pieces = pieces.into_iter();
        while let Some(piece) = pieces.next() {
            let mut at = 0;
            loop {
                let (used, got) = decoder.next(&piece[at..])?;
                at += used;
                match got {
                    Piece::Content(content) => {
                        assert!(!content.is_empty());
                        message.extend_from_slice(content);
                    }
                    Piece::NeedMore => {
                        assert_eq!(at, piece.len());
                        break;
                    }
                    Piece::End => {
                        let rest = std::iter::once(&piece[at..]).chain(pieces).collect::<Vec<_>>().concat();
                        return Ok(Some((message, rest)));
                    }
                }
            }
        }
        Ok(None)
    }

    /// The same, written line by line over the whole input, with none of the decoder's states.
    fn reference(input: &[u8]) -> Outcome {
        let mut message = Vec::new();
        let mut rest = input;
        loop {
            let Some(at) = rest.iter().position(|b| matches!(b, b'\r' | b'\n')) else {
                return Ok(None);
            };
            match (rest[at], rest.get(at + 1)) {
                (b'\n', _) => return Err(DecodeError::BareLf),
                (_, Some(b'\n')) => {}
                (_, None) => return Ok(None),
                _ => return Err(DecodeError::BareCr),
            }
            let (line, after) = rest.split_at(at + 2);
            rest = after;
            match line {
                b".\r\n" => return Ok(Some((message, rest.to_vec()))),
                [b'.', line @ ..] => message.extend_from_slice(line),
                line => message.extend_from_slice(line),
            }
        }
    }

    #[test]
    fn dots_go_and_the_end_is_found() {
        for (wire, message) in [
            (".\r\n", ""),
            ("\r\n.\r\n", "\r\n"),
            ("a\r\n.\r\n", "a\r\n"),
            ("..\r\n.\r\n", ".\r\n"),
            ("a\r\n..b\r\n...\r\n.\r\n", "a\r\n.b\r\n..\r\n"),
            (".a\r\n.\r\n", "a\r\n"),
            ("a.\r\n.\r\n", "a.\r\n"),
        ] {
            let want = Ok(Some((message.as_bytes().to_vec(), b"NOOP\r\n".to_vec())));
            let wire = [wire.as_bytes(), b"NOOP\r\n"].concat();
            assert_eq!(decode([&wire[..]]), want, "{wire:?}");
            assert_eq!(decode(wire.chunks(1)), want, "{wire:?} octet by octet");
        }
    }

    #[test]
    fn smuggled_ends_are_errors() {
        for (wire, want) in [
            ("a\n.\r\n", DecodeError::BareLf),
            ("a\n.\n", DecodeError::BareLf),
            ("a\r\n.\n", DecodeError::BareLf),
            ("a\r.\r\n", DecodeError::BareCr),
            ("a\r\n.\r.\r\n", DecodeError::BareCr),
            ("a\r\r\n.\r\n", DecodeError::BareCr),
            ("a\r\n\n.\r\n", DecodeError::BareLf),
            ("\n", DecodeError::BareLf),
        ] {
            assert_eq!(decode([wire.as_bytes()]), Err(want), "{wire:?}");
            assert_eq!(decode(wire.as_bytes().chunks(1)), Err(want), "{wire:?} octet by octet");
        }
    }

    #[test]
    fn a_long_line_is_noticed_across_pieces() {
        let mut decoder = Decoder::new(5);
        for (piece, too_long) in
            [("..1234", false), ("\r\n", false), ("12345\r\n123", false), ("45", false), ("6", true)]
        {
            let mut at = 0;
            loop {
                let (used, got) = decoder.next(&piece.as_bytes()[at..]).unwrap();
                at += used;
                if got == Piece::NeedMore {
                    break;
                }
            }
            assert_eq!(decoder.line_too_long(), too_long, "after {piece:?}");
        }
    }

    #[test]
    fn plain_text_comes_in_one_piece() {
        let text = b"Subject: x\r\n\r\nline\r\nline\r\n";
        assert_eq!(Decoder::new(998).next(text), Ok((text.len(), Piece::Content(text))));
    }

    fn wire() -> impl Strategy<Value = Vec<u8>> {
        let token = prop_oneof![
            4 => Just(&b"\r\n"[..]), 3 => Just(&b"."[..]), 3 => Just(&b"ab"[..]), 1 => Just(&b"\x00\xff"[..]),
            1 => Just(&b"\r\n.\r\n"[..]),
        ];
        proptest::collection::vec(token, 0..24).prop_map(|tokens| tokens.concat())
    }

    proptest! {
        #[test]
        fn splits_do_not_matter(wire in wire(), noise in proptest::option::of((any::<prop::sample::Index>(), prop_oneof![Just(b'\r'), Just(b'\n')])), cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8)) {
            let mut wire = wire;
            if let Some((at, byte)) = noise {
                wire.insert(at.index(wire.len() + 1), byte);
            }
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(wire.len() + 1)).collect();
            cuts.extend([0, wire.len()]);
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|w| &wire[w[0]..w[1]]);
            prop_assert_eq!(decode(pieces), reference(&wire));
            prop_assert_eq!(decode(wire.chunks(1)), reference(&wire));
        }
    }
}
