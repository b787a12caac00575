//! The database: where it is, what is in it, connections.
//!
//! A file that is no such database, or one of a newer version, is refused and left as it is.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

/// Where the database is.
#[derive(Debug)]
pub struct Database {
    path: PathBuf,
}

/// The database cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// An I/O error, or whatever else SQLite says.
    #[error("{doing} {path}: {error}")]
    Failed {
        /// What was to be done.
        doing: &'static str,
        /// With this file.
        path: String,
        /// What SQLite says.
        #[source]
        error: rusqlite::Error,
    },
    /// The file, or a directory above it, cannot be made.
    #[error("making {path}: {error}; make its directory writable for the server's user")]
    Make {
        /// The file or directory.
        path: String,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// A later version wrote it.
    #[error(
        "{path} has schema {found}, this program knows up to {SCHEMA}: use the version that wrote it, or a newer one"
    )]
    Newer {
        /// The file.
        path: String,
        /// Its schema.
        found: i64,
    },
    /// It is something else.
    #[error("{path} is not a database of values: move it away, or set `file` to another one")]
    Stranger {
        /// The file.
        path: String,
    },
    /// The system gives no thread.
    #[error("a thread for {path} cannot be started: {error}")]
    Thread {
        /// The file.
        path: String,
        /// What the system says.
        #[source]
        error: io::Error,
    },
}

impl Database {
    /// A database at this path.
    pub fn new(path: PathBuf) -> Self {
        Database { path }
    }

    /// Opens the connection that writes, and makes the file and its tables if they are missing.
    pub fn open_writer(&self) -> Result<Connection, DatabaseError> {
        make_private(&self.path)?;
        let failed = |error| self.failed("opening", error);
        let mut connection = open(&self.path).map_err(failed)?;
        let application = number(&connection, "application_id").map_err(failed)?;
        let schema = number(&connection, "user_version").map_err(failed)?;
        let tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
        match (application, schema, tables) {
            (0, 0, 0) => make_tables(&mut connection).map_err(failed)?,
            (APPLICATION, SCHEMA, _) => {}
            (APPLICATION, found, _) if found > SCHEMA => {
                return Err(DatabaseError::Newer { path: self.name(), found });
            }
            _ => return Err(DatabaseError::Stranger { path: self.name() }),
        }
        let settings = format!("PRAGMA synchronous=FULL; PRAGMA cache_size=-{CACHE};");
        connection.execute_batch(&settings).map_err(failed)?;
        Ok(connection)
    }

    /// Opens a connection that only reads.
    pub fn open_reader(&self) -> Result<Connection, DatabaseError> {
        let failed = |error| self.failed("opening", error);
        let connection = open(&self.path).map_err(failed)?;
        let settings = format!("PRAGMA query_only=1; PRAGMA cache_size=-{CACHE};");
        connection.execute_batch(&settings).map_err(failed)?;
        Ok(connection)
    }

    /// Says what failed.
    pub fn failed(&self, doing: &'static str, error: rusqlite::Error) -> DatabaseError {
        DatabaseError::Failed { doing, path: self.name(), error }
    }

    /// Its path, for messages.
    pub fn name(&self) -> String {
        self.path.display().to_string()
    }
}

/// Makes the file if it is missing, for its user alone: SQLite would let everybody read it. A file that is there is not opened
/// here, since closing it again would end SQLite's locks on it.
fn make_private(path: &Path) -> Result<(), DatabaseError> {
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |error| DatabaseError::Make { path, error }
    };
    if let Some(parent) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(failed(parent))?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed(path)(error)),
        _ => Ok(()),
    }
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.execute_batch(&format!("PRAGMA busy_timeout={BUSY_MS}; PRAGMA temp_store=MEMORY;"))?;
    Ok(connection)
}

fn make_tables(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA journal_mode=WAL", [], |_| Ok(()))?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(TABLES)?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", SCHEMA)?;
    transaction.commit()
}

fn number(connection: &Connection, pragma: &str) -> rusqlite::Result<i64> {
    connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0))
}

/// "dvkv"
const APPLICATION: i64 = 0x6476_6b76;
const SCHEMA: i64 = 1;
/// Longest wait for a lock; only the recovery after a crash holds one that long.
const BUSY_MS: u32 = 10_000;
/// KiB of pages that a connection keeps.
const CACHE: i64 = 2_048;

/// `ends` is in milliseconds since 1970; NULL: never. `entries` counts what is there, whether it has ended or not.
const TABLES: &str = "
CREATE TABLE namespace (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, entries INTEGER NOT NULL) STRICT;
CREATE TABLE entry (namespace INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, ends INTEGER,
    PRIMARY KEY (namespace, key)) STRICT, WITHOUT ROWID;
CREATE INDEX entry_ends ON entry (ends) WHERE ends IS NOT NULL;
";

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn a_new_one_is_its_users_alone() {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::new(dir.path().join("a/kv.sqlite"));
        drop(database.open_writer().unwrap());
        drop(database.open_writer().unwrap());
        let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&database.path), mode(database.path.parent().unwrap())), (0o600, 0o700));
    }

    #[test]
    fn what_is_something_else_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kv.sqlite");
        let database = Database::new(path.clone());
        for (sql, words) in [
            ("CREATE TABLE x (y)", "is not a database of values"),
            ("PRAGMA application_id=1685482358; PRAGMA user_version=2", "has schema 2"),
        ] {
            let _ = std::fs::remove_file(&path);
            Connection::open(&path).unwrap().execute_batch(sql).unwrap();
            let error = database.open_writer().unwrap_err().to_string();
            assert!(error.contains(words) && error.contains("kv.sqlite"), "{error}");
        }
        std::fs::write(&path, "this is a text, and it is no database at all").unwrap();
        assert!(database.open_writer().unwrap_err().to_string().contains("not a database"));
    }
}
