//! UIDL (RFC 1939 section 7): the unique-id of one message, or of each.

use crate::listing::Listing;
use crate::maildrop::{Entry, Maildrop};
use crate::reply::Reply;
use crate::state::{no_such_message, optional_number, State};

/// `UIDL [number]`.
#[derive(Debug)]
pub struct Uidl {
    number: Option<usize>,
}

impl Uidl {
    /// Reads the number.
    pub fn parse(args: &[u8]) -> Result<Self, Reply> {
        optional_number(args).map(|number| Uidl { number })
    }

    /// One line, or the start of a list that the session writes out bit by bit.
    pub fn run(&self, state: &mut State) -> Result<(Reply, Option<Listing>), Reply> {
        let maildrop = state.maildrop()?;
        match self.number {
            Some(number) => {
                let entry = maildrop.get(number).map_err(|_| no_such_message())?;
                Ok((Reply::ok(format!("{number} {}", maildrop.unique_id(&entry))), None))
            }
            None => Ok((Reply::ok(""), Some(Listing::new(unique_id)))),
        }
    }
}

fn unique_id(maildrop: &Maildrop, entry: &Entry, line: &mut String) {
    line.push_str(&maildrop.unique_id(entry));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::testing::{logged_in, nobody, wire};

    #[test]
    fn one_message() {
        let (reply, listing) = Uidl { number: Some(3) }.run(&mut logged_in()).unwrap();
        assert_eq!(wire(&reply), "+OK 3 7.9\r\n");
        assert!(listing.is_none());
        assert!(Uidl { number: Some(0) }.run(&mut logged_in()).is_err());
        assert!(Uidl { number: None }.run(&mut nobody()).is_err());
    }

    #[test]
    fn all_messages_but_the_marked() {
        let mut state = logged_in();
        state.maildrop().unwrap().delete(2).unwrap();
        let (reply, listing) = Uidl { number: None }.run(&mut state).unwrap();
        assert_eq!(wire(&reply), "+OK\r\n");
        assert_eq!(listing.unwrap().whole(state.maildrop().unwrap()), "1 7.3\r\n3 7.9\r\n.\r\n");
    }
}
