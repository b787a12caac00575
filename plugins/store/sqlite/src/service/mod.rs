//! `dovetail.store/1` on the mailstore: arguments and answers translated, waiting done without holding up the host.
//!
//! Commits are answered from the store's own thread and go on when their caller goes away. What may wait for the disk
//! runs on the host's threads for blocking work; small bodies on their way in only touch memory, and an open mailbox
//! answers from its view in memory.

mod answer;
mod bodies;
mod mailbox;
mod reader;
mod shared;
mod slices;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dovetail_mailstore as mailstore;
use dovetail_mailstore::{DeliveryId, Done, MailOp};
use dovetail_sdk::store::{
    Append, Appended, BodySink, Mailbox, MailboxEntry, StoreErrorCode, StoreFailure, StoreProvider, Usage,
};
use dovetail_sdk::{task, time};
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use crate::figures::Lookout;
use answer::{entries, entry, failure, flag_names};
use mailbox::Open;
use shared::{mixed_up, Shared};

/// The store as other plugins see it. Stopped, it refuses.
pub(crate) struct Service {
    shared: Arc<Shared>,
    lookout: Mutex<Option<Lookout>>,
    /// Resolves when the files are closed.
    closed: Mutex<Option<oneshot::Receiver<()>>>,
}

/// A store in service.
pub(crate) struct Opened {
    pub store: Arc<mailstore::Store>,
    pub lookout: Lookout,
    /// Resolves when the last of its files is closed.
    pub closed: oneshot::Receiver<()>,
}

impl Service {
    pub(crate) fn new(opened: Option<Opened>) -> Self {
        let (store, lookout, closed) = match opened {
            Some(Opened { store, lookout, closed }) => (Some(store), Some(lookout), Some(closed)),
            None => (None, None, None),
        };
        let shared = Arc::new(Shared::new(store));
        Service { shared, lookout: Mutex::new(lookout), closed: Mutex::new(closed) }
    }

    /// Calls that run, and bodies in somebody's hands.
    pub(crate) fn under_way(&self) -> u64 {
        self.shared.under_way()
    }

    /// Finishes the commits that wait and closes the database. When this returns, another instance may open it.
    pub(crate) async fn close(&self) {
        // First the look-out, which may be using the store.
        let lookout = self.lookout.lock().unwrap_or_else(PoisonError::into_inner).take();
        let _ = task::spawn_blocking(move || drop(lookout)).await;
        self.shared.close().await;
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(closed) = closed {
            // Its sender goes with the last of the files; nothing is ever sent.
            if time::timeout(CLOSE_LIMIT, closed).await.is_err() {
                tracing::error!(within = ?CLOSE_LIMIT, "the database is still in use; it is closed when that ends. Report this");
            }
        }
    }

    fn to_append(&self, append: Append) -> Result<mailstore::Append, StoreFailure> {
        Ok(mailstore::Append {
            mailbox: append.mailbox.as_str().into(),
            body: self.shared.bodies.get(append.body)?,
            flags: flag_names(append.flags),
            internal_date: mailstore::DateTime {
                milliseconds: append.internal_date,
                // No zone is further from UTC than a day; what is, is nonsense and not worth a refusal.
                offset: i16::try_from(append.zone).unwrap_or(0),
            },
            delivery: delivery_id(&append.delivery_id),
        })
    }
}

impl StoreProvider for Service {
    async fn begin_body(&self, size: u64) -> Result<BodySink, StoreFailure> {
        let store = self.shared.store()?;
        let sink = store.begin_body(size).map_err(|error| failure(&error))?;
        Ok(BodySink::new(self.shared.bodies.begin(store, sink)?))
    }

    async fn append(&self, account: String, messages: Vec<Append>) -> Result<Vec<Appended>, StoreFailure> {
        let messages = messages.into_iter().map(|append| self.to_append(append)).collect::<Result<_, _>>()?;
        match self.shared.commit(&account, MailOp::Append(messages)).await? {
            Done::Appended(done) => {
                Ok(done.iter().map(|d| Appended { uid_validity: d.uid_validity, uid: d.uid }).collect())
            }
            other => Err(mixed_up(&other)),
        }
    }

    async fn open(&self, account: String, mailbox: String) -> Result<Mailbox, StoreFailure> {
        let view = self.shared.blocking(move |store| store.open_mailbox(&account, &mailbox)).await?;
        Ok(Mailbox::new(Open::new(self.shared.clone(), view)))
    }

    async fn mailboxes(&self, account: String) -> Result<Vec<MailboxEntry>, StoreFailure> {
        self.shared.blocking(move |store| entries(store, &account)).await
    }

    async fn status(&self, account: String, mailbox: String) -> Result<MailboxEntry, StoreFailure> {
        self.shared.blocking(move |store| entry(store, &account, &mailbox)).await
    }

    async fn create_mailbox(&self, account: String, mailbox: String, special_use: u32) -> Result<(), StoreFailure> {
        let special_use = u8::try_from(special_use).map_err(|_| StoreFailure {
            code: StoreErrorCode::Invalid,
            message: format!("there is no special use {special_use:#x}"),
        })?;
        self.shared.commit(&account, MailOp::CreateMailbox { name: mailbox, special_use }).await?;
        Ok(())
    }

    async fn delete_mailbox(&self, account: String, mailbox: String) -> Result<(), StoreFailure> {
        self.shared.commit(&account, MailOp::DeleteMailbox { name: mailbox }).await?;
        Ok(())
    }

    async fn rename_mailbox(&self, account: String, mailbox: String, to: String) -> Result<(), StoreFailure> {
        self.shared.commit(&account, MailOp::RenameMailbox { name: mailbox, to }).await?;
        Ok(())
    }

    async fn subscribe(&self, account: String, mailbox: String, subscribed: bool) -> Result<(), StoreFailure> {
        self.shared.commit(&account, MailOp::Subscribe { name: mailbox, subscribed }).await?;
        Ok(())
    }

    async fn usage(&self, account: String) -> Result<Usage, StoreFailure> {
        let usage = self.shared.blocking(move |store| store.usage(&account)).await?;
        Ok(Usage { octets: usage.bytes, messages: usage.messages })
    }
}

/// After its last call has ended the database gets so long to close.
const CLOSE_LIMIT: Duration = Duration::from_secs(4);

/// Ids may have any length and are partly chosen by strangers, so they are hashed.
fn delivery_id(text: &str) -> Option<DeliveryId> {
    let hash = Sha256::digest(text);
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    Some(DeliveryId(id)).filter(|_| !text.is_empty())
}
