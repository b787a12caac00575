//! Reads, each on a connection that nobody else uses meanwhile. A read sees every change that was answered before it.

use std::sync::{Arc, Mutex, PoisonError};

use dovetail_sdk::kv::KvEntry;
use rusqlite::{params, Connection, OptionalExtension, Row};

use crate::database::{Database, DatabaseError};

/// Connections that are kept for the next reads; more than that may read at the same time.
const KEPT: usize = 4;
/// A list ends, with at least one entry, before its values come to more octets.
const MAX_LIST_OCTETS: usize = 4 << 20;

/// Reads.
#[derive(Debug)]
pub struct Reader {
    database: Arc<Database>,
    idle: Mutex<Vec<Connection>>,
}

/// A namespace that is in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    /// Its name.
    pub name: String,
    /// How many entries it has, ended ones that were not removed yet among them.
    pub entries: u64,
}

impl Reader {
    /// A reader of a database that is there.
    pub fn new(database: Arc<Database>) -> Self {
        Reader { database, idle: Mutex::default() }
    }

    /// What a key holds. Blocks.
    pub fn get(&self, namespace: &str, key: &[u8], now: i64) -> Result<Option<KvEntry>, DatabaseError> {
        self.with(|connection| {
            let sql = "SELECT key, value, ends FROM entry
                WHERE namespace = (SELECT id FROM namespace WHERE name = ?1) AND key = ?2
                AND (ends IS NULL OR ends > ?3)";
            connection.prepare_cached(sql)?.query_row(params![namespace, key, now], entry).optional()
        })
    }

    /// Entries by prefix, behind a key. Blocks.
    pub fn list(
        &self,
        namespace: &str,
        prefix: &[u8],
        after: Option<&[u8]>,
        max: u32,
        now: i64,
    ) -> Result<Vec<KvEntry>, DatabaseError> {
        self.with(|connection| {
            let sql = "SELECT key, value, ends FROM entry
                WHERE namespace = (SELECT id FROM namespace WHERE name = ?1)
                AND key >= ?2 AND (?3 IS NULL OR key > ?3) AND (?4 IS NULL OR key < ?4)
                AND (ends IS NULL OR ends > ?5)
                ORDER BY key LIMIT ?6";
            let mut statement = connection.prepare_cached(sql)?;
            let from = after.filter(|after| *after > prefix).unwrap_or(prefix);
            let rows = statement.query_map(params![namespace, from, after, end_of(prefix), now, max], entry)?;
            let (mut list, mut octets) = (Vec::new(), 0);
            for row in rows {
                let row = row?;
                octets += row.key.len() + row.value.len();
                if octets > MAX_LIST_OCTETS && !list.is_empty() {
                    break;
                }
                list.push(row);
            }
            Ok(list)
        })
    }

    /// All namespaces. Blocks.
    pub fn namespaces(&self) -> Result<Vec<Namespace>, DatabaseError> {
        self.with(|connection| {
            let mut statement = connection.prepare_cached("SELECT name, entries FROM namespace ORDER BY name")?;
            let rows = statement.query_map([], |row| {
                Ok(Namespace { name: row.get(0)?, entries: row.get::<_, i64>(1)?.unsigned_abs() })
            })?;
            rows.collect()
        })
    }

    fn with<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, DatabaseError> {
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.database.open_reader()?,
        };
        let done = read(&connection).map_err(|error| self.database.failed("reading", error))?;
        let mut idle = self.idle();
        if idle.len() < KEPT {
            idle.push(connection);
        }
        Ok(done)
    }

    /// Closes what is open.
    pub fn close(&self) {
        self.idle().clear();
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<KvEntry> {
    let ends: Option<i64> = row.get(2)?;
    // Rounded up: it has not ended before.
    let expires_at = ends.map(|ends| ends.unsigned_abs().div_ceil(1000));
    Ok(KvEntry { key: row.get(0)?, value: row.get(1)?, expires_at })
}

/// The first key behind all that begin with a prefix; none if there is none.
fn end_of(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|&octet| octet != u8::MAX)?;
    let mut end = prefix.get(..=last)?.to_vec();
    *end.last_mut()? += 1;
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::end_of;

    #[test]
    fn the_end_of_a_prefix() {
        assert_eq!(end_of(b""), None);
        assert_eq!(end_of(b"ab"), Some(b"ac".to_vec()));
        assert_eq!(end_of(b"a\xff\xff"), Some(b"b".to_vec()));
        assert_eq!(end_of(b"\xff"), None);
    }
}
