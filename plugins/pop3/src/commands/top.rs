//! TOP (RFC 1939 section 7): the header of a message and so many lines of its body.

use std::io;

use crate::conversation::{Conversation, Next};
use crate::maildrop::Entry;
use crate::reply::Reply;
use crate::retrieval;
use crate::state::{message_number, no_such_message, number, State};
use crate::top::TopFilter;

/// `TOP number lines`.
#[derive(Debug)]
pub struct Top {
    number: usize,
    lines: u64,
}

impl Top {
    /// Reads both numbers.
    pub fn parse(args: &[u8]) -> Result<Self, Reply> {
        let mut words = args.split(|&b| b == b' ').filter(|word| !word.is_empty());
        let (Some(message), Some(lines), None) = (words.next(), words.next(), words.next()) else {
            return Err(Reply::err("Syntax: TOP message lines"));
        };
        Ok(Top { number: message_number(message)?, lines: number(lines)? })
    }

    /// Sends it.
    pub async fn run(self, conversation: &mut Conversation<'_>) -> io::Result<Next> {
        match self.entry(&mut conversation.state) {
            Ok(entry) => retrieval::send(conversation, entry, Some(TopFilter::new(self.lines))).await,
            Err(refusal) => Ok(conversation.reply(&refusal)),
        }
    }

    /// The message that is meant.
    fn entry(&self, state: &mut State) -> Result<Entry, Reply> {
        state.maildrop()?.get(self.number).map_err(|_| no_such_message())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::testing::logged_in;
    use crate::testing::{world, LOGIN};

    #[test]
    fn wants_two_numbers() {
        let top = Top::parse(b"2 10").unwrap();
        assert_eq!((top.number, top.lines), (2, 10));
        assert_eq!(top.entry(&mut logged_in()).unwrap().uid, 5);
        for bad in [&b""[..], b"1", b"1 x", b"1 2 3", b"1 -1"] {
            assert!(Top::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[tokio::test]
    async fn header_and_some_lines_are_sent() {
        let script = r"
            S: +OK 1 messages (32 octets)
            C: TOP 1 1
            S: +OK Top of message follows
            S: Subject: x
            S:
            S: ..one
            S: .
            C: TOP 1 0
            S: +OK Top of message follows
            S: Subject: x
            S:
            S: .
            C: TOP 1 99
            S: +OK Top of message follows
            S: Subject: x
            S:
            S: ..one
            S: two
            S: no end
            S: .
            C: TOP 2 1
            S: -ERR No such message
        ";
        let world = world(&[b"Subject: x\r\n\r\n.one\r\ntwo\r\nno end."]);
        world.talk(&format!("{LOGIN}{}", script.replace("no end", "no end."))).await.unwrap();
    }
}
