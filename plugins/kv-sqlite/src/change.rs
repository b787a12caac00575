//! What can be changed, within a transaction of the writer.
//!
//! A change that is refused (a full namespace) changes nothing, and lets the others of its transaction be.

use dovetail_sdk::kv::{KvErrorCode, KvFailure};
use rusqlite::{params, OptionalExtension, Transaction};

/// A change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Whose key.
    pub namespace: String,
    /// What with.
    pub kind: Kind,
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A value for a key.
    Put {
        /// The key.
        key: Vec<u8>,
        /// The value.
        value: Vec<u8>,
        /// When it ends, in milliseconds since 1970.
        ends: Option<i64>,
    },
    /// Another value (or none) for a key that holds what is expected (or nothing).
    Swap {
        /// The key.
        key: Vec<u8>,
        /// What it must hold.
        expected: Option<Vec<u8>>,
        /// What it holds then.
        value: Option<Vec<u8>>,
        /// When that ends, in milliseconds since 1970.
        ends: Option<i64>,
    },
    /// Nothing for a key.
    Remove {
        /// The key.
        key: Vec<u8>,
    },
    /// Nothing for all keys.
    Clear,
}

/// What came of it: for `Swap` and `Remove`, whether it was done; for `Clear` always true, with how many there were.
pub type Outcome = Result<Done, KvFailure>;

/// A change that was no failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// Whether anything was done.
    pub changed: bool,
    /// Entries that are gone.
    pub removed: u64,
}

/// Makes a change.
///
/// # Errors
/// As SQLite gives them; the transaction is then worthless.
pub fn make(transaction: &Transaction<'_>, change: &Change, now: i64, max_entries: u64) -> rusqlite::Result<Outcome> {
    let found = namespace(transaction, &change.namespace)?;
    match &change.kind {
        Kind::Put { key, value, ends } => {
            let place = Place { transaction, name: &change.namespace, max_entries, now };
            place.put(found, key, value, *ends).map(|put| put.map(|()| done(true)))
        }
        Kind::Swap { key, expected, value, ends } => {
            let held = match found {
                Some((id, _)) => held(transaction, id, key, now)?,
                None => None,
            };
            if held != *expected {
                return Ok(Ok(done(false)));
            }
            match value {
                Some(value) => {
                    let place = Place { transaction, name: &change.namespace, max_entries, now };
                    place.put(found, key, value, *ends).map(|put| put.map(|()| done(true)))
                }
                None => {
                    if let Some((id, _)) = found {
                        remove(transaction, id, key)?;
                    }
                    Ok(Ok(done(true)))
                }
            }
        }
        Kind::Remove { key } => {
            let Some((id, _)) = found else { return Ok(Ok(done(false))) };
            let was_there = held(transaction, id, key, now)?.is_some();
            let removed = remove(transaction, id, key)?;
            Ok(Ok(Done { changed: was_there, removed }))
        }
        Kind::Clear => {
            let Some((id, _)) = found else { return Ok(Ok(done(true))) };
            let removed = transaction.prepare_cached("DELETE FROM entry WHERE namespace = ?1")?.execute([id])?;
            transaction.prepare_cached("DELETE FROM namespace WHERE id = ?1")?.execute([id])?;
            Ok(Ok(Done { changed: true, removed: removed as u64 }))
        }
    }
}

/// Removes at most `limit` entries that have ended, and says how many there were.
///
/// # Errors
/// As SQLite gives them.
pub fn sweep(transaction: &Transaction<'_>, now: i64, limit: u32) -> rusqlite::Result<u64> {
    let mut select =
        transaction.prepare_cached("SELECT namespace, key FROM entry WHERE ends <= ?1 ORDER BY ends LIMIT ?2")?;
    let rows = select.query_map(params![now, limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let ended = rows.collect::<rusqlite::Result<Vec<(i64, Vec<u8>)>>>()?;
    for (namespace, key) in &ended {
        remove(transaction, *namespace, key)?;
    }
    transaction.prepare_cached("DELETE FROM namespace WHERE entries = 0")?.execute([])?;
    Ok(ended.len() as u64)
}

fn done(changed: bool) -> Done {
    Done { changed, removed: 0 }
}

fn namespace(transaction: &Transaction<'_>, name: &str) -> rusqlite::Result<Option<(i64, i64)>> {
    let mut select = transaction.prepare_cached("SELECT id, entries FROM namespace WHERE name = ?1")?;
    select.query_row([name], |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

/// What a key holds now.
fn held(transaction: &Transaction<'_>, namespace: i64, key: &[u8], now: i64) -> rusqlite::Result<Option<Vec<u8>>> {
    let sql = "SELECT value FROM entry WHERE namespace = ?1 AND key = ?2 AND (ends IS NULL OR ends > ?3)";
    transaction.prepare_cached(sql)?.query_row(params![namespace, key, now], |row| row.get(0)).optional()
}

/// Removes a key, ended or not; says how many entries that were.
fn remove(transaction: &Transaction<'_>, namespace: i64, key: &[u8]) -> rusqlite::Result<u64> {
    let sql = "DELETE FROM entry WHERE namespace = ?1 AND key = ?2";
    let removed = transaction.prepare_cached(sql)?.execute(params![namespace, key])?;
    count(transaction, namespace, -(removed as i64))?;
    Ok(removed as u64)
}

fn count(transaction: &Transaction<'_>, namespace: i64, by: i64) -> rusqlite::Result<()> {
    let sql = "UPDATE namespace SET entries = entries + ?2 WHERE id = ?1";
    transaction.prepare_cached(sql)?.execute(params![namespace, by]).map(drop)
}

/// Where a value is put.
struct Place<'a> {
    transaction: &'a Transaction<'a>,
    name: &'a str,
    max_entries: u64,
    now: i64,
}

impl Place<'_> {
    fn put(
        &self,
        found: Option<(i64, i64)>,
        key: &[u8],
        value: &[u8],
        ends: Option<i64>,
    ) -> rusqlite::Result<Result<(), KvFailure>> {
        let (id, entries) = match found {
            Some(found) => found,
            None => {
                let sql = "INSERT INTO namespace (name, entries) VALUES (?1, 0)";
                (self.transaction.prepare_cached(sql)?.insert([self.name])?, 0)
            }
        };
        let sql = "UPDATE entry SET value = ?3, ends = ?4 WHERE namespace = ?1 AND key = ?2";
        if self.transaction.prepare_cached(sql)?.execute(params![id, key, value, ends])? > 0 {
            return Ok(Ok(()));
        }
        if entries.unsigned_abs() >= self.max_entries && !self.make_room(id)? {
            let message = format!("the namespace {} holds {entries} entries, as many as max_entries allows", self.name);
            return Ok(Err(KvFailure { code: KvErrorCode::Full, message }));
        }
        let sql = "INSERT INTO entry (namespace, key, value, ends) VALUES (?1, ?2, ?3, ?4)";
        self.transaction.prepare_cached(sql)?.execute(params![id, key, value, ends])?;
        count(self.transaction, id, 1)?;
        Ok(Ok(()))
    }

    /// Removes what has ended of a full namespace, some at a time; whether there is room then.
    fn make_room(&self, id: i64) -> rusqlite::Result<bool> {
        let sql = "SELECT key FROM entry WHERE namespace = ?1 AND ends <= ?2 LIMIT ?3";
        let mut select = self.transaction.prepare_cached(sql)?;
        let rows = select.query_map(params![id, self.now, ROOM], |row| row.get(0))?;
        let ended = rows.collect::<rusqlite::Result<Vec<Vec<u8>>>>()?;
        for key in &ended {
            remove(self.transaction, id, key)?;
        }
        Ok(!ended.is_empty())
    }
}

/// So many ended entries of a full namespace are removed at once.
const ROOM: u32 = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Database;
    use rusqlite::Connection;

    struct Scene {
        _dir: tempfile::TempDir,
        connection: Connection,
        now: i64,
    }

    impl Scene {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let connection = Database::new(dir.path().join("kv.sqlite")).open_writer().unwrap();
            Scene { _dir: dir, connection, now: 1000 }
        }

        fn make(&mut self, kind: Kind) -> Result<Done, KvErrorCode> {
            let transaction = self.connection.transaction().unwrap();
            let change = Change { namespace: "n".into(), kind };
            let outcome = make(&transaction, &change, self.now, 2).unwrap();
            transaction.commit().unwrap();
            outcome.map_err(|failure| failure.code)
        }

        fn put(&mut self, key: &str, value: &str, ends: Option<i64>) -> Result<(), KvErrorCode> {
            self.make(Kind::Put { key: key.into(), value: value.into(), ends }).map(drop)
        }

        fn swap(&mut self, key: &str, expected: Option<&str>, value: Option<&str>) -> bool {
            let [expected, value] = [expected, value].map(|text| text.map(Vec::from));
            self.make(Kind::Swap { key: key.into(), expected, value, ends: None }).unwrap().changed
        }

        fn entries(&self) -> (i64, i64) {
            let number = |sql: &str| self.connection.query_row(sql, [], |row| row.get(0)).unwrap();
            (number("SELECT coalesce(sum(entries), 0) FROM namespace"), number("SELECT count(*) FROM entry"))
        }
    }

    #[test]
    fn the_count_is_kept_and_limits() {
        let mut scene = Scene::new();
        scene.put("a", "1", None).unwrap();
        scene.put("a", "2", None).unwrap();
        scene.put("b", "1", Some(2000)).unwrap();
        assert_eq!(scene.entries(), (2, 2));
        assert_eq!(scene.put("c", "1", None), Err(KvErrorCode::Full));
        scene.put("b", "2", Some(2000)).unwrap();
        // What has ended makes room.
        scene.now = 2000;
        scene.put("c", "1", None).unwrap();
        assert_eq!(scene.entries(), (2, 2));
        assert_eq!(scene.make(Kind::Clear), Ok(Done { changed: true, removed: 2 }));
        assert_eq!(scene.entries(), (0, 0));
    }

    #[test]
    fn swaps_depend_on_what_is_held_now() {
        let mut scene = Scene::new();
        assert!(!scene.swap("a", Some("1"), Some("2")));
        assert!(scene.swap("a", None, Some("1")));
        assert!(!scene.swap("a", None, Some("3")));
        assert!(scene.swap("a", Some("1"), Some("2")));
        assert!(scene.swap("a", Some("2"), None) && scene.swap("a", None, None));
        assert_eq!(scene.entries(), (0, 0));
        // What has ended is nothing.
        scene.put("b", "1", Some(2000)).unwrap();
        scene.now = 2000;
        assert!(!scene.swap("b", Some("1"), Some("2")));
        assert!(scene.swap("b", None, Some("2")));
        assert_eq!(scene.entries(), (1, 1));
    }

    #[test]
    fn removing_tells_whether_it_was_there() {
        let mut scene = Scene::new();
        let remove = |scene: &mut Scene| scene.make(Kind::Remove { key: b"a".to_vec() }).unwrap().changed;
        assert!(!remove(&mut scene));
        scene.put("a", "1", None).unwrap();
        assert!(remove(&mut scene) && !remove(&mut scene));
        scene.put("a", "1", Some(1000)).unwrap();
        assert!(!remove(&mut scene));
        assert_eq!(scene.entries(), (0, 0));
    }

    #[test]
    fn a_sweep_removes_what_has_ended_some_at_a_time() {
        let mut scene = Scene::new();
        scene.put("a", "1", Some(1001)).unwrap();
        scene.put("b", "1", Some(1002)).unwrap();
        let sweep = |scene: &mut Scene, now, limit| {
            let transaction = scene.connection.transaction().unwrap();
            let swept = super::sweep(&transaction, now, limit).unwrap();
            transaction.commit().unwrap();
            swept
        };
        assert_eq!(sweep(&mut scene, 1000, 5), 0);
        assert_eq!(sweep(&mut scene, 1001, 5), 1);
        assert_eq!(scene.entries(), (1, 1));
        scene.put("a", "1", Some(1003)).unwrap();
        assert_eq!((sweep(&mut scene, 5000, 1), sweep(&mut scene, 5000, 1), sweep(&mut scene, 5000, 1)), (1, 1, 0));
        assert_eq!(scene.entries(), (0, 0));
        // An empty namespace is none.
        let namespaces: i64 =
            scene.connection.query_row("SELECT count(*) FROM namespace", [], |row| row.get(0)).unwrap();
        assert_eq!(namespaces, 0);
    }
}
