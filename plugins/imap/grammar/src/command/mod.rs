//! Commands: one type for each that carries something, one file for each family.
//!
//! [`Request::parse`] reads a whole command: all its lines and literals as they came over the wire, without the last
//! CRLF. `APPEND` is the exception: it ends at the mark of its message, see [`append`].

pub mod append;
pub mod auth;
mod dispatch;
pub mod enable;
pub mod fetch;
pub mod id;
pub mod list;
pub mod mailboxes;
pub mod messages;
pub mod search;
mod search_key;
#[cfg(test)]
pub(crate) mod testing;

pub use append::{AppendHead, AppendState};
pub use auth::{Authenticate, Login};
pub use fetch::{Fetch, FetchItem};
pub use id::IdPairs;
pub use list::{List, ListReturn, ListSelect};
pub use mailboxes::{Create, Rename, Select, Status};
pub use messages::{Store, StoreAction, Transfer};
pub use search::{Search, SearchKey, SearchReturn};

use crate::mailbox::Mailbox;
use crate::sequence::SequenceSet;
use crate::tag::Tag;

/// A command with the tag to answer to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The tag.
    pub tag: Tag,
    /// What is to be done.
    pub command: Command,
}

/// Everything that a client may ask for. `UID` forms are the same command with `uid` set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// `CAPABILITY`
    Capability,
    /// `NOOP`
    Noop,
    /// `LOGOUT`
    Logout,
    /// `STARTTLS`
    StartTls,
    /// `ID` (RFC 2971); none for `NIL`.
    Id(Option<IdPairs>),
    /// `LOGIN`
    Login(Login),
    /// `AUTHENTICATE`
    Authenticate(Authenticate),
    /// `ENABLE` (RFC 5161): the capabilities in upper case, known or not.
    Enable(Vec<String>),
    /// `SELECT`
    Select(Select),
    /// `EXAMINE`
    Examine(Select),
    /// `CREATE`
    Create(Create),
    /// `DELETE`
    Delete(Mailbox),
    /// `RENAME`
    Rename(Rename),
    /// `SUBSCRIBE`
    Subscribe(Mailbox),
    /// `UNSUBSCRIBE`
    Unsubscribe(Mailbox),
    /// `LIST`, plain and extended.
    List(List),
    /// `LSUB`: a reference and a pattern.
    Lsub {
        /// What the pattern is relative to.
        reference: Mailbox,
        /// The pattern with its wildcards.
        pattern: Mailbox,
    },
    /// `NAMESPACE` (RFC 2342)
    Namespace,
    /// `STATUS`
    Status(Status),
    /// `APPEND` up to the mark of its message.
    Append(AppendHead),
    /// `IDLE` (RFC 2177). The `DONE` that ends it is no command.
    Idle,
    /// `CHECK`
    Check,
    /// `CLOSE`
    Close,
    /// `UNSELECT` (RFC 3691)
    Unselect,
    /// `EXPUNGE`
    Expunge,
    /// `UID EXPUNGE` (RFC 4315)
    UidExpunge(SequenceSet),
    /// `SEARCH`
    Search(Search),
    /// `FETCH`
    Fetch(Fetch),
    /// `STORE`
    Store(Store),
    /// `COPY`
    Copy(Transfer),
    /// `MOVE` (RFC 6851)
    Move(Transfer),
}
