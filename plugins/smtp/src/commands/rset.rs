//! RSET (RFC 5321 section 4.1.1.5): forgets the mail that was begun, nothing else.

use crate::reply::Reply;
use crate::state::{no_arguments, State};

/// `RSET`.
#[derive(Debug, PartialEq, Eq)]
pub struct Rset;

impl Rset {
    /// Has no arguments.
    pub fn parse(args: &[u8]) -> Result<Self, Reply> {
        no_arguments(args).map(|()| Rset)
    }

    /// Forgets.
    pub fn run(self, state: &mut State) -> Reply {
        state.transaction = None;
        Reply::ok(0, 0, "Forgotten")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::testing::in_mail;

    #[test]
    fn keeps_greeting_and_login() {
        let mut state = in_mail(&["a@b.org"]);
        state.account = Some("ann".to_owned());
        assert_eq!(Rset.run(&mut state).code(), 250);
        assert_eq!(state.transaction, None);
        assert!(state.hello.is_some() && state.account.is_some());
    }
}
