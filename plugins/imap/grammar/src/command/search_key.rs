//! Reading search keys (RFC 9051 section 9, `search-key`).
//!
//! Keys nest, so this is the one place where the parser calls itself: as deep as [`crate::Limits::search_depth`], and
//! never deeper than [`DEEPEST`], whatever the limit says.

use super::search::SearchKey;
use crate::cursor::{Cursor, Parsed};
use crate::date::date;
use crate::error::ErrorKind;
use crate::flag::Flag;
use crate::sequence_parse::{begins, sequence_set};

/// Frames of the parser, and of whoever walks the tree, that fit on any stack.
const DEEPEST: usize = 256;

/// What has been read of a command's keys.
#[derive(Default)]
pub(super) struct Tally {
    depth: usize,
    keys: usize,
}

/// `search-key *(SP search-key)`: all have to match.
pub(super) fn keys(cursor: &mut Cursor<'_>, tally: &mut Tally) -> Parsed<SearchKey> {
    let first = key(cursor, tally)?;
    if cursor.peek() != Some(b' ') {
        return Ok(first);
    }
    let mut all = vec![first];
    while cursor.eat(b' ') {
        all.push(key(cursor, tally)?);
    }
    Ok(SearchKey::And(all))
}

fn key(cursor: &mut Cursor<'_>, tally: &mut Tally) -> Parsed<SearchKey> {
    tally.keys += 1;
    if tally.keys > cursor.limits.search_keys {
        return Err(ErrorKind::TooMany { what: "search keys", limit: cursor.limits.search_keys });
    }
    let at = cursor.at();
    match cursor.peek() {
        Some(b'(') => {
            cursor.advance(1);
            let inner = deeper(cursor, tally, keys)?;
            cursor.expect(b')', "a space or )")?;
            Ok(inner)
        }
        Some(octet) if begins(octet) => sequence_set(cursor).map(SearchKey::Sequence),
        _ => {
            let word = cursor.word("a search key")?;
            match word.upper() {
                b"NOT" => {
                    cursor.space()?;
                    let inner = deeper(cursor, tally, key)?;
                    Ok(SearchKey::Not(Box::new(inner)))
                }
                b"OR" => {
                    cursor.space()?;
                    let left = deeper(cursor, tally, key)?;
                    cursor.space()?;
                    let right = deeper(cursor, tally, key)?;
                    Ok(SearchKey::Or(Box::new(left), Box::new(right)))
                }
                name => match without_argument(name) {
                    Some(key) => Ok(key),
                    None => with_argument(cursor, name, at),
                },
            }
        }
    }
}

/// One level down.
fn deeper(
    cursor: &mut Cursor<'_>,
    tally: &mut Tally,
    rule: fn(&mut Cursor<'_>, &mut Tally) -> Parsed<SearchKey>,
) -> Parsed<SearchKey> {
    let limit = cursor.limits.search_depth.min(DEEPEST);
    if tally.depth >= limit {
        return Err(ErrorKind::TooDeep { what: "Search keys", limit });
    }
    tally.depth += 1;
    let key = rule(cursor, tally)?;
    tally.depth -= 1;
    Ok(key)
}

fn without_argument(name: &[u8]) -> Option<SearchKey> {
    Some(match name {
        b"ALL" => SearchKey::All,
        b"ANSWERED" => SearchKey::Flag(Flag::Answered),
        b"DELETED" => SearchKey::Flag(Flag::Deleted),
        b"DRAFT" => SearchKey::Flag(Flag::Draft),
        b"FLAGGED" => SearchKey::Flag(Flag::Flagged),
        b"SEEN" => SearchKey::Flag(Flag::Seen),
        b"UNANSWERED" => SearchKey::NotFlag(Flag::Answered),
        b"UNDELETED" => SearchKey::NotFlag(Flag::Deleted),
        b"UNDRAFT" => SearchKey::NotFlag(Flag::Draft),
        b"UNFLAGGED" => SearchKey::NotFlag(Flag::Flagged),
        b"UNSEEN" => SearchKey::NotFlag(Flag::Seen),
        b"NEW" => SearchKey::New,
        b"OLD" => SearchKey::Old,
        b"RECENT" => SearchKey::Recent,
        _ => return None,
    })
}

fn with_argument(cursor: &mut Cursor<'_>, name: &[u8], at: usize) -> Parsed<SearchKey> {
    const TEXT: &str = "a string to search for";
    const OCTETS: &str = "a number of octets";
    type Rule = fn(&mut Cursor<'_>) -> Parsed<SearchKey>;
    let rule: Rule = match name {
        b"KEYWORD" => |cursor| keyword(cursor).map(SearchKey::Flag),
        b"UNKEYWORD" => |cursor| keyword(cursor).map(SearchKey::NotFlag),
        b"UID" => |cursor| sequence_set(cursor).map(SearchKey::Uid),
        b"BEFORE" => |cursor| date(cursor).map(SearchKey::Before),
        b"ON" => |cursor| date(cursor).map(SearchKey::On),
        b"SINCE" => |cursor| date(cursor).map(SearchKey::Since),
        b"SENTBEFORE" => |cursor| date(cursor).map(SearchKey::SentBefore),
        b"SENTON" => |cursor| date(cursor).map(SearchKey::SentOn),
        b"SENTSINCE" => |cursor| date(cursor).map(SearchKey::SentSince),
        b"LARGER" => |cursor| cursor.number64(OCTETS).map(SearchKey::Larger),
        b"SMALLER" => |cursor| cursor.number64(OCTETS).map(SearchKey::Smaller),
        b"BCC" => |cursor| cursor.text(TEXT).map(SearchKey::Bcc),
        b"CC" => |cursor| cursor.text(TEXT).map(SearchKey::Cc),
        b"FROM" => |cursor| cursor.text(TEXT).map(SearchKey::From),
        b"TO" => |cursor| cursor.text(TEXT).map(SearchKey::To),
        b"SUBJECT" => |cursor| cursor.text(TEXT).map(SearchKey::Subject),
        b"BODY" => |cursor| cursor.text(TEXT).map(SearchKey::Body),
        b"TEXT" => |cursor| cursor.text(TEXT).map(SearchKey::Text),
        b"HEADER" => header,
        _ => return Err(ErrorKind::Unknown { what: "search key", at }),
    };
    cursor.space()?;
    rule(cursor)
}

fn keyword(cursor: &mut Cursor<'_>) -> Parsed<Flag> {
    cursor.atom("a keyword").map(|name| Flag::Keyword(name.to_owned()))
}

fn header(cursor: &mut Cursor<'_>) -> Parsed<SearchKey> {
    let name = cursor.text("a header field's name")?;
    cursor.space()?;
    let value = cursor.text("a string to search for")?;
    Ok(SearchKey::Header { name, value })
}
