//! LIST (RFC 1939 section 5): the size of one message, or of each.

use std::fmt::Write;

use crate::listing::Listing;
use crate::maildrop::{Entry, Maildrop};
use crate::reply::Reply;
use crate::state::{no_such_message, optional_number, State};

/// `LIST [number]`.
#[derive(Debug)]
pub struct List {
    number: Option<usize>,
}

impl List {
    /// Reads the number.
    pub fn parse(args: &[u8]) -> Result<Self, Reply> {
        optional_number(args).map(|number| List { number })
    }

    /// One line, or the start of a list that the session writes out bit by bit.
    pub fn run(&self, state: &mut State) -> Result<(Reply, Option<Listing>), Reply> {
        let maildrop = state.maildrop()?;
        match self.number {
            Some(number) => {
                let entry = maildrop.get(number).map_err(|_| no_such_message())?;
                Ok((Reply::ok(format!("{number} {}", entry.size)), None))
            }
            None => {
                let (messages, octets) = maildrop.totals();
                Ok((Reply::ok(format!("{messages} messages ({octets} octets)")), Some(Listing::new(size))))
            }
        }
    }
}

fn size(_: &Maildrop, entry: &Entry, line: &mut String) {
    // Writing to a String can't fail.
    let _ = write!(line, "{}", entry.size);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::testing::{logged_in, nobody, wire};
    use crate::testing::{world, LOGIN};

    #[test]
    fn one_message() {
        let (reply, listing) = List { number: Some(2) }.run(&mut logged_in()).unwrap();
        assert_eq!(wire(&reply), "+OK 2 20\r\n");
        assert!(listing.is_none());
        assert!(List { number: Some(4) }.run(&mut logged_in()).is_err());
        assert!(List { number: None }.run(&mut nobody()).is_err());
    }

    #[test]
    fn all_messages_but_the_marked() {
        let mut state = logged_in();
        state.maildrop().unwrap().delete(1).unwrap();
        let (reply, listing) = List { number: None }.run(&mut state).unwrap();
        assert_eq!(wire(&reply), "+OK 2 messages (23 octets)\r\n");
        assert_eq!(listing.unwrap().whole(state.maildrop().unwrap()), "2 20\r\n3 3\r\n.\r\n");
    }

    #[tokio::test]
    async fn listings_are_written() {
        let script = "S: +OK 2 messages (3 octets)\nC: DELE 1\nC: LIST\nC: UIDL\nC: LIST 2\nC: UIDL 2\nC: LIST 1\nS: +OK Marked for deletion\n\
            S: +OK 1 messages (2 octets)\nS: 2 2\nS: .\nS: +OK\nS: 2 7.20\nS: .\nS: +OK 2 2\nS: +OK 2 7.20\nS: -ERR No such message";
        world(&[b"1", b"22"]).talk(&format!("{LOGIN}{script}")).await.unwrap();
    }
}
