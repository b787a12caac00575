//! The spool (`dovetail.spool/1`): whole messages, before and beside their delivery, for whoever must read them at any place.
//!
//! * [`writer`] takes a message in: into memory, and from a size on into a file that has no name (mode 0600).
//! * [`sealed`] is a message that never changes; an edited one shares all that is not new with the one it was made of.
//! * [`ledger`] counts messages and octets against the limits; what is dropped is given back at once.
//! * [`header`] finds the end of the header while the message comes in.
//!
//! **How it fails.** A message that is too large is refused for good, one for which there is no room now (a limit of the
//! spool, or the disk) for the time being; either ends its writer. Nothing outlives the process: files have no names, and what a
//! crash left in the one instant in which some file systems need one is removed at the next start.
//!
//! **Bounds.** See [`config::Config`]; a message can be edited [`sealed::MAX_SEGMENTS`] times; a read gives at most
//! [`sealed::MAX_READ`] octets. RFC 5322 section 2.1 (where a header ends).

mod config;
mod files;
mod header;
mod ledger;
mod sealed;
mod writer;

use std::sync::Arc;

use dovetail_sdk::spool::{Spool, SpoolFailure, SpoolProvider, SpoolWriter};
use dovetail_sdk::{export_plugin, task, About, Context, Plugin, Problems, Purpose, StartFailure};

use config::Config;
use files::Files;
use ledger::Ledger;
use writer::Writer;

/// One spool.
struct MessageSpool {
    ledger: Arc<Ledger>,
    files: Arc<Files>,
    memory: usize,
}

impl Plugin for MessageSpool {
    type Config = Config;

    fn validate(config: &Config, about: &About, problems: &mut Problems) {
        config.check(about, problems);
    }

    async fn start(config: Config, context: Context) -> Result<Self, StartFailure> {
        let files = Arc::new(Files::new(context.about.in_data_dir(&config.dir)));
        if context.about.purpose == Purpose::Serve {
            let made = files.clone();
            let prepared = task::spawn_blocking(move || made.prepare()).await.map_err(StartFailure::new)?;
            prepared.map_err(StartFailure::new)?;
        }
        Ok(MessageSpool { memory: config.memory(), ledger: Ledger::new(&config), files })
    }
}

impl SpoolProvider for MessageSpool {
    async fn begin(&self, size: u64) -> Result<SpoolWriter, SpoolFailure> {
        let ticket = self.ledger.open(size)?;
        Ok(SpoolWriter::new(Writer::new(ticket, self.files.clone(), self.memory)))
    }
}

export_plugin! {
    plugin: MessageSpool,
    id: "spool",
    summary: "Holds whole messages for policies to read",
    provides: [Spool],
    requires: [],
}

#[cfg(test)]
mod tests;
