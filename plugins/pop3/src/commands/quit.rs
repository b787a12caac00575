//! QUIT (RFC 1939 sections 4 and 6): deletes what is marked, and ends the session. A session that ends in any other way
//! deletes nothing.

use dovetail_sdk::store::{Expunged, StoreErrorCode, StoreFailure, UidRange};

use crate::conversation::{Conversation, Next};
use crate::inbox::{self, REOPENINGS};
use crate::reply::{Code, Reply};
use crate::state::{no_arguments, State};

/// `QUIT`.
#[derive(Debug)]
pub struct Quit;

impl Quit {
    /// Has no arguments.
    pub fn parse(args: &[u8]) -> Result<Self, Reply> {
        no_arguments(args).map(|()| Quit)
    }

    /// Deletes and says goodbye; a failure is told, so that the client knows that its marks were not heeded.
    pub async fn run(self, conversation: &mut Conversation<'_>) -> Next {
        let State::Transaction(maildrop) = &conversation.state else {
            return conversation.goodbye(&Reply::ok("Bye"));
        };
        let uids = ranges(maildrop.marked());
        let reply = match uids.is_empty() {
            false => delete(conversation, uids).await,
            true => Reply::ok("Bye"),
        };
        conversation.goodbye(&reply)
    }
}

async fn delete(conversation: &mut Conversation<'_>, uids: Vec<UidRange>) -> Reply {
    let deleted = expunge(conversation, uids).await;
    let account = match &conversation.state {
        State::Transaction(maildrop) => maildrop.account(),
        State::Authorization { .. } => "",
    };
    match deleted {
        Ok(expunged) => {
            let messages: u64 = expunged.uids.iter().map(|range| u64::from(range.last - range.first) + 1).sum();
            conversation.services.figures.deleted(messages);
            tracing::info!(account, messages, "messages deleted");
            Reply::ok("Bye, marked messages deleted")
        }
        Err(failure) => {
            tracing::error!(account, %failure, "messages not deleted: they stay, and the client was told to try later; look for the cause in the store's lines");
            Reply::coded(Code::SysTemp, "Marked messages not deleted, try again later")
        }
    }
}

/// Deletes, in the store that is there now.
async fn expunge(conversation: &mut Conversation<'_>, uids: Vec<UidRange>) -> Result<Expunged, StoreFailure> {
    let mut tries = 0;
    loop {
        let Some(mailbox) = &conversation.mailbox else {
            return Ok(Expunged { uids: Vec::new(), modseq: 0 });
        };
        match mailbox.expunge(uids.clone(), false).await {
            Err(failure) if failure.code == StoreErrorCode::Stopped && tries < REOPENINGS => {
                tries += 1;
                inbox::reopen(conversation).await?;
            }
            answer => return answer,
        }
    }
}

/// Ascending UIDs as ranges.
fn ranges(uids: impl Iterator<Item = u32>) -> Vec<UidRange> {
    let mut ranges: Vec<UidRange> = Vec::new();
    for uid in uids {
        match ranges.last_mut() {
            Some(range) if range.last.checked_add(1) == Some(uid) => range.last = uid,
            _ => ranges.push(UidRange { first: uid, last: uid }),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use dovetail_sdk::store::UidRange;

    #[test]
    fn neighbours_make_one_range() {
        let ranges = |uids: &[u32]| super::ranges(uids.iter().copied());
        let range = |first, last| UidRange { first, last };
        assert_eq!(ranges(&[]), []);
        assert_eq!(
            ranges(&[3, 4, 5, 7, u32::MAX - 1, u32::MAX]),
            [range(3, 5), range(7, 7), range(u32::MAX - 1, u32::MAX)]
        );
    }

    use crate::testing::{world, LOGIN};

    const MARK: &str = "S: +OK 2 messages (3 octets)\nC: DELE 1\nS: +OK Marked for deletion\n";

    #[tokio::test]
    async fn deletes_what_is_marked() {
        let world = world(&[b"1", b"22"]);
        world.talk(&format!("{LOGIN}{MARK}C: QUIT\nS: +OK Bye, marked messages deleted\nS.")).await.unwrap();
        assert_eq!(*world.seen.messages.lock().unwrap(), [(20, b"22".to_vec())]);
    }

    #[tokio::test]
    async fn an_end_without_quit_deletes_nothing() {
        let world = world(&[b"1", b"22"]);
        world.talk(&format!("{LOGIN}{MARK}")).await.unwrap();
        world
            .talk(&format!("{LOGIN}{MARK}C: RSET\nC: QUIT\nS: +OK 2 messages (3 octets)\nS: +OK Bye\nS."))
            .await
            .unwrap();
        world.talk("S: +OK Dovetail POP3 ready\nC: QUIT\nS: +OK Bye\nS.").await.unwrap();
        assert_eq!(world.seen.messages.lock().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn a_failure_is_told() {
        let world = world(&[b"1", b"22"]);
        *world.seen.broken.lock().unwrap() = true;
        let script = "C: QUIT\nS: -ERR [SYS/TEMP] Marked messages not deleted, try again later\nS.";
        world.talk(&format!("{LOGIN}{MARK}{script}")).await.unwrap();
        assert_eq!(world.seen.messages.lock().unwrap().len(), 2);
    }
}
