//! DELE (RFC 1939 section 5): marks a message; QUIT deletes it.

use crate::reply::Reply;
use crate::state::{message_number, no_such_message, State};

/// `DELE number`.
#[derive(Debug)]
pub struct Dele {
    number: usize,
}

impl Dele {
    /// Reads the number.
    pub fn parse(args: &[u8]) -> Result<Self, Reply> {
        message_number(args).map(|number| Dele { number })
    }

    /// Marks.
    pub fn run(&self, state: &mut State) -> Result<Reply, Reply> {
        state.maildrop()?.delete(self.number).map_err(|_| no_such_message())?;
        Ok(Reply::ok("Marked for deletion"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::testing::{logged_in, nobody};

    #[test]
    fn marks_once() {
        let mut state = logged_in();
        assert!(Dele { number: 2 }.run(&mut state).unwrap().is_ok());
        assert!(Dele { number: 2 }.run(&mut state).is_err());
        assert!(Dele { number: 4 }.run(&mut state).is_err());
        assert!(Dele { number: 1 }.run(&mut nobody()).is_err());
        assert_eq!(state.maildrop().unwrap().marked().collect::<Vec<_>>(), [5]);
        assert!(Dele::parse(b"").is_err());
    }
}
