//! NOOP (RFC 1939 section 5): does nothing, after login.

use crate::reply::Reply;
use crate::state::{no_arguments, State};

/// `NOOP`.
#[derive(Debug)]
pub struct Noop;

impl Noop {
    /// Has no arguments.
    pub fn parse(args: &[u8]) -> Result<Self, Reply> {
        no_arguments(args).map(|()| Noop)
    }

    /// Says that it was heard.
    pub fn run(&self, state: &mut State) -> Result<Reply, Reply> {
        state.maildrop().map(|_| Reply::ok(""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::testing::{logged_in, nobody};

    #[test]
    fn only_after_login() {
        assert!(Noop.run(&mut logged_in()).unwrap().is_ok());
        assert!(Noop.run(&mut nobody()).is_err());
    }
}
