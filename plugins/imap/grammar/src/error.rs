//! Why a command can't be read.
//!
//! No message repeats what the peer sent: the octets may be a password, or another peer's idea of a terminal
//! sequence. What was expected and at which octet is enough to find the fault in a client.

use crate::tag::Tag;
use thiserror::Error;

/// A command that can't be read, with the tag to answer to.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{kind}")]
pub struct ParseError {
    /// The command's tag; without one the answer is an untagged `BAD` (RFC 9051 section 7.1.3).
    pub tag: Option<Tag>,
    /// What is wrong.
    pub kind: ErrorKind,
}

impl ParseError {
    /// Whether the command is well formed as far as it was read, only too big for us.
    pub fn is_limit(&self) -> bool {
        matches!(self.kind, ErrorKind::TooMany { .. } | ErrorKind::TooLong { .. } | ErrorKind::TooDeep { .. })
    }
}

/// What is wrong with a command. Each one prints as the text of a `BAD` response.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The line doesn't begin with a tag and a space.
    #[error("Expected a tag and a space at the beginning of the command")]
    NoTag,
    /// No command of this name is known.
    #[error("Unknown command")]
    UnknownCommand,
    /// Something else stands where this should.
    #[error("Expected {what} at octet {at}")]
    Expected {
        /// What should stand there.
        what: &'static str,
        /// Where, counted from 0 at the tag.
        at: usize,
    },
    /// A word stands there, but none of those known in this place.
    #[error("Unknown {what} at octet {at}")]
    Unknown {
        /// What the word was to be.
        what: &'static str,
        /// Where, counted from 0 at the tag.
        at: usize,
    },
    /// The command goes on where it should end.
    #[error("Expected the end of the command at octet {at}")]
    TrailingText {
        /// Where, counted from 0 at the tag.
        at: usize,
    },
    /// `LIST (RECURSIVEMATCH)` without an option that it could modify (RFC 5258 section 3.1).
    #[error("RECURSIVEMATCH needs SUBSCRIBED beside it")]
    LoneRecursiveMatch,
    /// A date or time that no calendar or clock shows.
    #[error("There is no such {what} as at octet {at}")]
    NoSuch {
        /// Date, time or zone.
        what: &'static str,
        /// Where, counted from 0 at the tag.
        at: usize,
    },
    /// More than the limit.
    #[error("Too many {what}: at most {limit}; send several commands")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
    /// Longer than the limit.
    #[error("Too long {what}: at most {limit} octets")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// How long it may be.
        limit: usize,
    },
    /// Nested deeper than the limit.
    #[error("{what} nest too deep: at most {limit} levels")]
    TooDeep {
        /// What nests.
        what: &'static str,
        /// How deep it may.
        limit: usize,
    },
}
