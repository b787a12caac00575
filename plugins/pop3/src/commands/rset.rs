//! RSET (RFC 1939 section 5): takes all marks away.

use crate::reply::Reply;
use crate::state::{no_arguments, State};

/// `RSET`.
#[derive(Debug)]
pub struct Rset;

impl Rset {
    /// Has no arguments.
    pub fn parse(args: &[u8]) -> Result<Self, Reply> {
        no_arguments(args).map(|()| Rset)
    }

    /// Unmarks.
    pub fn run(&self, state: &mut State) -> Result<Reply, Reply> {
        let maildrop = state.maildrop()?;
        maildrop.reset();
        let (messages, octets) = maildrop.totals();
        Ok(Reply::ok(format!("{messages} messages ({octets} octets)")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::testing::{logged_in, nobody};

    #[test]
    fn unmarks() {
        let mut state = logged_in();
        state.maildrop().unwrap().delete(2).unwrap();
        assert!(Rset.run(&mut state).unwrap().is_ok());
        assert_eq!(state.maildrop().unwrap().totals(), (3, 123));
        assert!(Rset.run(&mut nobody()).is_err());
    }
}
