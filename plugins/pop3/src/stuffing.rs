//! A message on its way out: dots doubled, and the end put behind it (RFC 1939 section 3, "multi-line").
//!
//! The message comes in whatever pieces the store gives. A line begins behind every LF, with or without CR: a client
//! that takes a lone LF for a line's end must not see the end of the message in the middle of it.

use memchr::memchr_iter;

/// Encoder for one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stuffing {
    last: Last,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    /// LF behind CR, or nothing yet.
    CrLf,
    /// LF behind something else.
    Lf,
    /// CR.
    Cr,
    /// Anything else.
    Other,
}

impl Stuffing {
    /// An encoder at the start of a message.
    pub fn new() -> Self {
        Stuffing { last: Last::CrLf }
    }

    /// Emits the next octets of the message, in as few slices as the dots allow.
    pub fn feed(&mut self, piece: &[u8], mut emit: impl FnMut(&[u8])) {
        let (Some(&first), Some(&last)) = (piece.first(), piece.last()) else {
            return;
        };
        if first == b'.' && matches!(self.last, Last::CrLf | Last::Lf) {
            emit(b".");
        }
        let mut from = 0;
        for lf in memchr_iter(b'\n', piece) {
            if piece.get(lf + 1) == Some(&b'.') {
                emit(&piece[from..=lf]);
                emit(b".");
                from = lf + 1;
            }
        }
        emit(&piece[from..]);
        let before = match piece.len() {
            1 => self.last == Last::Cr,
            n => piece[n - 2] == b'\r',
        };
        self.last = match last {
            b'\n' if before => Last::CrLf,
            b'\n' => Last::Lf,
            b'\r' => Last::Cr,
            _ => Last::Other,
        };
    }

    /// The end. A message whose last line has no CRLF gets one: the end must stand in a line of its own.
    pub fn finish(self) -> &'static [u8] {
        match self.last {
            Last::CrLf => b".\r\n",
            _ => b"\r\n.\r\n",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stuff<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
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

    #[test]
    fn dots_and_ends() {
        for (message, wire) in [
            ("", ".\r\n"),
            ("a\r\n", "a\r\n.\r\n"),
            (".\r\n", "..\r\n.\r\n"),
            ("a\r\n.b\r\n..\r\n", "a\r\n..b\r\n...\r\n.\r\n"),
            ("a.b\r\n", "a.b\r\n.\r\n"),
            ("no end", "no end\r\n.\r\n"),
            ("half\r", "half\r\r\n.\r\n"),
            ("unix\n", "unix\n\r\n.\r\n"),
            ("unix\n.\r\nx\r\n", "unix\n..\r\nx\r\n.\r\n"),
        ] {
            assert_eq!(stuff([message.as_bytes()]), wire.as_bytes(), "{message:?}");
            assert_eq!(stuff(message.as_bytes().chunks(1)), wire.as_bytes(), "{message:?} octet by octet");
        }
    }

    const TOKENS: &[&[u8]] = &[b".", b"\r\n", b"\n", b"\r", b"x\xff\x00"];

    proptest! {
        #[test]
        fn a_client_gets_the_message_back(
            tokens in proptest::collection::vec(prop::sample::select(TOKENS), 0..40),
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
        ) {
            let message = tokens.concat();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(message.len() + 1)).collect();
            cuts.extend([0, message.len()]);
            cuts.sort_unstable();
            let wire = stuff(cuts.windows(2).map(|w| &message[w[0]..w[1]]));
            prop_assert_eq!(&wire, &stuff([&message[..]]));
            let mut want = message;
            if !want.is_empty() && !want.ends_with(b"\r\n") {
                want.extend_from_slice(b"\r\n");
            }
            prop_assert_eq!(unstuff(&wire), Some(want));
        }
    }
}
