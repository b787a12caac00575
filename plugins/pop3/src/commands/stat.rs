//! STAT (RFC 1939 section 5): how many messages and octets, without those marked as deleted.

use crate::reply::Reply;
use crate::state::{no_arguments, State};

/// `STAT`.
#[derive(Debug)]
pub struct Stat;

impl Stat {
    /// Has no arguments.
    pub fn parse(args: &[u8]) -> Result<Self, Reply> {
        no_arguments(args).map(|()| Stat)
    }

    /// Two numbers.
    pub fn run(&self, state: &mut State) -> Result<Reply, Reply> {
        let (messages, octets) = state.maildrop()?.totals();
        Ok(Reply::ok(format!("{messages} {octets}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::testing::{logged_in, nobody, wire};

    #[test]
    fn counts_what_is_not_marked() {
        let mut state = logged_in();
        assert_eq!(wire(&Stat.run(&mut state).unwrap()), "+OK 3 123\r\n");
        state.maildrop().unwrap().delete(1).unwrap();
        assert_eq!(wire(&Stat.run(&mut state).unwrap()), "+OK 2 23\r\n");
        assert!(Stat.run(&mut nobody()).is_err());
    }
}
