//! What a scanner finds fault with.

use std::fmt;

/// Something above "low", or something that a scanner could not find out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What the scanner calls it.
    pub id: String,
    /// How bad the scanner says that it is.
    pub severity: String,
    /// In the scanner's words.
    pub text: String,
}

/// The same with where it was found, and by whom.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The provider's name and the listener's.
    pub place: String,
    /// The scanner's name.
    pub scanner: &'static str,
    /// What it is.
    pub found: Found,
}

impl Found {
    /// All of it.
    pub fn new(id: impl Into<String>, severity: impl Into<String>, text: impl Into<String>) -> Self {
        Found { id: id.into(), severity: severity.into(), text: text.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { place, scanner, found: Found { id, severity, text } } = self;
        write!(f, "{place}: {scanner}: {id}: {severity}: {text}")
    }
}
