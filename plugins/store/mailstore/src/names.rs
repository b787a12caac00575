//! Names of accounts, mailboxes and keywords: what they may be.

use crate::error::StoreError;
use crate::limits::{MAX_ACCOUNT_BYTES, MAX_DEPTH, MAX_KEYWORD_BYTES, MAX_NAME_BYTES};

/// Stands between the parts of a mailbox's name.
pub const SEPARATOR: char = '/';
/// The mailbox that every account has.
pub const INBOX: &str = "INBOX";

/// The parts of a mailbox's name; the first is `INBOX` in whatever case it was written (RFC 9051 section 5.1).
pub(crate) fn parts(name: &str) -> Result<Vec<&str>, StoreError> {
    let bad = |reason| Err(StoreError::BadMailboxName { name: shorten(name), reason });
    if name.is_empty() {
        return bad("it is empty");
    }
    if name.len() > MAX_NAME_BYTES {
        return bad("it has more than 1000 bytes");
    }
    if name.chars().any(|c| c.is_control() || matches!(c, '*' | '%' | '\u{2028}' | '\u{2029}')) {
        return bad("control characters, * and % are not allowed");
    }
    let mut parts: Vec<&str> = name.split(SEPARATOR).collect();
    if parts.iter().any(|part| part.is_empty()) {
        return bad("a part of it is empty");
    }
    if parts.len() > MAX_DEPTH {
        return bad("it has more than 32 parts");
    }
    if parts[0].eq_ignore_ascii_case(INBOX) {
        parts[0] = INBOX;
    }
    Ok(parts)
}

/// The whole name as the store writes it.
pub(crate) fn canonical(name: &str) -> Result<String, StoreError> {
    Ok(join(&parts(name)?))
}

/// The whole name that has these parts.
pub(crate) fn join(parts: &[&str]) -> String {
    parts.join(&SEPARATOR.to_string())
}

/// Fails with what is wrong if this can't be a mailbox's name.
pub fn check_mailbox_name(name: &str) -> Result<(), StoreError> {
    parts(name).map(drop)
}

pub(crate) fn check_account(account: &str) -> Result<(), StoreError> {
    match (1..=MAX_ACCOUNT_BYTES).contains(&account.len()) {
        true => Ok(()),
        false => Err(StoreError::BadAccount { account: shorten(account), max: MAX_ACCOUNT_BYTES }),
    }
}

/// A keyword is an atom (RFC 9051 section 9, flag-keyword).
pub(crate) fn check_keyword(keyword: &str) -> Result<(), StoreError> {
    let atom = |b: u8| b.is_ascii_graphic() && !b"(){%*\"\\]".contains(&b);
    match (1..=MAX_KEYWORD_BYTES).contains(&keyword.len()) && keyword.bytes().all(atom) {
        true => Ok(()),
        false => Err(StoreError::BadKeyword { keyword: shorten(keyword), max: MAX_KEYWORD_BYTES }),
    }
}

/// Keeps what a peer sent out of messages beyond a readable length.
pub(crate) fn shorten(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inbox_is_the_same_in_any_case_at_the_top_only() {
        assert_eq!(parts("inBox").unwrap(), ["INBOX"]);
        assert_eq!(parts("inbox/Inbox").unwrap(), ["INBOX", "Inbox"]);
        assert_eq!(parts("Listen/rust").unwrap(), ["Listen", "rust"]);
    }

    #[test]
    fn bad_names_are_refused() {
        for name in ["", "/", "a/", "/a", "a//b", "a\nb", "a\0", "a*", "%", &"x/".repeat(40), &"x".repeat(1001)] {
            assert!(matches!(parts(name), Err(StoreError::BadMailboxName { .. })), "{name:?} was taken");
        }
        for keyword in ["", "a b", "a(", "\\Seen", "ü", "a]", &"k".repeat(101)] {
            assert!(check_keyword(keyword).is_err(), "{keyword:?} was taken");
        }
        assert!(check_keyword("$Forwarded").is_ok());
        assert!(check_account("").is_err());
        assert!(check_account(&"a".repeat(321)).is_err());
        assert!(check_account("anna@example.org").is_ok());
    }
}
