//! IMAP as text: commands read from octets, responses written into octets (RFC 3501, RFC 9051 and the extensions named
//! below). Nothing here does I/O or knows a mailbox.
//!
//! - [`literal::at_end`] tells whether a line is followed by a literal, [`command::append::parse_head`] whether that
//!   literal is a message to be streamed, [`Request::parse`] reads a whole command.
//! - [`SequenceSet`], [`Mailbox`] and [`Flag`] are kept as sent and resolved when the command runs.
//! - [`encode`] writes strings, sets, flags and response lines into a `Vec<u8>`.
//!
//! **Failure**: [`ParseError`] with the tag, if one could be read, and a text that never repeats what was sent.
//! **Bounds**: [`Limits`]; nesting is limited, so the stack is too; every parser looks at an octet a fixed number of
//! times and looks ahead within one word at most.
//!
//! Read: LITERAL+ and LITERAL- (RFC 7888), SASL-IR (4959), ENABLE (5161), UIDPLUS (4315), LIST-EXTENDED (5258),
//! LIST-STATUS (5819), SPECIAL-USE (6154), ESEARCH (4731), SEARCHRES (5182), MOVE (6851), UNSELECT (3691), NAMESPACE
//! (2342), ID (2971), STATUS=SIZE (8438), BINARY (3516), IDLE (2177), CHILDREN (3348).

mod chars;
pub mod command;
mod cursor;
mod date;
pub mod encode;
mod error;
mod flag;
mod limits;
pub mod literal;
mod mailbox;
mod ranges;
mod section;
mod section_parse;
mod sequence;
mod sequence_parse;
mod status;
mod string_parse;
mod tag;
pub mod utf7;

pub use command::{Command, Request};
pub use error::{ErrorKind, ParseError};
pub use flag::Flag;
pub use limits::Limits;
pub use mailbox::{Mailbox, NameError, TextMode};
pub use ranges::RangeSet;
pub use section::{Partial, Section, SectionText};
pub use sequence::{Bound, NoSuchMessage, SequenceRange, SequenceSet};
pub use status::StatusItem;
pub use tag::Tag;
