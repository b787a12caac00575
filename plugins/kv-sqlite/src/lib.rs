//! Small durable values by name (`dovetail.kv/1`) in an SQLite database of their own, and the operations `dovetail kv`.
//!
//! * [`database`] is the file: its tables, and the connections to it.
//! * [`writer`] is the one thread that changes it; changes that come together share a transaction, so one fsync.
//! * [`change`] is what can be changed, and what comes of it.
//! * [`reader`] reads, beside the writer.
//! * [`service`] is the interface, [`operations`] the command.
//!
//! **Durable**: the database is in WAL mode with `synchronous=FULL`, and a change is answered after its transaction. **How it
//! fails**: a transaction that fails changes nothing and is answered so, all of it; the next one opens the file anew. What has
//! ended is there for no call, whether or not it was swept away already.
//!
//! **Bounds.** See [`config::Config`]; names and values as the interface says; [`writer::QUEUE`] changes wait at most.

mod change;
mod config;
mod database;
mod operations;
mod reader;
mod service;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use dovetail_sdk::kv::Kv;
use dovetail_sdk::operations::{Operation, Operations};
use dovetail_sdk::{export_plugin, task, time, About, Context, Plugin, Problems, Purpose, StartFailure};

use config::Config;
use database::{Database, DatabaseError};
use reader::Reader;
use service::Values;
use writer::Writer;

impl Plugin for Values {
    type Config = Config;

    fn validate(config: &Config, about: &About, problems: &mut Problems) {
        config.check(about, problems);
    }

    async fn start(config: Config, context: Context) -> Result<Self, StartFailure> {
        let path = context.about.in_data_dir(&config.file);
        let opened = task::spawn_blocking(move || open(Database::new(path), config.max_entries)).await;
        let (reader, writer) = opened.map_err(StartFailure::new)?.map_err(StartFailure::new)?;
        let (reader, writer) = (Arc::new(reader), Arc::new(writer));
        if context.about.purpose == Purpose::Serve {
            task::spawn(sweep(Arc::downgrade(&writer), Duration::from_secs(config.sweep_seconds)));
        }
        Ok(Values::new(reader, writer))
    }

    async fn stop(&self) {
        self.close().await;
    }

    fn operations() -> Vec<Operation> {
        operations::describe()
    }
}

fn open(database: Database, max_entries: u64) -> Result<(Reader, Writer), DatabaseError> {
    let database = Arc::new(database);
    let writer = Writer::start(database.clone(), max_entries)?;
    Ok((Reader::new(database), writer))
}

/// Has what has ended removed, again and again.
async fn sweep(writer: std::sync::Weak<Writer>, every: Duration) {
    loop {
        time::sleep(every).await;
        let Some(writer) = writer.upgrade() else { return };
        // What cannot be removed now is logged by the writer, and tried again.
        let _ = writer.sweep().await;
    }
}

export_plugin! {
    plugin: Values,
    id: "kv-sqlite",
    summary: "Small durable values for other plugins, in an embedded SQLite database",
    command: "kv",
    exclusive: true,
    provides: [Kv, Operations],
    requires: [],
}

#[cfg(test)]
mod tests;
