//! Which parser a command's name leads to.

use super::{append, auth, enable, fetch, id, list, mailboxes, messages, search, Command, Request};
use crate::cursor::{Cursor, Parsed};
use crate::error::{ErrorKind, ParseError};
use crate::limits::Limits;
use crate::sequence_parse::sequence_set;
use crate::tag::Tag;

impl Request {
    /// Reads a whole command: what came over the wire without the last CRLF, literals in their places as
    /// `{n}` CRLF and n octets.
    ///
    /// # Errors
    /// [`ParseError`], with the tag if there is one.
    pub fn parse(input: &[u8], limits: &Limits) -> Result<Request, ParseError> {
        let mut cursor = Cursor::new(input, limits);
        let (tag, name) = begin(&mut cursor)?;
        match rest(&mut cursor, &tag, &name) {
            Ok(command) => Ok(Request { tag, command }),
            Err(kind) => Err(ParseError { tag: Some(tag), kind }),
        }
    }
}

/// The tag and the command's name in upper case.
pub(super) fn begin(cursor: &mut Cursor<'_>) -> Result<(Tag, Vec<u8>), ParseError> {
    let tag = cursor.tag().filter(|_| cursor.eat(b' '));
    let Some(tag) = tag else {
        return Err(ParseError { tag: None, kind: ErrorKind::NoTag });
    };
    match cursor.word("a command") {
        Ok(name) => Ok((tag, name.upper().to_vec())),
        Err(kind) => Err(ParseError { tag: Some(tag), kind }),
    }
}

fn rest(cursor: &mut Cursor<'_>, tag: &Tag, name: &[u8]) -> Parsed<Command> {
    if cursor.at() + cursor.rest().len() > cursor.limits.command {
        return Err(ErrorKind::TooLong { what: "a command", limit: cursor.limits.command });
    }
    let command = match name {
        b"CAPABILITY" => Command::Capability,
        b"NOOP" => Command::Noop,
        b"LOGOUT" => Command::Logout,
        b"STARTTLS" => Command::StartTls,
        b"NAMESPACE" => Command::Namespace,
        b"IDLE" => Command::Idle,
        b"CHECK" => Command::Check,
        b"CLOSE" => Command::Close,
        b"UNSELECT" => Command::Unselect,
        b"EXPUNGE" => Command::Expunge,
        _ => with_arguments(cursor, tag, name)?,
    };
    cursor.end()?;
    Ok(command)
}

fn with_arguments(cursor: &mut Cursor<'_>, tag: &Tag, name: &[u8]) -> Parsed<Command> {
    if !KNOWN.contains(&name) {
        return Err(ErrorKind::UnknownCommand);
    }
    cursor.space()?;
    Ok(match name {
        b"ID" => Command::Id(id::parse(cursor)?),
        b"LOGIN" => Command::Login(auth::login(cursor)?),
        b"AUTHENTICATE" => Command::Authenticate(auth::authenticate(cursor)?),
        b"ENABLE" => Command::Enable(enable::parse(cursor)?),
        b"SELECT" => Command::Select(mailboxes::select(cursor)?),
        b"EXAMINE" => Command::Examine(mailboxes::select(cursor)?),
        b"CREATE" => Command::Create(mailboxes::create(cursor)?),
        b"DELETE" => Command::Delete(cursor.mailbox()?),
        b"RENAME" => Command::Rename(mailboxes::rename(cursor)?),
        b"SUBSCRIBE" => Command::Subscribe(cursor.mailbox()?),
        b"UNSUBSCRIBE" => Command::Unsubscribe(cursor.mailbox()?),
        b"LIST" => Command::List(list::list(cursor)?),
        b"LSUB" => list::lsub(cursor)?,
        b"STATUS" => Command::Status(mailboxes::status(cursor)?),
        b"APPEND" => Command::Append(append::head(cursor, tag)?),
        b"UID" => {
            let word = cursor.word("a command after UID")?;
            let at = cursor.at();
            match word.upper() {
                b"EXPUNGE" => {
                    cursor.space()?;
                    Command::UidExpunge(sequence_set(cursor)?)
                }
                name @ (b"SEARCH" | b"FETCH" | b"STORE" | b"COPY" | b"MOVE") => {
                    cursor.space()?;
                    on_messages(cursor, name, true)?
                }
                _ => return Err(ErrorKind::Unknown { what: "command after UID", at }),
            }
        }
        name => on_messages(cursor, name, false)?,
    })
}

fn on_messages(cursor: &mut Cursor<'_>, name: &[u8], uid: bool) -> Parsed<Command> {
    Ok(match name {
        b"SEARCH" => Command::Search(search::parse(cursor, uid)?),
        b"FETCH" => Command::Fetch(fetch::parse(cursor, uid)?),
        b"STORE" => Command::Store(messages::store(cursor, uid)?),
        b"COPY" => Command::Copy(messages::transfer(cursor, uid)?),
        b"MOVE" => Command::Move(messages::transfer(cursor, uid)?),
        _ => return Err(ErrorKind::UnknownCommand),
    })
}

/// The commands with arguments: asked first, so that `X` is told that it is unknown and not that a space is missing.
const KNOWN: [&[u8]; 21] = [
    b"ID",
    b"LOGIN",
    b"AUTHENTICATE",
    b"ENABLE",
    b"SELECT",
    b"EXAMINE",
    b"CREATE",
    b"DELETE",
    b"RENAME",
    b"SUBSCRIBE",
    b"UNSUBSCRIBE",
    b"LIST",
    b"LSUB",
    b"STATUS",
    b"APPEND",
    b"UID",
    b"SEARCH",
    b"FETCH",
    b"STORE",
    b"COPY",
    b"MOVE",
];

#[cfg(test)]
#[path = "dispatch_tests.rs"]
mod tests;
