//! LMTP (RFC 2033): takes mail in from another mail server in front of this one, which keeps its own queue.
//!
//! It is SMTP but for three things: it begins with LHLO; DATA without a recipient fails; and behind the message there is one
//! reply for each recipient, so that the other server knows who has it and who does not, and keeps it for those alone.
//!
//! * [`command`] reads command lines, [`reply`] writes replies: pure functions both.
//! * [`dialogue`] is a session, from the greeting to the end.
//! * [`message`] takes in what follows DATA, [`trace`] is what is put on top of it.
//!
//! Extensions: PIPELINING (RFC 2920), ENHANCEDSTATUSCODES (2034), 8BITMIME (6152), SIZE (1870). There is no login: who may
//! connect may bring mail for the accounts here, and for nobody else. So bind it to an address where only that server is.

mod command;
mod config;
mod dialogue;
mod message;
mod reply;
#[cfg(test)]
mod tests;
mod trace;

use dovetail_sdk::{
    delivery::Delivery,
    export_plugin,
    protocol::{Protocol, ProtocolProvider, ProtocolTraits, Session, SessionFailure},
    About, Context, Plugin, Problems, Service, StartFailure,
};

use config::Config;
use dialogue::Dialogue;

/// One instance.
#[derive(Debug)]
struct Lmtp {
    config: Config,
    delivery: Service<Delivery>,
}

impl Plugin for Lmtp {
    type Config = Config;

    fn validate(config: &Config, _about: &About, problems: &mut Problems) {
        config.check(problems);
    }

    async fn start(config: Config, context: Context) -> Result<Self, StartFailure> {
        Ok(Lmtp { config, delivery: context.service()? })
    }
}

impl ProtocolProvider for Lmtp {
    fn traits(&self) -> ProtocolTraits {
        ProtocolTraits { alpn: vec![], try_later: b"421 4.3.2 Too busy, try again later\r\n".to_vec() }
    }

    async fn serve(&self, session: Session) -> Result<(), SessionFailure> {
        Dialogue::new(session, &self.config, &self.delivery).run().await
    }
}

export_plugin! {
    plugin: Lmtp,
    id: "lmtp",
    summary: "LMTP: takes mail in from another mail server",
    provides: [Protocol],
    requires: [Delivery],
}
