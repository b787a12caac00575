//! Octets of some charset to text.

use encoding_rs::Encoding;

/// Octets in one piece as text. Charsets as [`Stream`] knows them.
pub(super) fn decode(label: &[u8], octets: &[u8]) -> String {
    let mut stream = Stream::new(label);
    let mut text = stream.push(octets);
    text.push_str(&stream.finish());
    text
}

/// Octets that come in pieces as text.
///
/// Charsets are known by their WHATWG labels. ASCII, UTF-8 and what is not known is read as UTF-8, and where it is not
/// UTF-8, octet by octet as windows-1252: so mislabelled text is found too.
pub(super) struct Stream(Inner);

enum Inner {
    Known(encoding_rs::Decoder),
    /// The begin of a UTF-8 character whose end is in the next piece.
    Guess(Vec<u8>),
}

impl Stream {
    pub(super) fn new(label: &[u8]) -> Self {
        let ascii = label.is_empty() || label.eq_ignore_ascii_case(b"us-ascii") || label.eq_ignore_ascii_case(b"ascii");
        match Encoding::for_label_no_replacement(label) {
            Some(encoding) if !ascii && encoding != encoding_rs::UTF_8 => {
                Stream(Inner::Known(encoding.new_decoder_with_bom_removal()))
            }
            _ => Stream(Inner::Guess(Vec::new())),
        }
    }

    pub(super) fn push(&mut self, octets: &[u8]) -> String {
        match &mut self.0 {
            Inner::Known(decoder) => known(decoder, octets, false),
            Inner::Guess(kept) if kept.is_empty() => guess(octets, kept),
            Inner::Guess(kept) => {
                let mut all = std::mem::take(kept);
                all.extend_from_slice(octets);
                guess(&all, kept)
            }
        }
    }

    pub(super) fn finish(self) -> String {
        match self.0 {
            Inner::Known(mut decoder) => known(&mut decoder, b"", true),
            Inner::Guess(kept) => western(&kept),
        }
    }
}

fn known(decoder: &mut encoding_rs::Decoder, octets: &[u8], last: bool) -> String {
    // `None` is an overflow of usize, which a slice in memory does not reach.
    let mut text = String::with_capacity(decoder.max_utf8_buffer_length(octets.len()).unwrap_or_default());
    // The capacity is enough by contract, so everything is read in one call.
    let _ = decoder.decode_to_string(octets, &mut text, last);
    text
}

fn guess(octets: &[u8], kept: &mut Vec<u8>) -> String {
    let mut text = String::with_capacity(octets.len());
    let mut rest = octets;
    while !rest.is_empty() {
        match std::str::from_utf8(rest) {
            Ok(valid) => {
                text.push_str(valid);
                break;
            }
            Err(error) => {
                let (valid, bad) = rest.split_at_checked(error.valid_up_to()).unwrap_or((rest, &[]));
                text.push_str(std::str::from_utf8(valid).unwrap_or_default());
                let Some(length) = error.error_len() else {
                    kept.extend_from_slice(bad);
                    break;
                };
                let (bad, behind) = bad.split_at_checked(length).unwrap_or((bad, &[]));
                text.extend(bad.iter().map(|&octet| letter(octet)));
                rest = behind;
            }
        }
    }
    text
}

fn western(octets: &[u8]) -> String {
    octets.iter().map(|&octet| letter(octet)).collect()
}

/// The character of windows-1252.
fn letter(octet: u8) -> char {
    match octet.checked_sub(0x80).and_then(|at| WESTERN.get(usize::from(at))) {
        Some(&letter) => letter,
        None => char::from(octet),
    }
}

/// Windows-1252 from 0x80 to 0x9f; the rest of it is Latin 1.
const WESTERN: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn western_is_windows_1252() {
        for octet in 0..=255 {
            let octets = [octet];
            let (want, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(&octets);
            assert_eq!(western(&octets), want);
        }
    }

    #[test]
    fn mislabelled_text() {
        assert_eq!(decode(b"", b"a\xe4b\xc3\xa4\xc3"), "a\u{e4}b\u{e4}\u{c3}");
        assert_eq!(decode(b"UTF-8", b"\xe2\x82(\x93"), "\u{e2}\u{201a}(\u{201c}");
        assert_eq!(decode(b"iso-2022-kr", b"a"), "a", "a charset that is not read for its dangers");
    }
}
