//! `SEARCH` (RFC 9051 section 6.4.4, RFC 4731, RFC 5182).

use super::search_key::{keys, Tally};
use crate::cursor::{Cursor, Parsed};
use crate::error::ErrorKind;
use crate::flag::Flag;
use crate::sequence::SequenceSet;
use time::Date;

/// `SEARCH` and `UID SEARCH`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Search {
    /// Whether the answer is UIDs. Sets within the key say themselves what they hold.
    pub uid: bool,
    /// The charset of the key's strings as named; none for US-ASCII (UTF-8 in IMAP4rev2). An unknown one is
    /// `NO [BADCHARSET]`.
    pub charset: Option<String>,
    /// `RETURN (...)`: answer with ESEARCH. None: IMAP4rev1's SEARCH response.
    pub returns: Option<SearchReturn>,
    /// What to look for.
    pub key: SearchKey,
}

/// What an ESEARCH response is to hold. `RETURN ()` means `ALL` and is read as it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SearchReturn {
    /// `MIN`
    pub min: bool,
    /// `MAX`
    pub max: bool,
    /// `ALL`
    pub all: bool,
    /// `COUNT`
    pub count: bool,
    /// `SAVE`: keep the result for `$`. If nothing else is asked, no ESEARCH response is sent.
    pub save: bool,
}

/// What a message must be to be found. A tree, as deep as [`crate::Limits::search_depth`] at most.
///
/// Strings are octets in the charset of the command; they match without regard to case, as part of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SearchKey {
    /// `ALL`: every message.
    All,
    /// Several keys in a row, or in parentheses: all of them. Never fewer than two.
    And(Vec<SearchKey>),
    /// `OR`: one of two at least.
    Or(Box<SearchKey>, Box<SearchKey>),
    /// `NOT`
    Not(Box<SearchKey>),
    /// Message numbers.
    Sequence(SequenceSet),
    /// `UID`
    Uid(SequenceSet),
    /// `SEEN`, `KEYWORD x` and so on.
    Flag(Flag),
    /// `UNSEEN`, `UNKEYWORD x` and so on.
    NotFlag(Flag),
    /// `NEW`: recent and not seen.
    New,
    /// `OLD`: not recent.
    Old,
    /// `RECENT`
    Recent,
    /// `BEFORE`: internal date, the day only.
    Before(Date),
    /// `ON`
    On(Date),
    /// `SINCE`: on that day or later.
    Since(Date),
    /// `SENTBEFORE`: the `Date` field, the day only.
    SentBefore(Date),
    /// `SENTON`
    SentOn(Date),
    /// `SENTSINCE`
    SentSince(Date),
    /// `LARGER`: more octets than this.
    Larger(u64),
    /// `SMALLER`: fewer octets than this.
    Smaller(u64),
    /// `BCC`
    Bcc(Vec<u8>),
    /// `CC`
    Cc(Vec<u8>),
    /// `FROM`
    From(Vec<u8>),
    /// `TO`
    To(Vec<u8>),
    /// `SUBJECT`
    Subject(Vec<u8>),
    /// `BODY`
    Body(Vec<u8>),
    /// `TEXT`: header or body.
    Text(Vec<u8>),
    /// `HEADER`: a field of that name whose text holds this; any such field if empty.
    Header {
        /// The field's name; compare without case.
        name: Vec<u8>,
        /// What its text holds.
        value: Vec<u8>,
    },
}

pub(super) fn parse(cursor: &mut Cursor<'_>, uid: bool) -> Parsed<Search> {
    let mut returns = None;
    if cursor.eat_word(b"RETURN ") {
        returns = Some(return_options(cursor)?);
        cursor.space()?;
    }
    let mut charset = None;
    if cursor.eat_word(b"CHARSET ") {
        let at = cursor.at();
        let name = cursor.astring(cursor.limits.atom, "a charset")?.into_owned();
        charset = Some(String::from_utf8(name).map_err(|_| ErrorKind::Expected { what: "a charset", at })?);
        cursor.space()?;
    }
    let key = keys(cursor, &mut Tally::default())?;
    Ok(Search { uid, charset, returns, key })
}

/// What is in the parentheses behind `RETURN`. An unknown option has to be refused (RFC 4466 section 2.6.1).
fn return_options(cursor: &mut Cursor<'_>) -> Parsed<SearchReturn> {
    let mut returns = SearchReturn::default();
    let options = cursor.list("SEARCH options", cursor.limits.options, |cursor| {
        let at = cursor.at();
        match cursor.word("a SEARCH return option")?.upper() {
            b"MIN" => returns.min = true,
            b"MAX" => returns.max = true,
            b"ALL" => returns.all = true,
            b"COUNT" => returns.count = true,
            b"SAVE" => returns.save = true,
            _ => return Err(ErrorKind::Unknown { what: "SEARCH return option", at }),
        }
        Ok(())
    })?;
    returns.all |= options.is_empty();
    Ok(returns)
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
