//! Mailbox names between wire and store.
//!
//! A parsed command carries the octets as sent; what they mean depends on what the client enabled (RFC 9051 section
//! 5.1): modified UTF-7 for an IMAP4rev1 client, UTF-8 after `ENABLE IMAP4rev2` (or `UTF8=ACCEPT`, RFC 6855).

use crate::utf7;
use thiserror::Error;

/// How names and strings look on this connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TextMode {
    /// Names in modified UTF-7, strings with other than ASCII as literals: until the client enables more.
    #[default]
    Utf7,
    /// Names and quoted strings in UTF-8.
    Utf8,
}

/// A mailbox name, reference or pattern as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mailbox(Vec<u8>);

/// Octets that are no mailbox name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NameError {
    /// Modified UTF-7 as RFC 3501 section 5.1.3 wants it, or nothing: two spellings of one name would be two mailboxes.
    #[error("The mailbox name is not valid modified UTF-7 (RFC 3501 section 5.1.3)")]
    NotUtf7,
    /// UTF-8 is agreed, something else came.
    #[error("The mailbox name is not valid UTF-8")]
    NotUtf8,
}

impl Mailbox {
    /// Takes the octets over.
    pub fn new(wire: Vec<u8>) -> Self {
        Mailbox(wire)
    }

    /// The octets as sent.
    pub fn wire(&self) -> &[u8] {
        &self.0
    }

    /// Whether nothing was sent, as in `LIST "" ""`.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name in Unicode. `INBOX` in any case becomes `INBOX`; only as a whole name, what lies below it is the
    /// store's to judge, as is whether control characters or separators may be in a name. Wildcards of a pattern stay.
    ///
    /// # Errors
    /// [`NameError`]; the answer is `BAD` (or `NO [CANNOT]` for `CREATE`).
    pub fn decode(&self, mode: TextMode) -> Result<String, NameError> {
        if self.0.eq_ignore_ascii_case(b"INBOX") {
            return Ok("INBOX".to_owned());
        }
        match mode {
            TextMode::Utf7 => utf7::decode(&self.0).ok_or(NameError::NotUtf7),
            TextMode::Utf8 => std::str::from_utf8(&self.0).map(str::to_owned).map_err(|_| NameError::NotUtf8),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(wire: &[u8], mode: TextMode) -> Result<String, NameError> {
        Mailbox::new(wire.to_vec()).decode(mode)
    }

    #[test]
    fn inbox_has_one_spelling() {
        for wire in ["INBOX", "inbox", "iNbOx"] {
            for mode in [TextMode::Utf7, TextMode::Utf8] {
                assert_eq!(decode(wire.as_bytes(), mode).unwrap(), "INBOX");
            }
        }
        assert_eq!(decode(b"inbox/x", TextMode::Utf7).unwrap(), "inbox/x");
    }

    #[test]
    fn the_mode_decides() {
        assert_eq!(decode(b"Entw&APw-rfe", TextMode::Utf7).unwrap(), "Entw\u{fc}rfe");
        assert_eq!(decode(b"Entw&APw-rfe", TextMode::Utf8).unwrap(), "Entw&APw-rfe");
        assert_eq!(decode("Entw\u{fc}rfe".as_bytes(), TextMode::Utf8).unwrap(), "Entw\u{fc}rfe");
        assert_eq!(decode("Entw\u{fc}rfe".as_bytes(), TextMode::Utf7), Err(NameError::NotUtf7));
        assert_eq!(decode(b"a\xff", TextMode::Utf8), Err(NameError::NotUtf8));
    }
}
