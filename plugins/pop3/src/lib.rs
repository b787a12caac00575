//! POP3 (RFC 1939): gives users the mail in their INBOX.
//!
//! Extensions: CAPA (RFC 2449), STLS (2595), AUTH (5034), response codes (2449, 3206), pipelining. APOP is not offered:
//! it needs passwords in the clear on our side. Passwords are taken under TLS only, or on a loopback listener that the
//! operator has marked as insecure.
//!
//! A session works on a snapshot of INBOX and locks nothing: other sessions may add and remove messages meanwhile, which shows
//! at the next login.

mod commands;
mod config;
mod conversation;
mod figures;
mod inbox;
mod listing;
mod login;
mod maildrop;
mod reply;
mod retrieval;
mod state;
mod stuffing;
#[cfg(test)]
mod testing;
mod top;

use dovetail_sdk::directory::Directory;
use dovetail_sdk::protocol::{Protocol, ProtocolProvider, ProtocolTraits, Session, SessionFailure};
use dovetail_sdk::store::Store;
use dovetail_sdk::{export_plugin, About, Context, Plugin, Problems, StartFailure};

use config::Config;
use conversation::{Conversation, Services};
use figures::Figures;

/// One instance.
struct Pop3 {
    config: Config,
    services: Services,
}

impl Plugin for Pop3 {
    type Config = Config;

    fn validate(config: &Config, _about: &About, problems: &mut Problems) {
        config.check(problems);
    }

    async fn start(config: Config, context: Context) -> Result<Self, StartFailure> {
        let services = Services { directory: context.service()?, store: context.service()?, figures: Figures::new() };
        Ok(Pop3 { config, services })
    }
}

impl ProtocolProvider for Pop3 {
    fn traits(&self) -> ProtocolTraits {
        ProtocolTraits {
            alpn: vec!["pop3".to_owned()],
            try_later: b"-ERR [SYS/TEMP] Too busy, try again later\r\n".to_vec(),
        }
    }

    async fn serve(&self, session: Session) -> Result<(), SessionFailure> {
        Conversation::new(session, &self.config, &self.services).run().await
    }
}

export_plugin! {
    plugin: Pop3,
    id: "pop3",
    summary: "POP3: gives users the mail in their INBOX",
    provides: [Protocol],
    requires: [Directory, Store],
}
