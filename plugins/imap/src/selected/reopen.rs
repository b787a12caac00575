//! The selected mailbox in a store that was restarted.
//!
//! A store that owns files is stopped and started anew when its section changes, under sessions that have mailboxes open. Their
//! handles then say `Stopped`, and the mailbox is opened again: by its name, or if somebody has renamed it by its number. With
//! the same number and UIDVALIDITY it is the same mailbox, so that all that the client was told still holds, and what has
//! happened since is told like other news. Anything else, an older state of it included (from a backup), must not be shown
//! under the old numbers: the session ends.

use dovetail_sdk::store::{Mailbox, Store, StoreErrorCode, StoreFailure};
use dovetail_sdk::Service;

use super::Selected;

/// How often in one command the mailbox is opened again.
pub const REOPENINGS: u32 = 3;

/// Why a mailbox was not opened again.
#[derive(Debug)]
pub enum NotReopened {
    /// The store is not there, or busy: later, perhaps.
    Later(StoreFailure),
    /// It is not there any more, or is not the one that the client knows.
    Another,
}

impl From<StoreFailure> for NotReopened {
    fn from(failure: StoreFailure) -> Self {
        match failure.code {
            StoreErrorCode::NotFound | StoreErrorCode::Invalid => NotReopened::Another,
            _ => NotReopened::Later(failure),
        }
    }
}

impl Selected {
    /// Opens the mailbox in the store of this moment; waits for one that is being started.
    ///
    /// # Errors
    /// [`NotReopened`]; the handle stays as it is.
    pub async fn open_again(&self, store: &Service<Store>) -> Result<Mailbox, NotReopened> {
        let store = store.ready().await.map_err(StoreFailure::from)?;
        match self.open_as(&store, self.name.clone()).await {
            Err(NotReopened::Another) => {
                let entries = store.mailboxes(self.account.clone()).await?;
                let found = entries.into_iter().find(|entry| entry.id == self.id).ok_or(NotReopened::Another)?;
                self.open_as(&store, found.name).await
            }
            opened => opened,
        }
    }

    async fn open_as(&self, store: &Store, name: String) -> Result<Mailbox, NotReopened> {
        let mailbox = store.open(self.account.clone(), name).await?;
        let state = mailbox.state()?;
        let same = (state.id, state.uid_validity, state.gone) == (self.id, self.uid_validity, false);
        let older = state.highest_modseq < self.told || self.uids.last().is_some_and(|last| state.uid_next <= *last);
        match same && !older {
            true => Ok(mailbox),
            false => Err(NotReopened::Another),
        }
    }

    /// Goes on with this handle to the same mailbox.
    pub fn go_on_with(&mut self, mailbox: Mailbox) {
        self.mailbox = mailbox;
        // The store does not know any more what was expunged before it was started.
        self.may_have_missed_expunges = true;
    }
}
