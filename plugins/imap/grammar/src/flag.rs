//! Flags as a client names them.

use std::fmt;

/// One flag (RFC 9051 section 2.3.2). System flags are read in any case; a keyword keeps the case it was sent in, and
/// whoever compares keywords does so without regard to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Flag {
    /// `\Answered`
    Answered,
    /// `\Flagged`
    Flagged,
    /// `\Deleted`
    Deleted,
    /// `\Seen`
    Seen,
    /// `\Draft`
    Draft,
    /// `\Recent`: a server's affair. Clients may send it back with `APPEND`; nobody may set it.
    Recent,
    /// A keyword: an atom like `$Forwarded`.
    Keyword(String),
    /// `\` and an atom that we don't know (without the `\`).
    Extension(String),
}

impl Flag {
    /// A system flag by its name after the `\`; another name is an extension.
    pub(crate) fn system(name: &str) -> Flag {
        let known = [Flag::Answered, Flag::Flagged, Flag::Deleted, Flag::Seen, Flag::Draft, Flag::Recent];
        let same = |flag: &Flag| flag.as_str().eq_ignore_ascii_case(name);
        known.into_iter().find(same).unwrap_or_else(|| Flag::Extension(name.to_owned()))
    }

    /// The flag without its `\`.
    fn as_str(&self) -> &str {
        match self {
            Flag::Answered => "Answered",
            Flag::Flagged => "Flagged",
            Flag::Deleted => "Deleted",
            Flag::Seen => "Seen",
            Flag::Draft => "Draft",
            Flag::Recent => "Recent",
            Flag::Keyword(name) | Flag::Extension(name) => name,
        }
    }
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !matches!(self, Flag::Keyword(_)) {
            f.write_str("\\")?;
        }
        f.write_str(self.as_str())
    }
}
