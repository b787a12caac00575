//! Bodies on their way in, as objects of the interface.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dovetail_mailstore as mailstore;
use dovetail_sdk::store::{Body, BodyProvider, BodySinkProvider, StoreErrorCode, StoreFailure};

use super::answer::failure;
use super::shared::blocking;

/// Sealed bodies whose handles live, by number.
#[derive(Default)]
pub(super) struct Registry {
    bodies: Mutex<HashMap<u64, mailstore::Body>>,
}

impl Registry {
    pub(super) fn get(&self, id: u64) -> Result<mailstore::Body, StoreFailure> {
        self.lock().get(&id).cloned().ok_or_else(|| StoreFailure {
            code: StoreErrorCode::Invalid,
            message: format!("no handle to body {id:016x} is held"),
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, mailstore::Body>> {
        self.bodies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body being written. `None` once it is sealed, or when a write was given up half-way.
pub(super) struct Sink {
    sink: tokio::sync::Mutex<Option<mailstore::BodySink>>,
    registry: Arc<Registry>,
}

impl Sink {
    pub(super) fn new(sink: mailstore::BodySink, registry: Arc<Registry>) -> Self {
        Sink { sink: tokio::sync::Mutex::new(Some(sink)), registry }
    }
}

impl BodySinkProvider for Sink {
    async fn write(&self, bytes: dovetail_sdk::Bytes) -> Result<(), StoreFailure> {
        let mut slot = self.sink.lock().await;
        let mut sink = slot.take().ok_or_else(ended)?;
        // Taken out meanwhile: after an error, or if the caller goes away, the rest must not be taken for the whole.
        *slot = Some(if sink.stays_in_memory(bytes.len()) {
            sink.write(&bytes).map_err(|error| failure(&error))?;
            sink
        } else {
            blocking(move || sink.write(&bytes).map(|()| sink)).await?
        });
        Ok(())
    }

    async fn seal(&self) -> Result<Body, StoreFailure> {
        let sink = self.sink.lock().await.take().ok_or_else(ended)?;
        let body = match sink.is_large() {
            true => blocking(move || sink.seal()).await?,
            false => sink.seal().map_err(|error| failure(&error))?,
        };
        self.registry.lock().insert(body.id().0, body.clone());
        Ok(Body::new(Sealed { id: body.id().0, size: u64::from(body.size()), registry: self.registry.clone() }))
    }
}

fn ended() -> StoreFailure {
    StoreFailure { code: StoreErrorCode::Invalid, message: "the body has ended: begin another one".into() }
}

/// A sealed body; kept in the registry while this lives.
struct Sealed {
    id: u64,
    size: u64,
    registry: Arc<Registry>,
}

impl BodyProvider for Sealed {
    fn id(&self) -> Result<u64, StoreFailure> {
        Ok(self.id)
    }

    fn size(&self) -> Result<u64, StoreFailure> {
        Ok(self.size)
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        // Outside of the lock: the last handle to a large body that nobody named removes its file.
        let body = self.registry.lock().remove(&self.id);
        drop(body);
    }
}
