//! The embedded store: mailboxes in an SQLite database, large messages in files beside it. Nothing to install, nothing to
//! set up.
//!
//! **How it fails**: an I/O error or a full disk refuses the request for the time being; nothing is acknowledged that is
//! not on the disk. A store of a newer version is refused at start. **Bounds**: see [`config::Config`] and
//! [`dovetail_mailstore::limits`].

mod config;
mod engine;
mod figures;
mod service;
mod summary;

use std::sync::Arc;

use dovetail_mailstore::{BackendError, Options, Threads};
use dovetail_sdk::{export_plugin, store::Store, task, About, Context, Plugin, Problems, Purpose, StartFailure};

use config::Config;
use engine::Sqlite;
use figures::{Figures, Lookout};
use service::{Opened, Service};
use tokio::sync::oneshot;

impl Plugin for Service {
    type Config = Config;

    fn validate(config: &Config, about: &About, problems: &mut Problems) {
        config.check(about, problems);
    }

    async fn start(config: Config, context: Context) -> Result<Self, StartFailure> {
        if context.about.purpose == Purpose::Standalone {
            return Ok(Service::new(None));
        }
        let opened = task::spawn_blocking(move || open(&config, &context.about)).await;
        match opened {
            Ok(opened) => Ok(Service::new(Some(opened.map_err(StartFailure::new)?))),
            Err(error) => Err(StartFailure::new(format!("opening the store: {error}"))),
        }
    }

    fn under_way(&self) -> u64 {
        Service::under_way(self)
    }

    async fn stop(&self) {
        self.close().await;
    }
}

export_plugin! {
    plugin: Service,
    id: "store-sqlite",
    summary: "Keeps mailboxes in an embedded SQLite database",
    exclusive: true,
    provides: [Store],
    requires: [],
}

fn open(config: &Config, about: &About) -> Result<Opened, BackendError> {
    let threads: Threads = Arc::new(task::thread);
    let options = Options {
        max_message_size: u32::try_from(config.max_message_size).unwrap_or(u32::MAX),
        large_body_threshold: config.large_body_threshold,
        memory_for_bodies: config.memory_for_bodies,
        threads: threads.clone(),
        observer: Arc::new(Figures::new()),
        new_account_mailboxes: config.new_mailboxes(),
        summarise: Some(summary::summarise()),
        ..Options::default()
    };
    let dir = about.in_data_dir(&config.dir);
    let (open, closed) = oneshot::channel();
    let backend = Sqlite::open(&dir, config.reserve, config.log_size, &threads)?.while_open(open);
    let store = Arc::new(dovetail_mailstore::Store::open(Arc::new(backend), options)?);
    let lookout = Lookout::start(&store, &dir, &threads)?;
    Ok(Opened { store, lookout, closed })
}
