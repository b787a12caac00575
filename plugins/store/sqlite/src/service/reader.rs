//! A message's bytes, piece by piece. The first piece is read when the body is opened, so that a small message costs one
//! visit to the disk, and a body that can't be read is known before the first byte is given out.
//!
//! A body that is read from its beginning to its end is compared with the digest that was taken when it came: the last
//! piece of a damaged one is not given out. Bound: one piece of [`PIECE`] octets.
//!
//! A reader does not keep the store from being stopped, since a slow client may keep it for long: it says so then, and another
//! one goes on where it got to.

use std::sync::Arc;

use dovetail_mailstore::view::BodyOf;
use dovetail_mailstore::{BackendError, BodyId, Digest, Store, StoreError};
use dovetail_sdk::store::{BodyReaderProvider, StoreFailure};
use dovetail_sdk::Bytes;

use super::shared::{reading, Shared};

/// Octets read at once.
const PIECE: u64 = 128 * 1024;

pub(super) struct Reader {
    shared: Arc<Shared>,
    body: BodyOf,
    state: tokio::sync::Mutex<State>,
}

struct State {
    /// Read and not yet given out.
    ready: Vec<u8>,
    /// What comes after `ready`.
    offset: u64,
    end: u64,
    /// Of what was read so far, if all is read.
    digest: Option<Box<Digest>>,
}

impl Reader {
    pub(super) async fn open(
        shared: Arc<Shared>,
        body: BodyOf,
        offset: u64,
        length: u64,
    ) -> Result<Self, StoreFailure> {
        let end = u64::from(body.size).min(offset.saturating_add(length));
        let whole = offset == 0 && end == u64::from(body.size);
        let state = State { offset, ready: Vec::new(), end, digest: whole.then(Box::default) };
        let reader = Reader { shared, body, state: tokio::sync::Mutex::new(state) };
        reader.fill(&mut *reader.state.lock().await).await?;
        Ok(reader)
    }

    async fn fill(&self, state: &mut State) -> Result<(), StoreFailure> {
        if state.ready.is_empty() && state.offset < state.end {
            let (store, body, offset, end) = (self.shared.store()?, self.body, state.offset, state.end);
            // A copy: if this fails or is given up, the next try begins at the same place.
            let digest = state.digest.clone();
            let work = move || read(&store, &body, offset, end, digest);
            (state.ready, state.digest) = reading(1, u64::from(body.size), work).await?;
            state.offset += state.ready.len() as u64;
        }
        Ok(())
    }
}

impl BodyReaderProvider for Reader {
    async fn next(&self, max: u32) -> Result<Bytes, StoreFailure> {
        let mut state = self.state.lock().await;
        self.fill(&mut state).await?;
        let max = usize::try_from(max).unwrap_or(usize::MAX).min(state.ready.len());
        let rest = state.ready.split_off(max);
        Ok(std::mem::replace(&mut state.ready, rest).into())
    }
}

/// The next piece, and the digest with it.
fn read(
    store: &Store,
    body: &BodyOf,
    offset: u64,
    end: u64,
    mut digest: Option<Box<Digest>>,
) -> Result<(Vec<u8>, Option<Box<Digest>>), StoreError> {
    let len = end.saturating_sub(offset).min(PIECE);
    let bytes = store.read(body.body, offset, usize::try_from(len).unwrap_or(usize::MAX))?;
    if bytes.is_empty() {
        return Err(shorter_than_its_row(body.body));
    }
    if let Some(digest) = &mut digest {
        digest.push(&bytes);
        if offset + bytes.len() as u64 == end && digest.value() != body.digest {
            return Err(damaged(body.body));
        }
    }
    Ok((bytes, digest))
}

/// There is less of a body than there must be.
pub(super) fn shorter_than_its_row(body: BodyId) -> StoreError {
    corrupt(body, "it is shorter than its row says")
}

/// A body is not what was stored.
pub(super) fn damaged(body: BodyId) -> StoreError {
    corrupt(body, "its bytes are not those that were stored")
}

fn corrupt(body: BodyId, detail: &str) -> StoreError {
    let error = BackendError::corrupt(format!("message body {:016x}", body.0), detail);
    tracing::error!(%error, "a message can't be read");
    error.into()
}
