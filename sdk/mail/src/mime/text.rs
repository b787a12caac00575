//! Searching in the text of a part (RFC 3501 section 6.4.4, `BODY` and `TEXT`).
//!
//! ```
//! use dovetail_mail::mime::{Finder, Limits, Scanner, TextReader};
//!
//! let message = b"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe";
//! let mut scanner = Scanner::new(&Limits::default());
//! scanner.push(message);
//! let summary = scanner.finish();
//! let part = summary.root();
//!
//! let mut reader = TextReader::new(part);
//! let mut finder = Finder::new("GRÜß");
//! finder.push(&reader.push(&message[part.body.start as usize..]));
//! finder.push(&reader.finish());
//! assert!(finder.found());
//! ```

use memchr::memmem;

use super::charset;
use super::summary::Part;
use super::transfer::{Decoder, Encoding};

/// The text of a part while its body goes by: transfer encoding and charset taken off, case folded.
pub struct TextReader {
    transfer: Decoder,
    charset: charset::Stream,
}

impl TextReader {
    /// A reader at the begin of the body of `part`, which is a text. A transfer encoding that is not known is none.
    pub fn new(part: &Part) -> Self {
        let encoding = Encoding::of(part).unwrap_or(Encoding::Identity);
        let charset = charset::Stream::new(part.param("charset").unwrap_or_default());
        TextReader { transfer: Decoder::new(encoding), charset }
    }

    /// The text of the next octets.
    pub fn push(&mut self, piece: &[u8]) -> String {
        let octets = self.transfer.push(piece);
        fold_case(&self.charset.push(&octets))
    }

    /// What is left at the end of the body.
    pub fn finish(mut self) -> String {
        let octets = self.transfer.finish();
        let mut text = self.charset.push(&octets);
        text.push_str(&self.charset.finish());
        fold_case(&text)
    }
}

/// Looks for a string, whatever its case, in text that comes in pieces.
pub struct Finder {
    needle: memmem::Finder<'static>,
    /// The end of what was seen, shorter than the needle.
    seen: Vec<u8>,
    found: bool,
}

impl Finder {
    /// A finder of `needle`; an empty one is in every text.
    pub fn new(needle: &str) -> Self {
        let needle = fold_case(needle);
        Finder { found: needle.is_empty(), needle: memmem::Finder::new(&needle).into_owned(), seen: Vec::new() }
    }

    /// Looks at the next piece of text, whose case is folded; whether the needle was found by now.
    pub fn push(&mut self, folded: &str) -> bool {
        if self.found {
            return true;
        }
        let text = folded.as_bytes();
        let keep = self.needle.needle().len().saturating_sub(1);
        // A match that begins in what was seen ends before this.
        self.seen.extend_from_slice(text.get(..keep).unwrap_or(text));
        self.found = self.needle.find(&self.seen).is_some() || self.needle.find(text).is_some();
        if text.len() >= keep {
            self.seen.clear();
            self.seen.extend_from_slice(text.get(text.len() - keep..).unwrap_or_default());
        } else {
            let more = self.seen.len().saturating_sub(keep);
            self.seen.drain(..more);
        }
        self.found
    }

    /// Whether the needle was found.
    pub fn found(&self) -> bool {
        self.found
    }
}

/// `text` as it is compared when case does not matter: each character in lower case, whatever stands around it.
pub fn fold_case(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            _ if letter.is_ascii() => folded.push(letter.to_ascii_lowercase()),
            // Which sigma is the lower case one depends on what follows, and that may be in another piece.
            'ς' => folded.push('σ'),
            _ => folded.extend(letter.to_lowercase()),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn part(charset: &str, encoding: &str) -> Part {
        let params = vec![super::super::Param { name: "charset".to_owned(), value: charset.as_bytes().to_vec() }];
        Part { encoding: encoding.to_owned(), params, ..Part::default() }
    }

    fn text(part: &Part, body: &[u8], size: usize) -> String {
        let mut reader = TextReader::new(part);
        let mut text: String = body.chunks(size).map(|piece| reader.push(piece)).collect();
        text.push_str(&reader.finish());
        text
    }

    #[test]
    fn charsets_and_encodings() {
        for size in [1, 2, 3, 100] {
            assert_eq!(text(&part("utf-8", "quoted-printable"), b"=C3=84pfel=20", size), "äpfel ");
            assert_eq!(text(&part("ISO-8859-1", "8bit"), b"\xc4pfel", size), "äpfel");
            assert_eq!(text(&part("utf-8", "base64"), b"w4RwZmVs", size), "äpfel");
            assert_eq!(text(&part("utf-16le", "base64"), b"xABwAA==", size), "äp");
            assert_eq!(text(&part("iso-2022-jp", "7bit"), b"\x1b$B$\"\x1b(B", size), "あ");
            assert_eq!(text(&part("us-ascii", "7bit"), "Ä".as_bytes(), size), "ä");
            assert_eq!(text(&part("us-ascii", "8bit"), b"\xc4 \xe2\x82", size), "ä â‚");
            assert_eq!(text(&part("no-such", "x-no-such"), b"=41", size), "=41");
        }
    }

    #[test]
    fn fold() {
        assert_eq!(fold_case("ABC ÄÖÜ ΣΑΣ"), "abc äöü σασ");
        assert_eq!(fold_case("σας"), fold_case("ΣΑΣ"));
    }

    #[test]
    fn finder_keeps_less_than_the_needle() {
        let mut finder = Finder::new("needle");
        for _ in 0..100 {
            assert!(!finder.push("needneed"));
            assert!(finder.seen.len() < 6);
        }
        assert!(!finder.push("need"));
        assert!(finder.push("le"));
        assert!(finder.push("") && finder.found());
        assert!(Finder::new("").found());
    }

    proptest! {
        #[test]
        fn a_match_is_found_however_the_text_is_cut(
            pieces in proptest::collection::vec("[abä]{0,4}", 0..8), needle in "[abä]{1,4}") {
            let mut finder = Finder::new(&needle);
            for piece in &pieces {
                finder.push(piece);
            }
            prop_assert_eq!(finder.found(), pieces.concat().contains(&needle));
        }

        #[test]
        fn text_does_not_depend_on_cuts(body in proptest::collection::vec(any::<u8>(), 0..40), size in 1_usize..8) {
            for charset in ["utf-8", "gb18030", "iso-2022-jp", "utf-16be", "koi8-r"] {
                let part = part(charset, "quoted-printable");
                prop_assert_eq!(text(&part, &body, size), text(&part, &body, 1000));
            }
        }
    }
}
