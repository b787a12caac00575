//! What a command came to, and whether the conversation goes on.

use crate::completion::Completion;
use crate::selected::{Own, Say};

/// Whether the conversation goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It does.
    Go,
    /// It does, and the tagged line has been sent already.
    Answered,
    /// The last answer has been given.
    Close,
}

/// What a command came to: its tagged line, and what may be told before it.
#[derive(Debug)]
pub struct Answer {
    /// The tagged line.
    pub completion: Completion,
    /// News of the selected mailbox to tell before it; none if the command forbids them.
    pub say: Option<Say>,
    /// A change that the command made itself and has told already.
    pub own: Option<Own>,
    /// Whether the conversation goes on.
    pub next: Next,
}

impl From<Completion> for Answer {
    fn from(completion: Completion) -> Self {
        Answer { completion, say: Some(Say::Everything), own: None, next: Next::Go }
    }
}

impl Answer {
    /// After which news are told, EXPUNGE not among them.
    pub fn without_expunge(completion: Completion) -> Self {
        Answer { say: Some(Say::NoExpunge), ..completion.into() }
    }

    /// To a command that names messages. With message numbers no EXPUNGE may slip in between; with UIDs it harms nobody (RFC
    /// 9051 section 7.5.1).
    pub fn about_messages(completion: Completion, by_uid: bool) -> Self {
        if by_uid {
            completion.into()
        } else {
            Self::without_expunge(completion)
        }
    }

    /// Nothing more to say: the tagged line has been sent.
    pub fn silent() -> Self {
        Answer { next: Next::Answered, ..Self::quiet(Completion::ok("")) }
    }

    /// After which nothing is told.
    pub fn quiet(completion: Completion) -> Self {
        Answer { say: None, ..completion.into() }
    }
}
