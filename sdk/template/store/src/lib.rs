//! A store in memory: mailboxes that work in all ways and end with the process.
//!
//! `world` holds the accounts and their mailboxes, `messages` what is in a mailbox, `bodies` the octets of messages and the bound of
//! them all, `open` the handles that sessions have. One lock is over all of it, and nobody waits while holding it.

mod bodies;
mod messages;
mod open;
#[cfg(test)]
mod tests;
mod world;

use bodies::{Room, Sink};
use dovetail_sdk::{
    export_plugin,
    store::{
        Append, Appended, BodySink, Mailbox, MailboxEntry, Store, StoreErrorCode, StoreFailure, StoreProvider, Usage,
    },
    Context, Plugin, StartFailure,
};
use open::Open;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;
use world::World;

/// The instance's section in the server's configuration.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// Largest message in octets.
    max_message_size: u64,
    /// Octets of all messages together. Mail is refused for the time being beyond that.
    max_octets: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config { max_message_size: 50 << 20, max_octets: 256 << 20 }
    }
}

/// One instance.
struct {{Name}} {
    shared: Arc<Shared>,
    max_message_size: u64,
}

/// What all handles have in common.
struct Shared {
    /// `None` when the instance has been stopped.
    world: Mutex<Option<World>>,
    /// Changes whenever the world may have changed: whoever waits looks whether it was about them.
    news: watch::Sender<()>,
    room: Arc<Room>,
}

impl Shared {
    /// Looks at the world, or changes it without anybody being told.
    fn with<T>(&self, work: impl FnOnce(&mut World) -> Result<T, StoreFailure>) -> Result<T, StoreFailure> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        work(world.as_mut().ok_or_else(|| failure(StoreErrorCode::Stopped, "the store has been stopped"))?)
    }

    /// Changes the world, and wakes those who wait for changes.
    fn change<T>(&self, work: impl FnOnce(&mut World) -> Result<T, StoreFailure>) -> Result<T, StoreFailure> {
        let done = self.with(work);
        self.news.send_replace(());
        done
    }
}

fn failure(code: StoreErrorCode, message: impl Into<String>) -> StoreFailure {
    StoreFailure { code, message: message.into() }
}

impl Plugin for {{Name}} {
    type Config = Config;

    async fn start(config: Config, _context: Context) -> Result<Self, StartFailure> {
        tracing::warn!("mail is kept in memory alone: all of it ends with this instance");
        let shared = Shared {
            world: Mutex::new(Some(World::new())),
            news: watch::Sender::new(()),
            room: Arc::new(Room::of(config.max_octets)),
        };
        Ok({{Name}} { shared: Arc::new(shared), max_message_size: config.max_message_size })
    }

    async fn stop(&self) {
        // Handles that live on hear that it has been stopped.
        let world = self.shared.world.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.shared.news.send_replace(());
        drop(world);
    }
}

impl StoreProvider for {{Name}} {
    async fn begin_body(&self, size: u64) -> Result<BodySink, StoreFailure> {
        self.shared.with(|_| Ok(()))?;
        Ok(BodySink::new(Sink::begin(self.shared.clone(), size, self.max_message_size)?))
    }

    async fn append(&self, account: String, messages: Vec<Append>) -> Result<Vec<Appended>, StoreFailure> {
        self.shared.change(|world| world.append(&account, &messages))
    }

    async fn open(&self, account: String, mailbox: String) -> Result<Mailbox, StoreFailure> {
        let (id, uid_validity) = self.shared.with(|world| {
            let mailbox = world.account(&account)?.named(&mailbox)?;
            Ok((mailbox.id, mailbox.uid_validity))
        })?;
        Ok(Mailbox::new(Open { shared: self.shared.clone(), account, id, uid_validity }))
    }

    async fn mailboxes(&self, account: String) -> Result<Vec<MailboxEntry>, StoreFailure> {
        self.shared.with(|world| Ok(world.account(&account)?.entries()))
    }

    async fn status(&self, account: String, mailbox: String) -> Result<MailboxEntry, StoreFailure> {
        self.shared.with(|world| world.account(&account)?.entry(&mailbox))
    }

    async fn create_mailbox(&self, account: String, mailbox: String, special_use: u32) -> Result<(), StoreFailure> {
        self.shared.change(|world| world.account(&account)?.create(&mailbox, special_use))
    }

    async fn delete_mailbox(&self, account: String, mailbox: String) -> Result<(), StoreFailure> {
        self.shared.change(|world| world.account(&account)?.delete(&mailbox))
    }

    async fn rename_mailbox(&self, account: String, mailbox: String, to: String) -> Result<(), StoreFailure> {
        self.shared.change(|world| world.account(&account)?.rename(&mailbox, &to))
    }

    async fn subscribe(&self, account: String, mailbox: String, subscribed: bool) -> Result<(), StoreFailure> {
        self.shared.with(|world| world.account(&account)?.subscribe(&mailbox, subscribed))
    }

    async fn usage(&self, account: String) -> Result<Usage, StoreFailure> {
        self.shared.with(|world| Ok(world.account(&account)?.usage()))
    }
}

export_plugin! {
    plugin: {{Name}},
    id: "{{name}}",
    summary: "Keeps mailboxes in memory",
    exclusive: true,
    provides: [Store],
    requires: [],
}
