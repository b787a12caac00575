//! A password on its way to the directory.
//!
//! The bytes are wiped when the value is dropped and never appear in `Debug`, so that a session state can be logged.

use std::fmt;

use zeroize::Zeroizing;

/// Bytes that must not be logged and are wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over; the caller's own copies are the caller's to wipe.
    pub fn new(bytes: Vec<u8>) -> Self {
        Secret(Zeroizing::new(bytes))
    }

    /// The bytes themselves. Name chosen so that a reader of the calling code sees what happens.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_does_not_show_the_bytes() {
        let text = format!("{:?}", Secret::new(b"open sesame".to_vec()));
        assert_eq!(text, "Secret(..)");
    }
}
