//! Many small answers in one: parts of bodies, and summaries.
//!
//! Bounds: [`MAX_OCTETS`] and [`MAX_PIECES`] in one answer; what is beyond is left to be asked for again.

use std::sync::Arc;

use dovetail_mailstore::{BodyId, Digest, Piece, Store, StoreError, View};
use dovetail_sdk::store::{Pieces, Slice, StoreErrorCode, StoreFailure};
use dovetail_sdk::Bytes;

use super::reader::{damaged, shorter_than_its_row};
use super::shared::reading;

/// Octets of one answer.
const MAX_OCTETS: u64 = 4 * 1024 * 1024;
/// Pieces in one answer.
const MAX_PIECES: usize = 10_000;

/// What to read for a slice.
#[derive(Clone, Copy)]
struct Part {
    uid: u32,
    body: BodyId,
    size: u64,
    offset: u64,
    length: u64,
    digest: u64,
}

/// Reads slices of bodies, one after the other, in one go.
pub(super) async fn read(store: Arc<Store>, view: &Arc<View>, slices: &[Slice]) -> Result<Pieces, StoreFailure> {
    let parts = plan(view, slices)?;
    if parts.iter().flatten().all(|part| part.length == 0) {
        return Ok(Pieces {
            octets: Bytes::default(),
            lengths: parts.iter().map(|p| p.map_or(Pieces::GONE, |_| 0)).collect(),
        });
    }
    let view = view.clone();
    // A body in the database is read as a whole, however little of it is wanted.
    let octets = parts.iter().flatten().map(|part| part.size).sum();
    reading(parts.len(), octets, move || read_parts(&store, &view, &parts)).await
}

/// The parts that fit into one answer.
fn plan(view: &View, slices: &[Slice]) -> Result<Vec<Option<Part>>, StoreFailure> {
    let bodies = view.bodies(slices.iter().take(MAX_PIECES).map(|slice| slice.uid));
    let mut parts = Vec::with_capacity(bodies.len());
    let mut octets = 0;
    for (slice, found) in slices.iter().zip(bodies) {
        let part = found.map(|found| Part {
            uid: slice.uid,
            body: found.body,
            size: u64::from(found.size),
            offset: slice.offset,
            digest: found.digest,
            length: u64::from(found.size).saturating_sub(slice.offset).min(slice.length),
        });
        octets += part.map_or(0, |part| part.length);
        if octets > MAX_OCTETS && parts.is_empty() {
            return Err(StoreFailure {
                code: StoreErrorCode::Invalid,
                message: format!("a slice has more than {MAX_OCTETS} octets: open the body to read it piece by piece"),
            });
        }
        if octets > MAX_OCTETS {
            break;
        }
        parts.push(part);
    }
    Ok(parts)
}

fn read_parts(store: &Store, view: &View, parts: &[Option<Part>]) -> Result<Pieces, StoreError> {
    let total: u64 = parts.iter().flatten().map(|part| part.length).sum();
    let wanted: Vec<Piece> = parts.iter().flatten().map(Part::piece).collect();
    let mut octets = Vec::with_capacity(usize::try_from(total).unwrap_or(0));
    // What came of each part that was asked for; `None`: there is no such body.
    let mut read = Vec::with_capacity(wanted.len());
    let mut asked = parts.iter().flatten();
    store.read_many(&wanted, &mut |piece| {
        octets.extend_from_slice(piece.unwrap_or_default());
        let asked = asked.next();
        let damaged = piece.zip(asked).is_some_and(|(piece, part)| part.is_damaged(piece));
        read.push(piece.map(|piece| (piece.len() as u64, damaged)));
    })?;
    let mut read = read.into_iter();
    let mut lengths = Vec::with_capacity(parts.len());
    for part in parts {
        lengths.push(match (part, part.and_then(|_| read.next())) {
            (None, _) | (_, None) => Pieces::GONE,
            (Some(part), Some(Some((_, true)))) => return Err(damaged(part.body)),
            (Some(part), Some(Some((length, false)))) if length == part.length => length,
            (Some(part), Some(Some(_))) => return Err(shorter_than_its_row(part.body)),
            // Removed and collected since the view was asked.
            (Some(part), Some(None)) if view.bodies([part.uid]) == [None] => Pieces::GONE,
            (Some(part), Some(None)) => return Err(StoreError::NoSuchBody(part.body.0)),
        });
    }
    Ok(Pieces { octets: octets.into(), lengths })
}

impl Part {
    /// Whether these are all octets of a body, and not those that were stored.
    fn is_damaged(&self, octets: &[u8]) -> bool {
        if self.offset > 0 || octets.len() as u64 != self.size {
            return false;
        }
        let mut digest = Digest::default();
        digest.push(octets);
        digest.value() != self.digest
    }

    fn piece(&self) -> Piece {
        // No longer than an answer.
        Piece { body: self.body, offset: self.offset, length: usize::try_from(self.length).unwrap_or(usize::MAX) }
    }
}

/// The summaries of messages, as they are kept.
pub(super) async fn summaries(store: Arc<Store>, view: Arc<View>, uids: Vec<u32>) -> Result<Pieces, StoreFailure> {
    let bodies = view.bodies(uids.into_iter().take(MAX_PIECES));
    let there: Vec<BodyId> = bodies.iter().flatten().map(|found| found.body).collect();
    let found = match there.is_empty() {
        true => Vec::new(),
        false => reading(there.len(), 0, move || store.summaries(view.account(), &there)).await?,
    };
    let (mut octets, mut lengths) = (Vec::with_capacity(found.iter().map(Vec::len).sum()), Vec::new());
    let mut found = found.into_iter();
    for body in bodies {
        match body {
            None => lengths.push(Pieces::GONE),
            Some(_) => {
                let Some(summary) = found.next() else { break };
                lengths.push(summary.len() as u64);
                octets.extend_from_slice(&summary);
            }
        }
    }
    Ok(Pieces { octets: octets.into(), lengths })
}
