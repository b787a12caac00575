//! Which octets belong to which rule of the grammar (RFC 9051 section 9).

const ATOM: u8 = 1;
const LIST: u8 = 2;
const ASTRING: u8 = 4;
const TAG: u8 = 8;
const BASE64: u8 = 16;

/// One look-up an octet instead of ten comparisons.
static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0u8; 256];
    let mut octet = 0x21usize;
    while octet < 0x7f {
        let class = match octet as u8 {
            b'(' | b')' | b'{' | b'"' | b'\\' => 0,
            b'%' | b'*' => LIST,
            b']' => LIST | ASTRING | TAG,
            b'+' => ATOM | LIST | ASTRING | BASE64,
            _ => ATOM | LIST | ASTRING | TAG,
        };
        table[octet] = class;
        octet += 1;
    }
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    let mut at = 0;
    while at < digits.len() {
        table[digits[at] as usize] |= BASE64;
        at += 1;
    }
    table
}

fn has(octet: u8, class: u8) -> bool {
    CLASSES[usize::from(octet)] & class != 0
}

/// `ATOM-CHAR`.
pub(crate) fn is_atom(octet: u8) -> bool {
    has(octet, ATOM)
}

/// `list-char`: an atom's, the wildcards and `]`.
pub(crate) fn is_list(octet: u8) -> bool {
    has(octet, LIST)
}

/// `ASTRING-CHAR`.
pub(crate) fn is_astring(octet: u8) -> bool {
    has(octet, ASTRING)
}

/// An octet of a tag.
pub(crate) fn is_tag(octet: u8) -> bool {
    has(octet, TAG)
}

/// `base64-char`, or the `=` at the end.
pub(crate) fn is_base64(octet: u8) -> bool {
    has(octet, BASE64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_of_the_rfc() {
        for octet in 0..=255u8 {
            let special = matches!(octet, b'(' | b')' | b'{' | b' ' | b'%' | b'*' | b'"' | b'\\' | b']');
            let atom = (0x20..0x7f).contains(&octet) && !special;
            assert_eq!(is_atom(octet), atom, "{octet}");
            assert_eq!(is_astring(octet), atom || octet == b']', "{octet}");
            assert_eq!(is_list(octet), atom || matches!(octet, b']' | b'%' | b'*'), "{octet}");
            assert_eq!(is_tag(octet), (atom || octet == b']') && octet != b'+', "{octet}");
            let base64 = octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/' | b'=');
            assert_eq!(is_base64(octet), base64, "{octet}");
        }
    }
}
