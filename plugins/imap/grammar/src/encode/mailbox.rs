//! Mailbox names.

use super::strings::astring;
use crate::mailbox::TextMode;
use crate::utf7;

/// A mailbox name as this client reads names.
pub fn mailbox(out: &mut Vec<u8>, name: &str, mode: TextMode) {
    // Most names are ASCII and need no second buffer: UTF-7 changes nothing but `&` in them.
    let plain = |octet: u8| matches!(octet, b' '..=b'~') && octet != b'&';
    if mode == TextMode::Utf8 || name.bytes().all(plain) {
        return astring(out, name.as_bytes(), mode);
    }
    let mut wire = Vec::with_capacity(name.len() * 2);
    utf7::encode(name, &mut wire);
    astring(out, &wire, mode);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cursor::Cursor;
    use crate::limits::Limits;
    use proptest::prelude::*;

    fn written(name: &str, mode: TextMode) -> Vec<u8> {
        let mut out = Vec::new();
        mailbox(&mut out, name, mode);
        out
    }

    #[test]
    fn the_mode_decides() {
        assert_eq!(written("INBOX", TextMode::Utf7), b"INBOX");
        assert_eq!(written("a b", TextMode::Utf7), b"\"a b\"");
        assert_eq!(written("Q&A", TextMode::Utf7), b"Q&-A");
        assert_eq!(written("Q&A", TextMode::Utf8), b"Q&A");
        assert_eq!(written("Entw\u{fc}rfe", TextMode::Utf7), b"Entw&APw-rfe");
        assert_eq!(written("Entw\u{fc}rfe", TextMode::Utf8), "\"Entw\u{fc}rfe\"".as_bytes());
    }

    proptest! {
        #[test]
        fn names_come_back(name in "[^\0]{0,30}", utf8 in any::<bool>()) {
            prop_assume!(!name.eq_ignore_ascii_case("inbox"));
            let mode = if utf8 { TextMode::Utf8 } else { TextMode::Utf7 };
            let (wire, limits) = (written(&name, mode), Limits::default());
            prop_assert_eq!(Cursor::new(&wire, &limits).mailbox().unwrap().decode(mode), Ok(name));
        }
    }
}
