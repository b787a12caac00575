//! Connections for readers: opened when needed, kept, lent to one reader at a time. In WAL mode each sees the last
//! commit and none waits for the writer. With all [`super::READERS`] lent, the next reader waits for one.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use dovetail_mailstore::BackendError;
use rusqlite::Connection;

use super::{schema, Database, READERS};

pub(super) struct Readers {
    database: Arc<Database>,
    state: Mutex<State>,
    returned: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Connection>,
    open: usize,
}

impl Readers {
    pub(super) fn new(database: Arc<Database>) -> Self {
        Readers { database, state: Mutex::default(), returned: Condvar::new() }
    }

    /// Lends a connection to `read`. After an error it is closed, so that nothing is left half-done.
    pub(super) fn with<T>(
        &self,
        doing: &str,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, BackendError> {
        let mut lent = Lent { readers: self, connection: self.take() };
        let result = match &lent.connection {
            Some(connection) => read(connection),
            None => match schema::open_reader(&self.database.path) {
                Ok(connection) => read(lent.connection.insert(connection)),
                Err(error) => Err(error),
            },
        };
        result.map_err(|error| {
            lent.connection = None;
            self.database.error(doing, &error)
        })
    }

    /// An idle connection, or `None` for the right to open one.
    fn take(&self) -> Option<Connection> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(connection) = state.idle.pop() {
                return Some(connection);
            }
            if state.open < READERS {
                state.open += 1;
                return None;
            }
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Goes back when dropped, also by a panic.
struct Lent<'a> {
    readers: &'a Readers,
    connection: Option<Connection>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut state = self.readers.state.lock().unwrap_or_else(PoisonError::into_inner);
        match self.connection.take() {
            Some(connection) => state.idle.push(connection),
            None => state.open -= 1,
        }
        drop(state);
        self.readers.returned.notify_one();
    }
}
