//! Where a conversation stands, and which commands may be given there (RFC 9051 sections 3 and 6).

use dovetail_imap_grammar::Command;

use crate::completion::Completion;
use crate::selected::Selected;

/// Where the conversation stands (RFC 9051 section 3).
#[derive(Debug)]
pub enum State {
    /// Nobody has logged in.
    NotAuthenticated,
    /// Somebody has.
    Authenticated {
        /// Who.
        account: String,
    },
    /// And has opened a mailbox.
    Selected(Box<Selected>),
}

impl State {
    /// Whether a command may be given now (RFC 9051 section 6).
    pub fn check(&self, command: &Command) -> Option<Completion> {
        use Command as C;
        let (in_not, in_auth, in_selected) = match command {
            C::Capability | C::Noop | C::Logout | C::Id(_) => (true, true, true),
            C::StartTls | C::Login(_) | C::Authenticate(_) => (true, false, false),
            C::Enable(_) => (false, true, false),
            C::Check
            | C::Close
            | C::Unselect
            | C::Expunge
            | C::UidExpunge(_)
            | C::Search(_)
            | C::Fetch(_)
            | C::Store(_)
            | C::Copy(_)
            | C::Move(_) => (false, false, true),
            _ => (false, true, true),
        };
        match self {
            State::NotAuthenticated if !in_not => Some(Completion::bad("Log in first")),
            State::Authenticated { .. } if !in_auth && in_selected => Some(Completion::bad("Select a mailbox first")),
            State::Selected(_) if in_auth && !in_selected => Some(Completion::bad("Not while a mailbox is selected")),
            State::Authenticated { .. } | State::Selected(_) if !in_auth && !in_selected => {
                Some(Completion::bad("Logged in already"))
            }
            _ => None,
        }
    }
}
