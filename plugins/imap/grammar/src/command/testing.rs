//! Reading one command in a test.

use super::{Command, Request};
use crate::error::ErrorKind;
use crate::limits::Limits;
use crate::mailbox::Mailbox;

/// The command in `text`, which has no tag.
pub(crate) fn parse(text: &str) -> Command {
    let request = Request::parse(format!("A1 {text}").as_bytes(), &Limits::default());
    request.unwrap_or_else(|error| panic!("{text}: {error}")).command
}

/// Why `text` is no command.
pub(crate) fn fails(text: &str) -> ErrorKind {
    match Request::parse(format!("A1 {text}").as_bytes(), &Limits::default()) {
        Ok(request) => panic!("{text} was read as {:?}", request.command),
        Err(error) => error.kind,
    }
}

/// A mailbox of that name.
pub(crate) fn mailbox(name: &str) -> Mailbox {
    Mailbox::new(name.into())
}
