//! Encoded-words in header values (RFC 2047, with the language of RFC 2231 section 5).

use super::charset;
use super::transfer;

/// The value as text: encoded-words decoded, other octets outside ASCII taken as UTF-8 or else as windows-1252.
///
/// A value is unfolded before. What looks like an encoded-word and is none stays as it is.
pub fn decode_words(value: &[u8]) -> String {
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    // Octets of neighbouring words of one charset: a character may be cut by the border of two words.
    let mut pending: Option<(Vec<u8>, Vec<u8>)> = None;
    while let Some(at) = memchr::memmem::find(rest, b"=?") {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        let Some((charset, octets, length)) = word(from) else {
            flush(&mut pending, &mut text);
            let (plain, more) = rest.split_at_checked(at + 2).unwrap_or((rest, &[]));
            text.push_str(&charset::decode(b"", plain));
            rest = more;
            continue;
        };
        // White space between encoded-words is not part of the text (section 6.2).
        let between_words = pending.is_some() && before.iter().all(u8::is_ascii_whitespace);
        match &mut pending {
            Some((last, joined)) if between_words && last.eq_ignore_ascii_case(charset) => {
                joined.extend_from_slice(&octets);
            }
            _ => {
                flush(&mut pending, &mut text);
                if !between_words {
                    text.push_str(&charset::decode(b"", before));
                }
                pending = Some((charset.to_vec(), octets));
            }
        }
        rest = from.get(length..).unwrap_or_default();
    }
    flush(&mut pending, &mut text);
    text.push_str(&charset::decode(b"", rest));
    text
}

fn flush(pending: &mut Option<(Vec<u8>, Vec<u8>)>, text: &mut String) {
    if let Some((charset, octets)) = pending.take() {
        text.push_str(&charset::decode(&charset, &octets));
    }
}

/// The encoded-word that `text` begins with: its charset, its octets and its length.
fn word(text: &[u8]) -> Option<(&[u8], Vec<u8>, usize)> {
    let inner = text.strip_prefix(b"=?")?;
    let charset_end = inner.iter().take(MAX_CHARSET).position(|&byte| byte == b'?')?;
    let (charset, rest) = inner.split_at_checked(charset_end)?;
    let (encoding, rest) = match rest {
        [b'?', encoding, b'?', rest @ ..] => (encoding.to_ascii_lowercase(), rest),
        _ => return None,
    };
    let end = memchr::memchr(b'?', rest)?;
    let encoded = rest.get(..end).filter(|_| rest.get(end + 1) == Some(&b'='))?;
    let octets = match encoding {
        b'q' => transfer::decode_q(encoded),
        b'b' => transfer::decode_base64(encoded),
        _ => return None,
    };
    let charset = charset.split(|&byte| byte == b'*').next().filter(|charset| !charset.is_empty())?;
    Some((charset, octets, 2 + charset_end + 3 + end + 2))
}

const MAX_CHARSET: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn examples_of_rfc2047() {
        for (encoded, text) in [
            ("=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>", "Keith Moore <moore@cs.utk.edu>"),
            ("=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?=", "Keld Jørn Simonsen"),
            (
                "=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?= =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
                "If you can read this you understand the example.",
            ),
            ("(=?ISO-8859-1?Q?a?=)", "(a)"),
            ("(=?ISO-8859-1?Q?a?= b)", "(a b)"),
            ("(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)"),
            ("(=?ISO-8859-1?Q?a_b?=)", "(a b)"),
            ("(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)"),
            ("=?us-ascii*en?q?x?=", "x"),
        ] {
            assert_eq!(decode_words(encoded.as_bytes()), text, "{encoded}");
        }
    }

    #[test]
    fn a_character_cut_by_the_border_of_two_words() {
        assert_eq!(decode_words(b"=?utf-8?q?a=C3?= =?UTF-8?q?=A4b?="), "aäb");
        assert_eq!(decode_words(b"=?utf-8?b?YcM=?= =?utf-8?b?pGI=?="), "aäb");
    }

    #[test]
    fn what_is_no_word_stays() {
        for text in ["=?", "=?x", "=?utf-8?q?open", "=?utf-8?x?a?=", "=??q?a?=", "a=?=?b", "äö"] {
            assert_eq!(decode_words(text.as_bytes()), text);
        }
        assert_eq!(decode_words(b"\xe4"), "\u{e4}");
        assert_eq!(decode_words(b"=?no-such?q?a=E4?="), "a\u{e4}");
    }

    proptest! {
        #[test]
        fn nothing_makes_it_fail(text in "[=?qb8utf\\-_ \u{e4}\0]{0,80}") {
            decode_words(text.as_bytes());
        }
    }
}
