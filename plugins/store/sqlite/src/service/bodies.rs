//! Bodies on their way in, as objects of the interface.
//!
//! All of them are in the [`Registry`], so that a store that is stopped can give them up: whoever has a handle to one hears
//! that then, and none of them keeps the files open.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use dovetail_mailstore as mailstore;
use dovetail_sdk::store::{Body, BodyProvider, BodySinkProvider, StoreErrorCode, StoreFailure};

use super::answer::failure;
use super::shared::{blocking, stopped};

/// Bodies whose handles live.
#[derive(Default)]
pub(super) struct Registry(Mutex<Bodies>);

#[derive(Default)]
struct Bodies {
    sealed: HashMap<u64, (mailstore::Body, Arc<mailstore::Store>)>,
    /// By the order in which they were begun.
    sinks: HashMap<u64, Weak<Slot>>,
    begun: u64,
    given_up: bool,
}

/// `None` once it is sealed, or when a write was given up half-way, or the store has been stopped.
type Slot = tokio::sync::Mutex<Option<Writing>>;

/// A body that is being written, and its store, which is not stopped for that long if that can be helped.
struct Writing {
    sink: mailstore::BodySink,
    store: Arc<mailstore::Store>,
}

impl Registry {
    /// Begins a body.
    pub(super) fn begin(
        self: &Arc<Self>,
        store: Arc<mailstore::Store>,
        sink: mailstore::BodySink,
    ) -> Result<Sink, StoreFailure> {
        let slot = Arc::new(Slot::new(Some(Writing { sink, store })));
        let mut bodies = self.open()?;
        bodies.begun += 1;
        let number = bodies.begun;
        bodies.sinks.insert(number, Arc::downgrade(&slot));
        Ok(Sink { slot, number, registry: self.clone() })
    }

    pub(super) fn get(&self, id: u64) -> Result<mailstore::Body, StoreFailure> {
        let found = self.open()?.sealed.get(&id).map(|(body, _)| body.clone());
        found.ok_or_else(|| StoreFailure {
            code: StoreErrorCode::Invalid,
            message: format!("no handle to body {id:016x} is held"),
        })
    }

    /// Gives all of them up: their handles refuse from now on. Waits for writes that are under way.
    pub(super) async fn give_up(&self) {
        let (sealed, sinks) = {
            let mut bodies = self.lock();
            bodies.given_up = true;
            (std::mem::take(&mut bodies.sealed), std::mem::take(&mut bodies.sinks))
        };
        for slot in sinks.into_values().filter_map(|slot| slot.upgrade()) {
            let writing = slot.lock().await.take();
            drop(writing);
        }
        drop(sealed);
    }

    /// The bodies, unless they have been given up.
    fn open(&self) -> Result<MutexGuard<'_, Bodies>, StoreFailure> {
        let bodies = self.lock();
        match bodies.given_up {
            true => Err(stopped()),
            false => Ok(bodies),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Bodies> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body being written.
pub(super) struct Sink {
    slot: Arc<Slot>,
    number: u64,
    registry: Arc<Registry>,
}

impl Sink {
    /// Why there is nothing to write to.
    fn ended(&self) -> StoreFailure {
        self.registry.open().map_or_else(
            |stopped| stopped,
            |_| StoreFailure { code: StoreErrorCode::Invalid, message: "the body has ended: begin another one".into() },
        )
    }
}

impl BodySinkProvider for Sink {
    async fn write(&self, bytes: dovetail_sdk::Bytes) -> Result<(), StoreFailure> {
        let mut slot = self.slot.lock().await;
        let mut writing = slot.take().ok_or_else(|| self.ended())?;
        // Taken out meanwhile: after an error, or if the caller goes away, the rest must not be taken for the whole.
        *slot = Some(if writing.sink.stays_in_memory(bytes.len()) {
            writing.sink.write(&bytes).map_err(|error| failure(&error))?;
            writing
        } else {
            blocking(move || writing.sink.write(&bytes).map(|()| writing)).await?
        });
        Ok(())
    }

    async fn seal(&self) -> Result<Body, StoreFailure> {
        let Writing { sink, store } = self.slot.lock().await.take().ok_or_else(|| self.ended())?;
        let body = match sink.is_large() {
            true => blocking(move || sink.seal()).await?,
            false => sink.seal().map_err(|error| failure(&error))?,
        };
        let (id, size) = (body.id().0, u64::from(body.size()));
        self.registry.open()?.sealed.insert(id, (body, store));
        Ok(Body::new(Sealed { id, size, registry: self.registry.clone() }))
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.registry.lock().sinks.remove(&self.number);
    }
}

/// A sealed body; kept in the registry while this lives.
struct Sealed {
    id: u64,
    size: u64,
    registry: Arc<Registry>,
}

impl BodyProvider for Sealed {
    fn id(&self) -> Result<u64, StoreFailure> {
        self.registry.open().map(|_| self.id)
    }

    fn size(&self) -> Result<u64, StoreFailure> {
        Ok(self.size)
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        // Outside of the lock: the last handle to a large body that nobody named removes its file.
        let body = self.registry.lock().sealed.remove(&self.id);
        drop(body);
    }
}
