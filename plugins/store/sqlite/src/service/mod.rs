//! `dovetail.store/1` on the mailstore: arguments and answers translated, waiting done without holding up the host.
//!
//! Commits are answered from the store's own thread and go on when their caller goes away. Reads and large bodies, which
//! may wait for the disk, run on the host's threads for blocking work; small bodies only touch memory.

mod answer;
mod bodies;
mod reader;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use dovetail_mailstore as mailstore;
use dovetail_mailstore::{DeliveryId, Done, MailOp, Mailbox, OpResult, Uid, UidSet};
use dovetail_sdk::store::{
    Append, Appended, BodyReader, BodySink, FlagAction, FlagChange, MailboxStatus, MessageColumns, StoreErrorCode,
    StoreFailure, StoreProvider, Usage,
};
use dovetail_sdk::task;
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use crate::figures::Lookout;
use answer::{columns, failure, flag_names, status};
use bodies::{Registry, Sink};
use reader::Reader;

/// The store as other plugins see it. Stopped, it refuses.
pub(crate) struct Service {
    store: Mutex<Option<Arc<mailstore::Store>>>,
    bodies: Arc<Registry>,
    lookout: Mutex<Option<Lookout>>,
}

impl Service {
    pub(crate) fn new(store: Option<Arc<mailstore::Store>>, lookout: Option<Lookout>) -> Self {
        Service { store: Mutex::new(store), bodies: Arc::default(), lookout: Mutex::new(lookout) }
    }

    /// Finishes the commits that wait and closes the database.
    pub(crate) async fn close(&self) {
        let store = self.store.lock().unwrap_or_else(PoisonError::into_inner).take();
        let lookout = self.lookout.lock().unwrap_or_else(PoisonError::into_inner).take();
        // If the host takes no more work, the store is closed here and now. First the look-out, which may be using it.
        let _ = task::spawn_blocking(move || drop((lookout, store))).await;
    }

    fn store(&self) -> Result<Arc<mailstore::Store>, StoreFailure> {
        let store = self.store.lock().unwrap_or_else(PoisonError::into_inner).clone();
        store.ok_or_else(|| temporary("the store has stopped"))
    }

    /// Runs work that may wait for the disk.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<mailstore::Store>) -> Result<T, mailstore::StoreError> + Send + 'static,
    ) -> Result<T, StoreFailure> {
        let store = self.store()?;
        blocking(move || work(&store)).await
    }

    async fn commit(&self, account: &str, op: MailOp) -> Result<Done, StoreFailure> {
        let (done, result) = oneshot::channel();
        self.store()?.submit(account, vec![op], move |results| {
            // The caller may have gone; what was done stays done.
            let _ = done.send(results);
        });
        let results: Vec<OpResult> =
            result.await.unwrap_or(Err(mailstore::StoreError::Closed)).map_err(|error| failure(&error))?;
        match results.into_iter().next() {
            Some(result) => result.map_err(|error| failure(&error)),
            None => Err(temporary("the store gave no answer")),
        }
    }

    fn to_append(&self, append: Append) -> Result<mailstore::Append, StoreFailure> {
        Ok(mailstore::Append {
            mailbox: append.mailbox.as_str().into(),
            body: self.bodies.get(append.body)?,
            flags: flag_names(append.flags),
            internal_date: mailstore::DateTime { milliseconds: append.internal_date, offset: 0 },
            delivery: delivery_id(&append.delivery_id),
        })
    }
}

impl StoreProvider for Service {
    async fn begin_body(&self, size: u64) -> Result<BodySink, StoreFailure> {
        let sink = self.store()?.begin_body(size).map_err(|error| failure(&error))?;
        Ok(BodySink::new(Sink::new(sink, self.bodies.clone())))
    }

    async fn append(&self, account: String, messages: Vec<Append>) -> Result<Vec<Appended>, StoreFailure> {
        let messages = messages.into_iter().map(|append| self.to_append(append)).collect::<Result<_, _>>()?;
        match self.commit(&account, MailOp::Append(messages)).await? {
            Done::Appended(done) => {
                Ok(done.iter().map(|d| Appended { uid_validity: d.uid_validity, uid: d.uid }).collect())
            }
            other => Err(mixed_up(&other)),
        }
    }

    async fn change_flags(&self, account: String, change: FlagChange) -> Result<Vec<u32>, StoreFailure> {
        let mut left = sorted(change.uids);
        let mut refused_in_all = Vec::new();
        let flags = flag_names(change.flags);
        while !left.is_empty() {
            let op = MailOp::StoreFlags {
                mailbox: change.mailbox.as_str().into(),
                uids: left.iter().copied().collect(),
                change: match change.action {
                    FlagAction::Remove => mailstore::FlagChange::Remove,
                    FlagAction::Replace => mailstore::FlagChange::Replace,
                    _ => mailstore::FlagChange::Add,
                },
                flags: flags.clone(),
                unchanged_since: Some(change.unchanged_since).filter(|since| *since > 0),
            };
            match self.commit(&account, op).await? {
                Done::Flagged { refused, next, .. } => {
                    refused_in_all.extend(refused.iter());
                    left = from(left, next);
                }
                other => return Err(mixed_up(&other)),
            }
        }
        Ok(refused_in_all)
    }

    async fn expunge(&self, account: String, mailbox: String, uids: Vec<u32>) -> Result<u32, StoreFailure> {
        let mut left = sorted(uids);
        let mut count = 0;
        while !left.is_empty() {
            let uids: UidSet = left.iter().copied().collect();
            let op = MailOp::Expunge { mailbox: mailbox.as_str().into(), uids, only_deleted: false };
            match self.commit(&account, op).await? {
                Done::Expunged { uids, next, .. } => {
                    count += u32::try_from(uids.len()).unwrap_or(u32::MAX);
                    left = from(left, next);
                }
                other => return Err(mixed_up(&other)),
            }
        }
        Ok(count)
    }

    async fn create_mailbox(&self, account: String, mailbox: String) -> Result<MailboxStatus, StoreFailure> {
        self.commit(&account, MailOp::CreateMailbox { name: mailbox.clone() }).await?;
        self.status(account, mailbox).await
    }

    async fn mailboxes(&self, account: String) -> Result<Vec<MailboxStatus>, StoreFailure> {
        let mailboxes = self.blocking(move |store| store.mailboxes(&account)).await?;
        Ok(mailboxes.into_iter().map(status).collect())
    }

    async fn status(&self, account: String, mailbox: String) -> Result<MailboxStatus, StoreFailure> {
        let found = self.blocking(move |store| {
            let row = store.mailbox(&account, store.find(&account, &mailbox)?)?;
            // The name as the store writes it.
            let name = if row.parent == 0 { row.name.clone() } else { mailbox };
            Ok(Mailbox { name, row })
        });
        Ok(status(found.await?))
    }

    async fn list(
        &self,
        account: String,
        mailbox: String,
        first_uid: u32,
        max: u32,
    ) -> Result<MessageColumns, StoreFailure> {
        let limit = usize::try_from(max).unwrap_or(usize::MAX);
        let rows = self.blocking(move |store| {
            let mailbox = store.find(&account, &mailbox)?;
            store.list(&account, mailbox, first_uid, Uid::MAX, None, limit)
        });
        Ok(columns(&rows.await?.rows))
    }

    async fn read(
        &self,
        account: String,
        mailbox: String,
        uid: u32,
        offset: u64,
        length: u64,
    ) -> Result<BodyReader, StoreFailure> {
        let reader = self.blocking(move |store| Reader::open(store, &account, &mailbox, uid, offset, length));
        match reader.await? {
            Some(reader) => Ok(BodyReader::new(reader)),
            None => Err(StoreFailure {
                code: StoreErrorCode::NotFound,
                message: format!("there is no message with UID {uid} in the mailbox"),
            }),
        }
    }

    async fn usage(&self, account: String) -> Result<Usage, StoreFailure> {
        let usage = self.blocking(move |store| store.usage(&account)).await?;
        Ok(Usage { octets: usage.bytes, messages: usage.messages })
    }
}

/// Runs work that may wait for the disk.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, mailstore::StoreError> + Send + 'static,
) -> Result<T, StoreFailure> {
    match task::spawn_blocking(work).await {
        Ok(result) => result.map_err(|error| failure(&error)),
        Err(error) => Err(temporary(&error.to_string())),
    }
}

fn temporary(message: &str) -> StoreFailure {
    StoreFailure { code: StoreErrorCode::Temporary, message: message.to_owned() }
}

fn mixed_up(done: &Done) -> StoreFailure {
    temporary(&format!("the store answered another question: {done:?}"))
}

fn sorted(mut uids: Vec<Uid>) -> Vec<Uid> {
    uids.sort_unstable();
    uids.dedup();
    uids
}

/// What is left of `uids` from `next` on; nothing without `next`.
fn from(mut uids: Vec<Uid>, next: Option<Uid>) -> Vec<Uid> {
    match next {
        Some(next) => uids.split_off(uids.partition_point(|uid| *uid < next)),
        None => Vec::new(),
    }
}

/// Ids may have any length and are partly chosen by strangers, so they are hashed.
fn delivery_id(text: &str) -> Option<DeliveryId> {
    let hash = Sha256::digest(text);
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    Some(DeliveryId(id)).filter(|_| !text.is_empty())
}
