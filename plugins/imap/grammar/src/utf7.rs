//! Modified UTF-7, the spelling of mailbox names in IMAP4rev1 (RFC 3501 section 5.1.3).
//!
//! Every name has exactly one spelling here: what decodes encodes to the same octets again. The laxer readings
//! (ASCII in base64, a shift that ends where the next begins, bits left over) are refused.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/// The name that these octets spell.
pub fn decode(wire: &[u8]) -> Option<String> {
    let mut name = String::with_capacity(wire.len());
    let mut rest = wire;
    // Whether a base64 run has just ended: another one must not follow at once.
    let mut after_run = false;
    while let Some((&octet, tail)) = rest.split_first() {
        rest = tail;
        if octet != b'&' {
            if !matches!(octet, 0x20..=0x7e) {
                return None;
            }
            name.push(char::from(octet));
            after_run = false;
            continue;
        }
        let end = memchr::memchr(b'-', rest)?;
        let (run, tail) = (rest.get(..end)?, rest.get(end + 1..)?);
        rest = tail;
        if run.is_empty() {
            name.push('&');
            after_run = false;
            continue;
        }
        if after_run {
            return None;
        }
        decode_run(run, &mut name)?;
        after_run = true;
    }
    Some(name)
}

/// One base64 run: UTF-16 in network order, six bits a character, zero bits at the end.
fn decode_run(run: &[u8], name: &mut String) -> Option<()> {
    let mut units = Vec::with_capacity(run.len() * 6 / 16);
    let (mut bits, mut held) = (0u32, 0u32);
    for &octet in run {
        bits = (bits << 6 | value(octet)?) & 0x3f_ffff;
        held += 6;
        if held >= 16 {
            held -= 16;
            units.push((bits >> held & 0xffff) as u16);
        }
    }
    if held >= 6 || bits & ((1 << held) - 1) != 0 {
        return None;
    }
    for unit in char::decode_utf16(units) {
        let character = unit.ok()?;
        if matches!(character, ' '..='~') {
            return None;
        }
        name.push(character);
    }
    Some(())
}

fn value(octet: u8) -> Option<u32> {
    Some(u32::from(match octet {
        b'A'..=b'Z' => octet - b'A',
        b'a'..=b'z' => octet - b'a' + 26,
        b'0'..=b'9' => octet - b'0' + 52,
        b'+' => 62,
        b',' => 63,
        _ => return None,
    }))
}

/// Spells a name, behind what is in `out`.
pub fn encode(name: &str, out: &mut Vec<u8>) {
    let (mut bits, mut held, mut shifted) = (0u32, 0u32, false);
    for character in name.chars() {
        if matches!(character, ' '..='~') {
            if shifted {
                end_run(bits, held, out);
                (bits, held, shifted) = (0, 0, false);
            }
            out.push(character as u8);
            if character == '&' {
                out.push(b'-');
            }
            continue;
        }
        if !shifted {
            out.push(b'&');
            shifted = true;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            bits = (bits << 16 | u32::from(*unit)) & 0x3f_ffff;
            held += 16;
            while held >= 6 {
                held -= 6;
                out.push(digit(bits >> held));
            }
        }
    }
    if shifted {
        end_run(bits, held, out);
    }
}

fn end_run(bits: u32, held: u32, out: &mut Vec<u8>) {
    if held > 0 {
        out.push(digit(bits << (6 - held)));
    }
    out.push(b'-');
}

fn digit(bits: u32) -> u8 {
    ALPHABET.get((bits & 63) as usize).copied().unwrap_or(b'A')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spelled(name: &str) -> String {
        let mut out = Vec::new();
        encode(name, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn examples() {
        for (wire, name) in [
            ("~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/\u{53f0}\u{5317}/\u{65e5}\u{672c}\u{8a9e}"),
            ("Entw&APw-rfe", "Entw\u{fc}rfe"),
            ("Q&-A", "Q&A"),
            ("&-&-", "&&"),
            ("&-&AOQ-", "&\u{e4}"),
            ("&2D3eAA-", "\u{1f600}"),
            ("", ""),
        ] {
            assert_eq!(decode(wire.as_bytes()).as_deref(), Some(name), "{wire}");
            assert_eq!(spelled(name), wire);
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for bad in [
            "&",
            "&AOQ",
            "&Jjo!",
            "&U,BTFw-&ZeVnLIqe-", // RFC 3501's superfluous shift
            "&AGE-",              // 'a' in base64
            "&ACY-",              // '&' in base64
            "&AOR-",              // bits left over
            "&AOQA-",             // six of them
            "&A-",
            "&AO-",
            "&2D0-", // half a surrogate pair
            "&3gA-",
            "&AOQ=-",
            "&AO/-",
            "\t",
            "\u{e4}",
        ] {
            assert_eq!(decode(bad.as_bytes()), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn names_come_back(name in any::<String>()) {
            prop_assert_eq!(decode(spelled(&name).as_bytes()), Some(name));
        }

        #[test]
        fn one_spelling_a_name(wire in "[&A-Da-d0-3+,/ -]{0,24}") {
            if let Some(name) = decode(wire.as_bytes()) {
                prop_assert_eq!(spelled(&name), wire);
            }
        }

        #[test]
        fn never_panics(wire in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = decode(&wire);
        }
    }
}
