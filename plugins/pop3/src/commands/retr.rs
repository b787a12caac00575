//! RETR (RFC 1939 section 5): one whole message, byte for byte.

use std::io;

use crate::conversation::{Conversation, Next};
use crate::maildrop::Entry;
use crate::reply::Reply;
use crate::retrieval;
use crate::state::{message_number, no_such_message, State};

/// `RETR number`.
#[derive(Debug)]
pub struct Retr {
    number: usize,
}

impl Retr {
    /// Reads the number.
    pub fn parse(args: &[u8]) -> Result<Self, Reply> {
        message_number(args).map(|number| Retr { number })
    }

    /// Sends it.
    pub async fn run(self, conversation: &mut Conversation<'_>) -> io::Result<Next> {
        match self.entry(&mut conversation.state) {
            Ok(entry) => retrieval::send(conversation, entry, None).await,
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
    use crate::state::testing::{logged_in, nobody};
    use crate::testing::{world, LOGIN};

    #[test]
    fn finds_the_message() {
        let mut state = logged_in();
        assert_eq!(Retr { number: 3 }.entry(&mut state).unwrap().uid, 9);
        assert!(Retr { number: 0 }.entry(&mut state).is_err());
        assert!(Retr { number: 3 }.entry(&mut nobody()).is_err());
        for bad in [&b""[..], b"x", b"1 2"] {
            assert!(Retr::parse(bad).is_err());
        }
    }

    const MESSAGE: &[u8] = b"Subject: x\r\n\r\n.dot\r\n..\r\n\xff\x00 end";

    #[tokio::test]
    async fn a_message_comes_as_it_is() {
        let got = world(&[MESSAGE]).answers(b"USER ann\r\nPASS secret\r\nRETR 1\r\nQUIT\r\n").await;
        let want = b"+OK 30 octets\r\nSubject: x\r\n\r\n..dot\r\n...\r\n\xff\x00 end\r\n.\r\n+OK Bye\r\n";
        assert!(got.ends_with(want), "{}", String::from_utf8_lossy(&got));
    }

    #[tokio::test]
    async fn large_and_empty_messages_come_whole() {
        let large = b"0123456789.\r\n".repeat(20_000);
        let got = world(&[&large, b""]).answers(b"USER ann\r\nPASS secret\r\nRETR 1\r\nRETR 2\r\nQUIT\r\n").await;
        let want = [b"+OK 260000 octets\r\n", &large[..], b".\r\n+OK 0 octets\r\n.\r\n+OK Bye\r\n"].concat();
        assert!(got.ends_with(&want));
    }

    #[tokio::test]
    async fn what_cannot_be_sent_is_told() {
        let world = world(&[b"unreadable", b"gone", b"x"]);
        let script = r"
            S: +OK 3 messages (15 octets)
            C: RETR 1
            S: -ERR [SYS/TEMP] The message cannot be read now, try again later
            C: RETR 9
            S: -ERR No such message
            C: DELE 3
            S: +OK Marked for deletion
            C: RETR 3
            S: -ERR No such message
        ";
        world.talk(&format!("{LOGIN}{script}")).await.unwrap();
    }

    #[tokio::test]
    async fn a_message_that_another_session_removed_is_told() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let world = world(&[b"x"]);
        let (near, mut far) = tokio::io::duplex(1 << 16);
        let client = async {
            let mut got = vec![0; 4096];
            far.write_all(b"USER ann\r\nPASS secret\r\n").await.unwrap();
            let mut text = String::new();
            while !text.contains("1 octets") {
                let n = far.read(&mut got).await.unwrap();
                text.push_str(&String::from_utf8_lossy(&got[..n]));
            }
            world.seen.messages.lock().unwrap().clear();
            far.write_all(b"RETR 1\r\n").await.unwrap();
            let n = far.read(&mut got).await.unwrap();
            assert_eq!(&got[..n], b"-ERR The message has been removed by another session\r\n");
            drop(far);
        };
        let (served, ()) = tokio::join!(world.serve(near), client);
        served.unwrap();
    }

    #[tokio::test]
    async fn a_message_that_breaks_off_ends_the_connection() {
        let script = "S: +OK 1 messages (16 octets)\nC: RETR 1\nC: NOOP\nS: +OK 16 octets\n";
        let world = world(&[b"short! message\n"]);
        let (near, far) = tokio::io::duplex(1 << 16);
        let script = format!("{LOGIN}{script}");
        let client = async {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let (mut read, mut write) = tokio::io::split(far);
            write.write_all(b"USER ann\r\nPASS secret\r\nRETR 1\r\nNOOP\r\n").await.unwrap();
            let mut got = Vec::new();
            read.read_to_end(&mut got).await.unwrap();
            let text = String::from_utf8_lossy(&got).into_owned();
            assert!(!text.contains("\r\n.\r\n") && !text.ends_with("+OK\r\n"), "{text} {script}");
        };
        let (served, ()) = tokio::join!(world.serve(near), client);
        served.unwrap();
    }
}
