//! The octets of messages: on their way in, kept, and on their way out.

use crate::{failure, Shared};
use dovetail_sdk::{
    store::{Body, BodyProvider, BodyReaderProvider, BodySinkProvider, StoreErrorCode, StoreFailure},
    Bytes,
};
use std::sync::{
    atomic::{AtomicU64, Ordering},
    Arc, Mutex, PoisonError,
};

/// How many octets all bodies may have together.
pub struct Room {
    left: AtomicU64,
}

impl Room {
    pub fn of(octets: u64) -> Self {
        Room { left: AtomicU64::new(octets) }
    }
}

/// The octets of one body. They are counted as long as anybody has it: a message, a copy of it, a reader.
pub struct Octets {
    octets: Vec<u8>,
    room: Arc<Room>,
}

impl Octets {
    pub fn len(&self) -> u64 {
        self.octets.len() as u64
    }

    /// At most `length` octets from `offset` on; they end where the body does.
    pub fn part(&self, offset: u64, length: u64) -> &[u8] {
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(self.octets.len());
        &self.octets[place(offset)..place(offset.saturating_add(length))]
    }

    fn push(&mut self, more: &[u8]) -> Result<(), StoreFailure> {
        let taken = self
            .room
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(more.len() as u64));
        taken.map_err(|_| failure(StoreErrorCode::Full, "all messages together have `max_octets`"))?;
        self.octets.extend_from_slice(more);
        Ok(())
    }
}

impl Drop for Octets {
    fn drop(&mut self) {
        self.room.left.fetch_add(self.len(), Ordering::Relaxed);
    }
}

/// A body that is being written.
pub struct Sink {
    shared: Arc<Shared>,
    /// `None` when it has been sealed, or a write of it has failed.
    octets: Mutex<Option<Octets>>,
    max: u64,
}

impl Sink {
    pub fn begin(shared: Arc<Shared>, size: u64, max: u64) -> Result<Sink, StoreFailure> {
        if size > max {
            return Err(too_large(max));
        }
        let octets = Octets { octets: Vec::new(), room: shared.room.clone() };
        Ok(Sink { shared, octets: Mutex::new(Some(octets)), max })
    }

    fn take(&self) -> Result<Octets, StoreFailure> {
        let octets = self.octets.lock().unwrap_or_else(PoisonError::into_inner).take();
        octets.ok_or_else(|| failure(StoreErrorCode::Invalid, "the body has ended: begin another one"))
    }
}

fn too_large(max: u64) -> StoreFailure {
    failure(StoreErrorCode::TooLarge, format!("a message has more than {max} octets"))
}

impl BodySinkProvider for Sink {
    async fn write(&self, bytes: Bytes) -> Result<(), StoreFailure> {
        self.shared.with(|_| Ok(()))?;
        let mut octets = self.take()?;
        if octets.len().saturating_add(bytes.len() as u64) > self.max {
            return Err(too_large(self.max));
        }
        octets.push(&bytes)?;
        *self.octets.lock().unwrap_or_else(PoisonError::into_inner) = Some(octets);
        Ok(())
    }

    async fn seal(&self) -> Result<Body, StoreFailure> {
        let octets = Arc::new(self.take()?);
        let size = octets.len();
        let id = self.shared.with(|world| Ok(world.keep_body(octets)))?;
        Ok(Body::new(Sealed { shared: self.shared.clone(), id, size }))
    }
}

/// A whole body, which a message can be made of as long as this lives.
struct Sealed {
    shared: Arc<Shared>,
    id: u64,
    size: u64,
}

impl BodyProvider for Sealed {
    fn id(&self) -> Result<u64, StoreFailure> {
        self.shared.with(|_| Ok(self.id))
    }

    fn size(&self) -> Result<u64, StoreFailure> {
        Ok(self.size)
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        // Outside of the lock. A store that has been stopped has forgotten it already.
        let body = self.shared.with(|world| Ok(world.forget_body(self.id)));
        drop(body);
    }
}

/// A body on its way out.
pub struct Reader {
    pub shared: Arc<Shared>,
    pub octets: Arc<Octets>,
    pub end: u64,
    pub at: Mutex<u64>,
}

impl BodyReaderProvider for Reader {
    async fn next(&self, max: u32) -> Result<Bytes, StoreFailure> {
        self.shared.with(|_| Ok(()))?;
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        let piece = self.octets.part(*at, self.end.saturating_sub(*at).min(u64::from(max)));
        *at += piece.len() as u64;
        Ok(piece.into())
    }
}
