//! IMAP4rev1 (RFC 3501) and IMAP4rev2 (RFC 9051): gives users their mailboxes.
//!
//! One file a command in [`commands`]; what they share is the [`conversation`] (a loop, and where it stands) and the
//! [`selected`] mailbox (what this client has been told). Commands are read by `dovetail-imap-grammar`, which allocates no
//! more than its limits; the message of APPEND goes straight into the store.
//!
//! A client that says ENABLE IMAP4rev2 gets what RFC 9051 changed: names in UTF-8, ESEARCH instead of SEARCH, no RECENT.
//!
//! Passwords are taken under TLS only, or on a loopback listener that the operator has marked as insecure.

mod answer;
mod capability;
mod commands;
mod completion;
mod config;
mod conversation;
mod fetch;
mod figures;
mod framing;
mod login;
mod names;
mod news;
mod search;
mod selected;
mod state;
#[cfg(test)]
mod testing;

use std::sync::Arc;

use dovetail_sdk::directory::Directory;
use dovetail_sdk::protocol::{Protocol, ProtocolProvider, ProtocolTraits, Session, SessionFailure};
use dovetail_sdk::store::Store;
use dovetail_sdk::{export_plugin, About, Context, Plugin, Problems, StartFailure};

use config::Config;
use conversation::{Conversation, Services};
use figures::Figures;
use search::cache::SearchCache;
use selected::shared::SharedLists;

/// One instance.
struct Imap {
    config: Config,
    services: Services,
}

impl Plugin for Imap {
    type Config = Config;

    fn validate(config: &Config, _about: &About, problems: &mut Problems) {
        config.check(problems);
    }

    async fn start(config: Config, context: Context) -> Result<Self, StartFailure> {
        let services = Services {
            directory: context.service()?,
            store: context.service()?,
            lists: Arc::new(SharedLists::default()),
            search: Arc::new(SearchCache::new(config.search_memory)),
            figures: Figures::new(),
            build: context.about.build,
        };
        Ok(Imap { config, services })
    }
}

impl ProtocolProvider for Imap {
    fn traits(&self) -> ProtocolTraits {
        ProtocolTraits {
            alpn: vec!["imap".to_owned()],
            try_later: b"* BYE [UNAVAILABLE] Too busy, try again later\r\n".to_vec(),
        }
    }

    async fn serve(&self, session: Session) -> Result<(), SessionFailure> {
        Conversation::new(session, &self.config, &self.services).run().await
    }
}

export_plugin! {
    plugin: Imap,
    id: "imap",
    summary: "IMAP4rev1 and IMAP4rev2: gives users their mailboxes",
    provides: [Protocol],
    requires: [Directory, Store],
}
