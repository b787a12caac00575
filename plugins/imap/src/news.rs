//! News of the selected mailbox, on their way to the client: also where the store is restarted meanwhile.

use std::io;

use dovetail_sdk::store::StoreErrorCode;

use crate::answer::Next;
use crate::conversation::{lost, Conversation};
use crate::selected::reopen::{NotReopened, REOPENINGS};
use crate::selected::{Own, Say};
use crate::state::State;

/// The session cannot go on with the mailbox that it has selected.
#[derive(Debug)]
pub struct Ended;

impl Conversation<'_> {
    /// Queues the news of the selected mailbox, if one is. While the store is away there are none.
    ///
    /// # Errors
    /// `Ok(Err)` if it cannot be the selected one any more.
    pub async fn tell(&mut self, say: Say, own: Option<&Own>) -> io::Result<Result<(), Ended>> {
        for _ in 0..REOPENINGS {
            let State::Selected(selected) = &mut self.state else { break };
            let mut news = Vec::new();
            match selected.announce(say, own, self.rev2, &self.services.lists, &mut news) {
                Ok(()) => {
                    self.session.stream.queue(&news);
                    break;
                }
                Err(failure) if failure.code == StoreErrorCode::Stopped => match Box::pin(self.reopen()).await {
                    Ok(()) => {}
                    Err(NotReopened::Later(_)) => break,
                    Err(NotReopened::Another) => return Ok(Err(Ended)),
                },
                Err(failure) => return Err(lost(&failure)),
            }
        }
        Ok(Ok(()))
    }

    /// Opens the selected mailbox again, after the store said that it has been stopped.
    ///
    /// # Errors
    /// [`NotReopened`]
    pub async fn reopen(&mut self) -> Result<(), NotReopened> {
        let State::Selected(selected) = &mut self.state else {
            return Err(NotReopened::Another);
        };
        let opened = selected.open_again(&self.services.store).await;
        match &opened {
            Ok(_) => tracing::debug!(mailbox = selected.name, "opened again in the restarted store"),
            Err(NotReopened::Later(failure)) => {
                tracing::debug!(mailbox = selected.name, %failure, "not opened again, the store is away; it is tried again");
            }
            Err(NotReopened::Another) => {
                tracing::warn!(mailbox = selected.name, "in the restarted store this is another mailbox or none; the session ends, and the client finds out");
            }
        }
        selected.go_on_with(opened?);
        Ok(())
    }

    /// Ends a session whose mailbox is not the one that it has selected.
    pub fn another_mailbox(&mut self) -> Next {
        self.bye("UNAVAILABLE", "The selected mailbox is another one now, select it anew");
        Next::Close
    }
}
