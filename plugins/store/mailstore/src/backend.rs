//! What a back end provides: an ordered key-value store in partitions, and bodies.
//!
//! Both are synchronous; the store's committer is the only caller that writes, readers come from any thread and must
//! never wait for a commit's fsync.

use std::sync::Arc;

use crate::error::BackendError;
use crate::types::BodyId;

/// Counts the commits to a partition; 0 before the first.
pub type Version = u64;

/// Changes to one partition, valid only on top of one version.
#[derive(Debug)]
pub struct PartCommit {
    /// Which partition: an account's name, or empty for the store's own.
    pub part: String,
    /// The version that the changes were computed from.
    pub expect: Version,
    /// Keys with their new rows; `None` deletes. No key twice.
    pub writes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

/// What is committed together.
#[derive(Debug, Default)]
pub struct Batch {
    /// Small bodies, to be durable no later than the rows.
    pub put: Vec<(BodyId, Arc<Vec<u8>>)>,
    /// Bodies that no row names any more, small and large; gone no earlier than the rows.
    pub drop: Vec<BodyId>,
    /// One entry for each partition. If the store's own is among them it is the first, and if that one conflicts,
    /// nothing of the batch is written.
    pub parts: Vec<PartCommit>,
}

impl Batch {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.put.is_empty() && self.drop.is_empty() && self.parts.is_empty()
    }
}

/// What became of one partition of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartOutcome {
    /// Durable; the partition's version now.
    Done(Version),
    /// Not written: the partition is at another version than expected.
    Conflict,
}

/// Rows in order of their keys, in partitions that don't see one another.
pub trait PartKv: Send + Sync + 'static {
    /// The row at `key`.
    fn get(&self, part: &str, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError>;

    /// The rows at several keys, handed to `take` in the order of the question; `None` for one that is not there.
    fn get_many(&self, part: &str, keys: &[Vec<u8>], take: PieceVisitor<'_>) -> Result<(), BackendError> {
        for key in keys {
            take(self.get(part, key)?.as_deref());
        }
        Ok(())
    }

    /// Gives up to `limit` rows with `from <= key < to` to `row`, ascending, all from one snapshot.
    fn scan(&self, part: &str, from: &[u8], to: &[u8], limit: usize, row: RowVisitor<'_>) -> Result<(), BackendError>;

    /// The partition's version.
    fn version(&self, part: &str) -> Result<Version, BackendError>;

    /// Up to `limit` names of partitions after `after`, ascending.
    fn parts(&self, after: &str, limit: usize) -> Result<Vec<String>, BackendError>;

    /// Makes the batch durable; one outcome for each of `batch.parts`. Each partition's changes happen together or not
    /// at all. On an error nothing may be acknowledged, and the back end has made itself ready for the next call, which
    /// may again fail.
    fn commit(&self, batch: &Batch) -> Result<Vec<PartOutcome>, BackendError>;

    /// Fails with [`BackendError::Full`] unless `bytes` more can be stored without touching the reserve.
    fn check_room(&self, bytes: u64) -> Result<(), BackendError>;

    /// Called when bodies were collected and nothing else waits: give room back, a little at a time.
    fn maintain(&self) -> Result<(), BackendError>;
}

/// Gets rows from a scan: key and row.
pub type RowVisitor<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> Result<(), BackendError>;

/// Both halves; implemented by having them.
pub trait Backend: PartKv + Blobs {}
impl<T: PartKv + Blobs> Backend for T {}

/// A piece of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Which body.
    pub body: BodyId,
    /// Where it begins.
    pub offset: u64,
    /// Its bytes at most.
    pub length: usize,
}

/// Gets pieces; `None` for one of a body that is not there.
pub type PieceVisitor<'a> = &'a mut dyn FnMut(Option<&[u8]>);

/// Bodies by number. Those in [`Batch::put`] are read from here too.
pub trait Blobs: Send + Sync + 'static {
    /// Starts a large body.
    fn create(&self, id: BodyId) -> Result<Box<dyn BlobWriter>, BackendError>;

    /// Reads up to `len` bytes from `offset`; fewer only at the end. `None` if there is no such body.
    fn read(&self, id: BodyId, offset: u64, len: usize) -> Result<Option<Vec<u8>>, BackendError>;

    /// Reads several pieces in one go, and hands each to `take` in the order of the question, as [`Blobs::read`] would
    /// give it.
    fn read_many(&self, pieces: &[Piece], take: PieceVisitor<'_>) -> Result<(), BackendError> {
        for piece in pieces {
            take(self.read(piece.body, piece.offset, piece.length)?.as_deref());
        }
        Ok(())
    }

    /// Removes a large body; nothing if it isn't there.
    fn delete(&self, id: BodyId) -> Result<(), BackendError>;

    /// Up to `limit` large bodies after `after`, ascending, half-written ones included.
    fn list(&self, after: BodyId, limit: usize) -> Result<Vec<BodyId>, BackendError>;

    /// The highest number of any body there is.
    fn newest(&self) -> Result<BodyId, BackendError>;
}

/// A large body being written. Dropped before it is sealed, it removes what it has written.
pub trait BlobWriter: Send {
    /// Adds bytes at the end.
    fn write(&mut self, bytes: &[u8]) -> Result<(), BackendError>;

    /// Makes the body durable.
    fn seal(self: Box<Self>) -> Result<(), BackendError>;
}
