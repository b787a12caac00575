//! Many small answers in one: parts of bodies, and summaries.
//!
//! Bounds: [`MAX_OCTETS`] and [`MAX_PIECES`] in one answer; what is beyond is left to be asked for again.

use std::sync::Arc;

use dovetail_mailstore::{BodyId, Store, StoreError, View};
use dovetail_sdk::store::{Pieces, Slice, StoreErrorCode, StoreFailure};
use dovetail_sdk::Bytes;

use super::reader::shorter_than_its_row;
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
    let octets: u64 = parts.iter().flatten().map(|part| part.length).sum();
    let mut all = Vec::with_capacity(usize::try_from(octets).unwrap_or(0));
    let mut lengths = Vec::with_capacity(parts.len());
    for part in parts {
        let before = all.len();
        let length = match part {
            None => Pieces::GONE,
            Some(part) => match read_part(store, part, &mut all) {
                Ok(length) => length,
                // Removed and collected since the view was asked.
                Err(StoreError::NoSuchBody(_)) if view.bodies([part.uid]) == [None] => {
                    all.truncate(before);
                    Pieces::GONE
                }
                Err(error) => return Err(error),
            },
        };
        lengths.push(length);
    }
    Ok(Pieces { octets: all.into(), lengths })
}

/// Appends a part's octets.
fn read_part(store: &Store, part: &Part, octets: &mut Vec<u8>) -> Result<u64, StoreError> {
    let mut read = 0;
    while read < part.length {
        let wanted = usize::try_from(part.length - read).unwrap_or(usize::MAX);
        let bytes = store.read(part.body, part.offset + read, wanted)?;
        if bytes.is_empty() {
            return Err(shorter_than_its_row(part.body));
        }
        read += bytes.len() as u64;
        if octets.is_empty() {
            // The first, and often the only one.
            *octets = bytes;
        } else {
            octets.extend_from_slice(&bytes);
        }
    }
    Ok(read)
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
