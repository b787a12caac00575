//! Rows and bodies in one SQLite database, large bodies in files beside it.
//!
//! **Durable**: the database is in WAL mode with `synchronous=FULL`; a batch is one transaction, so one fsync, small
//! bodies included. A large body's file and directory are synced when it is sealed. **Fails**: a batch whose
//! transaction fails is not acknowledged, and its connection is opened anew for the next one. **Bounds**:
//! [`READERS`] connections read at the same time; the log is folded into the database when it has
//! about its configured size.

mod checkpoint;
mod files;
mod readers;
mod room;
mod schema;
mod writer;

#[cfg(test)]
pub(crate) mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dovetail_mailstore::{
    BackendError, Batch, BlobWriter, Blobs, BodyId, PartKv, PartOutcome, Piece, PieceVisitor, RowVisitor, Threads,
    Version,
};
use dovetail_sdk::metrics::Counter;
use rusqlite::{params, OptionalExtension};
use tokio::sync::oneshot;

use crate::figures::refusals;
use checkpoint::Checkpointer;
use files::Files;
use readers::Readers;
use room::Room;
use writer::Writer;

/// Connections for readers.
const READERS: usize = 8;

/// A back end in a directory.
pub(crate) struct Sqlite {
    // First: the last connection to close folds the log into the database, and that shall be the writer's.
    checkpointer: Checkpointer,
    readers: Readers,
    writer: Writer,
    files: Files,
    room: Room,
    refusals: Counter,
    // Last: when it goes, all others have gone.
    _open: Option<oneshot::Sender<()>>,
}

impl Sqlite {
    /// Keeps `open` until all files are closed.
    pub(crate) fn while_open(self, open: oneshot::Sender<()>) -> Self {
        Sqlite { _open: Some(open), ..self }
    }

    /// Opens or makes the store in `dir`; `reserve` bytes of its disk stay free, and the log gets about `log` bytes long.
    pub(crate) fn open(dir: &Path, reserve: u64, log: u64, threads: &Threads) -> Result<Self, BackendError> {
        let files = Files::open(dir)?;
        let database = Arc::new(Database { path: dir.join("mail.sqlite") });
        let writer = Writer::open(database.clone())?;
        let checkpointer = Checkpointer::start(database.clone(), log, threads)?;
        Ok(Sqlite {
            checkpointer,
            readers: Readers::new(database),
            writer,
            files,
            room: Room::new(dir, reserve),
            refusals: refusals(),
            _open: None,
        })
    }
}

impl Sqlite {
    /// Counts an error, if it is about the disk's room.
    fn count(&self, error: &BackendError) {
        if matches!(error, BackendError::Full { .. }) {
            self.refusals.inc();
        }
    }
}

/// Where the database is.
struct Database {
    path: PathBuf,
}

impl Database {
    /// Says what failed, and tells a full disk from the rest.
    fn error(&self, doing: &str, error: &rusqlite::Error) -> BackendError {
        if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) {
            return BackendError::Full { place: self.path.display().to_string(), free: 0, reserve: 0 };
        }
        BackendError::io(format!("{doing} in {}", self.path.display()), error)
    }
}

impl PartKv for Sqlite {
    fn get(&self, part: &str, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        self.readers.with("reading a row", |connection| {
            let sql = "SELECT value FROM row WHERE part = (SELECT id FROM part WHERE name = ?1) AND key = ?2";
            let mut statement = connection.prepare_cached(sql)?;
            statement.query_row(params![part, key], |row| row.get(0)).optional()
        })
    }

    fn get_many(&self, part: &str, keys: &[Vec<u8>], take: PieceVisitor<'_>) -> Result<(), BackendError> {
        self.readers.with("reading rows by their keys", |connection| {
            // One snapshot for all: each statement by itself would lock and unlock the log.
            let snapshot = connection.unchecked_transaction()?;
            let part: Option<i64> = connection
                .prepare_cached("SELECT id FROM part WHERE name = ?1")?
                .query_row([part], |row| row.get(0))
                .optional()?;
            let mut statement = connection.prepare_cached("SELECT value FROM row WHERE part = ?1 AND key = ?2")?;
            for key in keys {
                let mut rows = statement.query(params![part, key])?;
                match rows.next()? {
                    Some(row) => take(Some(row.get_ref(0)?.as_blob()?)),
                    None => take(None),
                }
            }
            drop(statement);
            snapshot.finish()
        })
    }

    fn scan(&self, part: &str, from: &[u8], to: &[u8], limit: usize, row: RowVisitor<'_>) -> Result<(), BackendError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let visited = self.readers.with("reading rows", |connection| {
            let sql = "SELECT key, value FROM row WHERE part = (SELECT id FROM part WHERE name = ?1) \
                       AND key >= ?2 AND key < ?3 ORDER BY key LIMIT ?4";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query(params![part, from, to, limit])?;
            while let Some(next) = rows.next()? {
                if let Err(error) = row(next.get_ref(0)?.as_blob()?, next.get_ref(1)?.as_blob()?) {
                    return Ok(Err(error));
                }
            }
            Ok(Ok(()))
        })?;
        visited
    }

    fn version(&self, part: &str) -> Result<Version, BackendError> {
        let version: Option<i64> = self.readers.with("reading a version", |connection| {
            let mut statement = connection.prepare_cached("SELECT version FROM part WHERE name = ?1")?;
            statement.query_row([part], |row| row.get(0)).optional()
        })?;
        Ok(version.unwrap_or(0).unsigned_abs())
    }

    fn parts(&self, after: &str, limit: usize) -> Result<Vec<String>, BackendError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.readers.with("reading names", |connection| {
            let sql = "SELECT name FROM part WHERE name > ?1 ORDER BY name LIMIT ?2";
            let mut statement = connection.prepare_cached(sql)?;
            let names = statement.query_map(params![after, limit], |row| row.get(0))?;
            names.collect()
        })
    }

    fn commit(&self, batch: &Batch) -> Result<Vec<PartOutcome>, BackendError> {
        let done = self.writer.commit(batch).inspect_err(|error| self.count(error))?;
        self.checkpointer.wrote(done.bytes);
        if self.checkpointer.tail_is_due() {
            self.writer.checkpoint_tail();
        }
        for body in done.maybe_files {
            if let Err(error) = self.files.delete(body) {
                tracing::warn!(%error, "a body that no message names stays until it is collected as an orphan");
            }
        }
        Ok(done.outcomes)
    }

    fn check_room(&self, bytes: u64) -> Result<(), BackendError> {
        self.room.check(bytes).inspect_err(|error| self.count(error))
    }

    fn maintain(&self) -> Result<(), BackendError> {
        self.writer.vacuum()
    }
}

impl Blobs for Sqlite {
    fn create(&self, id: BodyId) -> Result<Box<dyn BlobWriter>, BackendError> {
        Ok(Box::new(self.files.create(id)?))
    }

    fn read(&self, id: BodyId, offset: u64, len: usize) -> Result<Option<Vec<u8>>, BackendError> {
        let Ok(key) = i64::try_from(id.0) else {
            return Ok(None);
        };
        let small = self.readers.with("reading a body", |connection| {
            let mut statement = connection.prepare_cached("SELECT bytes FROM body WHERE id = ?1")?;
            let read = statement.query_row([key], |row| {
                let bytes = row.get_ref(0)?.as_blob()?;
                let start = bytes.len().min(usize::try_from(offset).unwrap_or(usize::MAX));
                Ok(bytes[start..bytes.len().min(start.saturating_add(len))].to_vec())
            });
            read.optional()
        })?;
        match small {
            Some(bytes) => Ok(Some(bytes)),
            None => self.files.read(id, offset, len),
        }
    }

    fn read_many(&self, pieces: &[Piece], take: PieceVisitor<'_>) -> Result<(), BackendError> {
        let mut failed = None;
        self.readers.with("reading bodies", |connection| {
            // One snapshot for all: each statement by itself would lock and unlock the log.
            let snapshot = (pieces.len() > 1).then(|| connection.unchecked_transaction()).transpose()?;
            let mut statement = connection.prepare_cached("SELECT bytes FROM body WHERE id = ?1")?;
            for piece in pieces {
                let Ok(key) = i64::try_from(piece.body.0) else {
                    take(None);
                    continue;
                };
                let mut rows = statement.query([key])?;
                if let Some(row) = rows.next()? {
                    let bytes = row.get_ref(0)?.as_blob()?;
                    let start = bytes.len().min(usize::try_from(piece.offset).unwrap_or(usize::MAX));
                    take(bytes.get(start..bytes.len().min(start.saturating_add(piece.length))));
                    continue;
                }
                drop(rows);
                match self.files.read(piece.body, piece.offset, piece.length) {
                    Ok(bytes) => take(bytes.as_deref()),
                    Err(error) => {
                        failed = Some(error);
                        break;
                    }
                }
            }
            drop(statement);
            snapshot.map_or(Ok(()), rusqlite::Transaction::finish)
        })?;
        failed.map_or(Ok(()), Err)
    }

    fn delete(&self, id: BodyId) -> Result<(), BackendError> {
        self.files.delete(id)
    }

    fn list(&self, after: BodyId, limit: usize) -> Result<Vec<BodyId>, BackendError> {
        self.files.list(after, limit)
    }

    fn newest(&self) -> Result<BodyId, BackendError> {
        let small: Option<i64> = self.readers.with("reading the newest body's number", |connection| {
            connection.query_row("SELECT max(id) FROM body", [], |row| row.get(0))
        })?;
        Ok(BodyId(small.unwrap_or(0).unsigned_abs()).max(self.files.newest()?))
    }
}
