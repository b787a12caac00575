//! A message's bytes, piece by piece. The first piece is read together with the row that names the body, so that a
//! small message costs one visit to the disk.

use std::sync::Arc;

use dovetail_mailstore::{BodyId, Store, StoreError};
use dovetail_sdk::store::{BodyReaderProvider, StoreFailure};

use super::blocking;

/// Octets read at once.
const PIECE: u64 = 128 * 1024;

pub(super) struct Reader {
    store: Arc<Store>,
    body: BodyId,
    state: tokio::sync::Mutex<State>,
}

struct State {
    /// Read and not yet given out.
    ready: Vec<u8>,
    /// What comes after `ready`.
    offset: u64,
    end: u64,
}

impl Reader {
    /// `None` if there is no such message.
    pub(super) fn open(
        store: &Arc<Store>,
        account: &str,
        mailbox: &str,
        uid: u32,
        offset: u64,
        length: u64,
    ) -> Result<Option<Self>, StoreError> {
        let mailbox = store.find(account, mailbox)?;
        let listing = store.list(account, mailbox, uid, uid, None, 1)?;
        let Some(row) = listing.rows.first() else {
            return Ok(None);
        };
        let end = u64::from(row.size).min(offset.saturating_add(length));
        let ready = read(store, row.body, offset, end, PIECE)?;
        let state = State { offset: offset + ready.len() as u64, ready, end };
        Ok(Some(Reader { store: store.clone(), body: row.body, state: tokio::sync::Mutex::new(state) }))
    }
}

impl BodyReaderProvider for Reader {
    async fn next(&self, max: u32) -> Result<Vec<u8>, StoreFailure> {
        let mut state = self.state.lock().await;
        if state.ready.is_empty() && state.offset < state.end {
            let (store, body, offset, end) = (self.store.clone(), self.body, state.offset, state.end);
            state.ready = blocking(move || read(&store, body, offset, end, PIECE)).await?;
            state.offset += state.ready.len() as u64;
        }
        let max = usize::try_from(max).unwrap_or(usize::MAX).min(state.ready.len());
        let rest = state.ready.split_off(max);
        Ok(std::mem::replace(&mut state.ready, rest))
    }
}

fn read(store: &Store, body: BodyId, offset: u64, end: u64, max: u64) -> Result<Vec<u8>, StoreError> {
    match end.saturating_sub(offset).min(max) {
        0 => Ok(Vec::new()),
        len => store.read(body, offset, usize::try_from(len).unwrap_or(usize::MAX)),
    }
}
