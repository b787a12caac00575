//! A multi-line answer of one line a message, written bit by bit: a full maildrop's list has megabytes, and the session
//! holds no more than one buffer of it.

use std::fmt::Write;

use crate::maildrop::{Entry, Maildrop};

/// How far a listing has come.
#[derive(Debug)]
pub struct Listing {
    field: fn(&Maildrop, &Entry, &mut String),
    /// Number of the next message; `None` once the end has been written.
    next: Option<usize>,
}

impl Listing {
    /// A listing at its first line; `field` writes what stands behind the number.
    pub fn new(field: fn(&Maildrop, &Entry, &mut String)) -> Self {
        Listing { field, next: Some(1) }
    }

    /// Appends lines until `out` has `full` octets or the end is written. Returns whether there is more to come.
    pub fn fill(&mut self, maildrop: &Maildrop, out: &mut Vec<u8>, full: usize) -> bool {
        let Some(next) = self.next else { return false };
        let mut line = String::new();
        for (number, entry) in maildrop.live_from(next) {
            if out.len() >= full {
                self.next = Some(number);
                return true;
            }
            line.clear();
            // Writing to a String can't fail.
            let _ = write!(line, "{number} ");
            (self.field)(maildrop, &entry, &mut line);
            line.push_str("\r\n");
            out.extend_from_slice(line.as_bytes());
        }
        out.extend_from_slice(b".\r\n");
        self.next = None;
        false
    }
}

#[cfg(test)]
impl Listing {
    /// All of it, for tests.
    pub fn whole(mut self, maildrop: &Maildrop) -> String {
        let mut out = Vec::new();
        assert!(!self.fill(maildrop, &mut out, usize::MAX));
        String::from_utf8(out).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uid(_: &Maildrop, entry: &Entry, line: &mut String) {
        line.push_str(&entry.uid.to_string());
    }

    #[test]
    fn comes_in_bits_that_make_the_whole() {
        let mut maildrop = Maildrop::new("ann".to_owned(), 1);
        (10..30).for_each(|uid| maildrop.push(uid, 1));
        maildrop.delete(7).unwrap();
        let whole = Listing::new(uid).whole(&maildrop);
        assert!(whole.starts_with("1 10\r\n") && whole.ends_with("20 29\r\n.\r\n"));
        let (mut listing, mut bits, mut rounds) = (Listing::new(uid), String::new(), 0);
        loop {
            let mut out = Vec::new();
            let more = listing.fill(&maildrop, &mut out, 20);
            assert!(out.len() < 40);
            bits.push_str(&String::from_utf8(out).unwrap());
            rounds += 1;
            if !more {
                break;
            }
        }
        assert_eq!(bits, whole);
        assert!(rounds > 3);
        assert!(!listing.fill(&maildrop, &mut Vec::new(), 20));
    }

    #[test]
    fn an_empty_maildrop_has_only_the_end() {
        assert_eq!(Listing::new(uid).whole(&Maildrop::new("ann".to_owned(), 1)), ".\r\n");
    }
}
