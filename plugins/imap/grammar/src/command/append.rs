//! `APPEND`, up to its message (RFC 9051 section 6.3.12).
//!
//! The message itself is streamed into the store and never in a buffer, so this is read before the command is whole:
//! the session asks [`parse_head`] whenever a line ends in a literal's mark.

use super::dispatch;
use crate::cursor::{Cursor, Parsed};
use crate::date::date_time;
use crate::error::ParseError;
use crate::flag::Flag;
use crate::limits::Limits;
use crate::literal::{self, LiteralMark};
use crate::mailbox::Mailbox;
use crate::tag::Tag;
use time::OffsetDateTime;

/// An `APPEND` up to the mark of its message. The octets that the mark announces come next; behind them the command
/// has to end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AppendHead {
    /// The command's tag.
    pub tag: Tag,
    /// Where the message goes.
    pub mailbox: Mailbox,
    /// The flags it gets; `\Recent` may be among them and means nothing.
    pub flags: Vec<Flag>,
    /// Its internal date; now, if none.
    pub date: Option<OffsetDateTime>,
    /// The message's size, and how it comes.
    pub message: LiteralMark,
}

/// What the lines so far are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppendState {
    /// Another command.
    Other,
    /// An `APPEND` whose mailbox is the literal that follows: read it, then ask again.
    Unfinished,
    /// The message comes next.
    Message(AppendHead),
}

/// Reads an `APPEND` as far as it has come: lines and literals as for [`crate::Request::parse`], the last line ending
/// in a mark ([`crate::literal::at_end`]).
///
/// # Errors
/// It is an `APPEND` and malformed. The client may send the announced octets all the same: if the mark was
/// non-synchronizing they have to be skipped, or the connection closed.
pub fn parse_head(input: &[u8], limits: &Limits) -> Result<AppendState, ParseError> {
    let mut cursor = Cursor::new(input, limits);
    let (tag, name) = match dispatch::begin(&mut cursor) {
        Ok(begun) => begun,
        // The whole command says what is wrong with it.
        Err(_) => return Ok(AppendState::Other),
    };
    if name != b"APPEND" {
        return Ok(AppendState::Other);
    }
    let state = match cursor.space() {
        Ok(()) if mark(cursor.rest()).is_some() => return Ok(AppendState::Unfinished),
        Ok(()) => head(&mut cursor, &tag),
        Err(kind) => Err(kind),
    };
    match state.and_then(|head| cursor.end().map(|()| head)) {
        Ok(head) => Ok(AppendState::Message(head)),
        Err(kind) => Err(ParseError { tag: Some(tag), kind }),
    }
}

/// What follows `APPEND `, up to the end of the mark.
pub(super) fn head(cursor: &mut Cursor<'_>, tag: &Tag) -> Parsed<AppendHead> {
    let mailbox = cursor.mailbox()?;
    cursor.space()?;
    let mut flags = Vec::new();
    if cursor.peek() == Some(b'(') {
        flags = cursor.list("flags", cursor.limits.flags, Cursor::flag)?;
        cursor.space()?;
    }
    let mut date = None;
    if cursor.peek() == Some(b'"') {
        date = Some(date_time(cursor)?);
        cursor.space()?;
    }
    let message = mark(cursor.rest()).ok_or_else(|| cursor.expected("the message as a literal"))?;
    cursor.finish();
    Ok(AppendHead { tag: tag.clone(), mailbox, flags, date, message })
}

/// A mark and nothing else.
fn mark(text: &[u8]) -> Option<LiteralMark> {
    let (before, digits, synchronizing) = literal::shape(text)?;
    let binary = match before {
        b"" => false,
        b"~" => true,
        _ => return None,
    };
    literal::size(digits).map(|size| LiteralMark { size, synchronizing, binary })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::testing::{fails, mailbox, parse};
    use crate::command::Command;
    use crate::error::ErrorKind;
    use time::macros::datetime;

    fn state(text: &str) -> Result<AppendState, ParseError> {
        parse_head(format!("A003 {text}").as_bytes(), &Limits::default())
    }

    fn read(text: &str) -> AppendHead {
        match state(text) {
            Ok(AppendState::Message(head)) => head,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn example_of_the_rfc() {
        let head = read("APPEND saved-messages (\\Seen) {326}");
        assert_eq!((head.tag.as_str(), head.mailbox), ("A003", mailbox("saved-messages")));
        assert_eq!((head.flags, head.date), (vec![Flag::Seen], None));
        assert_eq!(head.message, LiteralMark { size: 326, synchronizing: true, binary: false });
    }

    #[test]
    fn flags_and_date_may_be_missing() {
        let head = read("append \"a b\" (\\Flagged $X) \"17-Jul-1996 02:44:25 -0700\" {5+}");
        assert_eq!((head.mailbox, head.flags.len()), (mailbox("a b"), 2));
        assert_eq!(head.date, Some(datetime!(1996-07-17 02:44:25 -7)));
        assert!(!head.message.synchronizing);
        let head = read("APPEND x \" 7-Nov-2026 02:40:00 +0000\" ~{9223372036854775807}");
        assert_eq!(head.message, LiteralMark { size: i64::MAX as u64, synchronizing: true, binary: true });
        assert_eq!(read("APPEND x () {0}").flags, []);
        assert_eq!(read("APPEND x {0}").date, None);
    }

    #[test]
    fn a_mailbox_may_be_a_literal() {
        assert_eq!(state("APPEND {5}"), Ok(AppendState::Unfinished));
        assert_eq!(state("APPEND {5+}"), Ok(AppendState::Unfinished));
        assert_eq!(read("APPEND {5}\r\na {1} {7}").mailbox, mailbox("a {1}"));
    }

    #[test]
    fn other_commands_are_left_alone() {
        for other in ["LOGIN {5}", "APPENDX x {5}", "XAPPEND x {5}", "", "{5}"] {
            assert_eq!(state(other), Ok(AppendState::Other), "{other}");
        }
        assert_eq!(parse_head(b"+ APPEND x {5}", &Limits::default()), Ok(AppendState::Other));
    }

    #[test]
    fn malformed_ones_are_told_with_their_tag() {
        for bad in [
            "APPEND",
            "APPEND ",
            "APPEND x",
            "APPEND x ",
            "APPEND x {5} ",
            "APPEND x  {5}",
            "APPEND x (\\Seen){5}",
            "APPEND x (\\Seen) x {5}",
            "APPEND x \"17-Jul-1996\" {5}",
            "APPEND x \"17-Jul-1996 02:44:25 -0700\" (\\Seen) {5}",
            "APPEND x {5}\r\nhello",
            "APPEND x (\\*) {5}",
            "APPEND x y{5}",
            "APPEND x {9223372036854775808}",
            "APPEND x UTF8 (~{5}",
        ] {
            assert_eq!(state(bad).unwrap_err().tag.unwrap().as_str(), "A003", "{bad}");
            fails(bad);
        }
        let many = format!("APPEND x ({}) {{1}}", vec!["a"; Limits::default().flags + 1].join(" "));
        assert!(matches!(fails(&many), ErrorKind::TooMany { what: "flags", .. }));
    }

    #[test]
    fn the_whole_parser_reads_the_same() {
        let Command::Append(head) = parse("APPEND x (\\Deleted \\recent) {5}") else { panic!() };
        assert_eq!((head.flags, head.message.size), (vec![Flag::Deleted, Flag::Recent], 5));
    }
}
