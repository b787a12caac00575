//! An open mailbox: what answers at once comes from its view in memory, changes go through the store's committer.
//!
//! Changes of more messages than the store takes at once are committed bit by bit, so that others come in between; a
//! failure half-way is told, and what was done before it stays. Copies are all or none.

use std::sync::Arc;

use dovetail_mailstore as mailstore;
use dovetail_mailstore::view::BodyOf;
use dovetail_mailstore::{Done, MailOp, MailboxRef, Uid, UidSet, View};
use dovetail_sdk::store::{
    BodyReader, Copied, Expunged, FlagAction, FlagChange, FlagsChanged, MailboxProvider, MailboxState, MessageColumns,
    Pieces, Slice, StoreErrorCode, StoreFailure, UidRange,
};

use super::answer::{flag_names, rows, state, uid_ranges, uid_set};
use super::reader::Reader;
use super::shared::{commit, mixed_up, Shared};
use super::slices;

/// A handle to a mailbox.
pub(super) struct Open {
    shared: Arc<Shared>,
    view: Arc<View>,
}

impl Open {
    pub(super) fn new(shared: Arc<Shared>, view: Arc<View>) -> Self {
        Open { shared, view }
    }

    async fn commit(&self, store: &Arc<mailstore::Store>, op: MailOp) -> Result<Done, StoreFailure> {
        commit(store, self.view.account(), op).await
    }

    fn mailbox(&self) -> MailboxRef {
        MailboxRef::Id(self.view.mailbox())
    }

    fn highest_modseq(&self) -> u64 {
        self.view.look(|state, _| state.highest_modseq)
    }

    fn body(&self, uid: Uid) -> Result<BodyOf, StoreFailure> {
        self.view.bodies([uid]).into_iter().next().flatten().ok_or_else(|| StoreFailure {
            code: StoreErrorCode::NotFound,
            message: format!("there is no message with UID {uid} in the mailbox"),
        })
    }
}

impl MailboxProvider for Open {
    fn state(&self) -> Result<MailboxState, StoreFailure> {
        self.shared.running()?;
        Ok(self.view.look(|view, columns| state(self.view.mailbox(), view, columns)))
    }

    fn uids(&self) -> Result<Vec<u32>, StoreFailure> {
        self.shared.running()?;
        Ok(self.view.look(|_, columns| columns.uids.clone()))
    }

    fn rows(&self, uids: Vec<UidRange>, since: u64, columns: u32) -> Result<MessageColumns, StoreFailure> {
        self.shared.running()?;
        Ok(self.view.look(|_, view| rows(view, &uids, since, columns)))
    }

    async fn changed(&self, since: u64) -> Result<u64, StoreFailure> {
        tokio::select! {
            biased;
            failure = self.shared.until_stopped() => Err(failure),
            modseq = self.view.changed(since) => Ok(modseq),
        }
    }

    fn recent(&self, claim: bool) -> Result<u32, StoreFailure> {
        self.shared.running()?;
        Ok(self.view.recent(claim))
    }

    async fn read(&self, uid: u32, offset: u64, length: u64) -> Result<BodyReader, StoreFailure> {
        self.shared.running()?;
        let body = self.body(uid)?;
        Ok(BodyReader::new(Reader::open(self.shared.clone(), body, offset, length).await?))
    }

    async fn read_slices(&self, slices: Vec<Slice>) -> Result<Pieces, StoreFailure> {
        slices::read(self.shared.store()?, &self.view, &slices).await
    }

    async fn summaries(&self, uids: Vec<u32>) -> Result<Pieces, StoreFailure> {
        slices::summaries(self.shared.store()?, self.view.clone(), uids).await
    }

    async fn change_flags(&self, change: FlagChange) -> Result<FlagsChanged, StoreFailure> {
        // For all steps: between two of them it is not stopped.
        let store = self.shared.store()?;
        let mut left = uid_set(&change.uids);
        let mut refused_in_all = UidSet::new();
        let mut modseq = 0;
        let flags = flag_names(change.flags);
        let action = match change.action {
            FlagAction::Remove => mailstore::FlagChange::Remove,
            FlagAction::Replace => mailstore::FlagChange::Replace,
            _ => mailstore::FlagChange::Add,
        };
        while !left.is_empty() {
            let op = MailOp::StoreFlags {
                mailbox: self.mailbox(),
                uids: left.clone(),
                change: action,
                flags: flags.clone(),
                unchanged_since: Some(change.unchanged_since).filter(|since| *since > 0),
            };
            match self.commit(&store, op).await? {
                Done::Flagged { changed, refused, next } => {
                    modseq = changed.iter().map(|message| message.modseq).max().unwrap_or(modseq);
                    refused.ranges().iter().for_each(|&(first, last)| refused_in_all.insert_range(first, last));
                    left = from(&left, next);
                }
                other => return Err(mixed_up(&other)),
            }
        }
        Ok(FlagsChanged { modseq, refused: uid_ranges(&refused_in_all) })
    }

    async fn expunge(&self, uids: Vec<UidRange>, only_deleted: bool) -> Result<Expunged, StoreFailure> {
        let store = self.shared.store()?;
        let mut left = uid_set(&uids);
        let mut gone = UidSet::new();
        while !left.is_empty() {
            let op = MailOp::Expunge { mailbox: self.mailbox(), uids: left.clone(), only_deleted };
            match self.commit(&store, op).await? {
                Done::Expunged { uids, next, .. } => {
                    uids.ranges().iter().for_each(|&(first, last)| gone.insert_range(first, last));
                    left = from(&left, next);
                }
                other => return Err(mixed_up(&other)),
            }
        }
        Ok(Expunged { uids: uid_ranges(&gone), modseq: self.highest_modseq() })
    }

    async fn copy(&self, uids: Vec<UidRange>, to: String, remove: bool) -> Result<Copied, StoreFailure> {
        let op = MailOp::Copy { mailbox: self.mailbox(), uids: uid_set(&uids), to: MailboxRef::Name(to), remove };
        match self.commit(&self.shared.store()?, op).await? {
            Done::Copied { uid_validity, uids } => Ok(Copied {
                uid_validity,
                from: uid_ranges(&uids.iter().map(|pair| pair.0).collect()),
                to: uid_ranges(&uids.iter().map(|pair| pair.1).collect()),
            }),
            other => Err(mixed_up(&other)),
        }
    }
}

impl Drop for Open {
    /// Claims come to the disk when a session leaves: everybody who looks meanwhile sees them in the view, and a commit for
    /// each message that arrives would cost more than a message that is recent once more after a crash.
    fn drop(&mut self) {
        let (Some(recent_from), Ok(store)) = (self.view.unsaved_claim(), self.shared.store()) else { return };
        let op = MailOp::Claim { mailbox: self.mailbox(), recent_from };
        store.submit(self.view.account(), vec![op], |result| {
            if let Err(error) = result {
                tracing::debug!(%error, "recent messages will be recent again after a restart");
            }
        });
    }
}

/// What is left of `uids` from `next` on; nothing without `next`.
fn from(uids: &UidSet, next: Option<Uid>) -> UidSet {
    let mut left = UidSet::new();
    if let Some(next) = next {
        uids.ranges().iter().for_each(|&(first, last)| left.insert_range(first.max(next), last));
    }
    left
}
