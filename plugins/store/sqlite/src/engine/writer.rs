//! The one connection that writes. A batch is a transaction; after a failure the connection is opened anew.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dovetail_mailstore::{BackendError, Batch, BodyId, PartCommit, PartOutcome};
use rusqlite::{params, Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::{schema, Database};

/// Free pages that are kept for what comes next, and the most that are given back at once.
const SPARE_PAGES: i64 = 4_096;

pub(super) struct Writer {
    database: Arc<Database>,
    /// `None` after a failure.
    connection: Mutex<Option<Connection>>,
}

/// What a batch came to.
pub(super) struct Committed {
    pub outcomes: Vec<PartOutcome>,
    /// Dropped bodies that were not in the database.
    pub maybe_files: Vec<BodyId>,
    /// About how much the log grew by.
    pub bytes: u64,
}

impl Writer {
    pub(super) fn open(database: Arc<Database>) -> Result<Self, BackendError> {
        let connection = schema::open_writer(&database.path)?;
        Ok(Writer { database, connection: Mutex::new(Some(connection)) })
    }

    pub(super) fn commit(&self, batch: &Batch) -> Result<Committed, BackendError> {
        let mut slot = self.lock();
        let mut connection = match slot.take() {
            Some(connection) => connection,
            None => schema::open_writer(&self.database.path)?,
        };
        // On an error the connection is dropped, and with it whatever state the failure left it in.
        let committed = write(&mut connection, batch).map_err(|error| self.database.error("committing", &error))?;
        *slot = Some(connection);
        Ok(committed)
    }

    /// Folds the rest of the log into the database, so that the next commit starts the log over.
    pub(super) fn checkpoint_tail(&self) {
        let mut slot = self.lock();
        let Some(connection) = slot.as_ref() else {
            return;
        };
        if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
            tracing::warn!(error = %self.database.error("folding the log", &error), "the log of the database could not be folded and grows on; it is tried again. Make room on the disk if it is full");
            *slot = None;
        }
    }

    /// Gives free pages back to the file system if there are many.
    pub(super) fn vacuum(&self) -> Result<(), BackendError> {
        let slot = self.lock();
        let Some(connection) = slot.as_ref() else {
            return Ok(());
        };
        let result = (|| {
            let count = |pragma: &str| connection.query_row(pragma, [], |row| row.get::<_, i64>(0));
            let (free, all) = (count("PRAGMA freelist_count")?, count("PRAGMA page_count")?);
            let surplus = (free - SPARE_PAGES.max(all / 4)).min(SPARE_PAGES);
            match surplus > 0 {
                true => connection.execute_batch(&format!("PRAGMA incremental_vacuum({surplus})")),
                false => Ok(()),
            }
        })();
        result.map_err(|error| self.database.error("giving room back", &error))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Connection>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write(connection: &mut Connection, batch: &Batch) -> rusqlite::Result<Committed> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut done = Committed { outcomes: Vec::with_capacity(batch.parts.len()), maybe_files: Vec::new(), bytes: 0 };
    for part in &batch.parts {
        let outcome = write_part(&transaction, part, &mut done.bytes)?;
        done.outcomes.push(outcome);
        if part.part.is_empty() && outcome == PartOutcome::Conflict {
            done.outcomes = vec![PartOutcome::Conflict; batch.parts.len()];
            return Ok(done);
        }
    }
    {
        let mut insert = transaction.prepare_cached("INSERT INTO body (id, bytes) VALUES (?1, ?2)")?;
        for (id, bytes) in &batch.put {
            insert.execute(params![signed(id.0), bytes.as_slice()])?;
            done.bytes += bytes.len() as u64;
        }
        let mut delete = transaction.prepare_cached("DELETE FROM body WHERE id = ?1")?;
        for id in &batch.drop {
            if delete.execute([signed(id.0)])? == 0 {
                done.maybe_files.push(*id);
            }
        }
    }
    transaction.commit()?;
    Ok(done)
}

fn write_part(transaction: &Transaction<'_>, commit: &PartCommit, bytes: &mut u64) -> rusqlite::Result<PartOutcome> {
    let mut select = transaction.prepare_cached("SELECT id, version FROM part WHERE name = ?1")?;
    let found: Option<(i64, i64)> =
        select.query_row([&commit.part], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    if found.map_or(0, |f| f.1) != signed(commit.expect) {
        return Ok(PartOutcome::Conflict);
    }
    let version = signed(commit.expect) + 1;
    let part = match found {
        Some((id, _)) => {
            transaction.prepare_cached("UPDATE part SET version = ?2 WHERE id = ?1")?.execute([id, version])?;
            id
        }
        None => {
            let mut insert = transaction.prepare_cached("INSERT INTO part (name, version) VALUES (?1, ?2)")?;
            insert.insert(params![commit.part, version])?
        }
    };
    let sql = "INSERT INTO row (part, key, value) VALUES (?1, ?2, ?3) \
               ON CONFLICT (part, key) DO UPDATE SET value = excluded.value";
    let mut put = transaction.prepare_cached(sql)?;
    let mut delete = transaction.prepare_cached("DELETE FROM row WHERE part = ?1 AND key = ?2")?;
    for (key, row) in &commit.writes {
        match row {
            Some(row) => {
                *bytes += (key.len() + row.len()) as u64;
                put.execute(params![part, key, row])?
            }
            None => delete.execute(params![part, key])?,
        };
    }
    Ok(PartOutcome::Done(version.unsigned_abs()))
}

/// SQLite counts with a sign; neither versions nor body numbers get that far.
fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
