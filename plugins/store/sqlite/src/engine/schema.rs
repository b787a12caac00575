//! Opening connections, and the tables. A database of a newer program is refused.

use std::path::Path;

use dovetail_mailstore::BackendError;
use rusqlite::{Connection, OpenFlags};

/// Version of the tables.
pub const SCHEMA: i64 = 1;
/// Says whose database this is (`dvtl`).
pub const APPLICATION: i64 = 0x6476_746c;

/// Longest wait for a lock; only the recovery after a crash holds one that long.
const BUSY_MS: u32 = 10_000;
/// KiB of pages that the writer keeps.
const WRITER_CACHE: i64 = 8_192;
/// KiB of pages that each reader keeps.
const READER_CACHE: i64 = 1_024;

const TABLES: &str = "
CREATE TABLE part (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, version INTEGER NOT NULL) STRICT;
CREATE TABLE row (part INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (part, key))
    STRICT, WITHOUT ROWID;
CREATE TABLE body (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
";

/// Opens the connection that writes, and makes the tables if the file is new.
pub(super) fn open_writer(path: &Path) -> Result<Connection, BackendError> {
    make_private(path).map_err(|error| BackendError::io(format!("making {}", path.display()), error))?;
    let failed = |error: rusqlite::Error| BackendError::io(format!("opening {}", path.display()), error);
    let mut connection = open(path).map_err(failed)?;
    let application = number(&connection, "application_id").map_err(failed)?;
    let schema = number(&connection, "user_version").map_err(failed)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    match (application, schema, tables) {
        (0, 0, 0) => make_tables(&mut connection).map_err(failed)?,
        (APPLICATION, SCHEMA, _) => {}
        (APPLICATION, newer, _) if newer > SCHEMA => {
            return Err(BackendError::Schema(format!(
                "{} has schema {newer}, this program knows up to {SCHEMA}: use the version that wrote it, or a newer one",
                path.display()
            )));
        }
        _ => {
            return Err(BackendError::Schema(format!(
                "{} is not a mail store: move it away, or set `dir` to another directory",
                path.display()
            )));
        }
    }
    // The log is folded in by the checkpointer, off the way of deliveries.
    connection
        .execute_batch(&format!(
            "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-{WRITER_CACHE};"
        ))
        .map_err(failed)?;
    Ok(connection)
}

/// Makes the file if it is missing, for its user alone: SQLite would let everybody read it. The log and its index take
/// its mode over. A file that is there is not opened here, since closing it again would end SQLite's locks on it.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::mode(options.write(true).create_new(true), 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Opens a connection that folds the log into the database.
pub(super) fn open_checkpointer(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open(path)?;
    connection.execute_batch(&format!("PRAGMA synchronous=FULL; PRAGMA cache_size=-{READER_CACHE};"))?;
    Ok(connection)
}

/// Opens a connection that only reads.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open(path)?;
    connection.execute_batch(&format!("PRAGMA query_only=1; PRAGMA cache_size=-{READER_CACHE};"))?;
    Ok(connection)
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.execute_batch(&format!("PRAGMA busy_timeout={BUSY_MS}; PRAGMA temp_store=MEMORY;"))?;
    Ok(connection)
}

fn make_tables(connection: &mut Connection) -> rusqlite::Result<()> {
    // These two only work while there are no tables.
    connection.execute_batch(&format!("PRAGMA page_size={PAGE}; PRAGMA auto_vacuum=INCREMENTAL;"))?;
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

/// Bytes of a page, measured: with messages of 8 KiB, small pages waste less of the log than large ones.
const PAGE: u32 = 4_096;
