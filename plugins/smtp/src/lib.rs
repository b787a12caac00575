//! SMTP (RFC 5321): takes mail in, from other servers (role `Mx`) and from our users (role `Submission`, RFC 6409).
//!
//! Extensions: PIPELINING (RFC 2920), SIZE (1870), 8BITMIME (6152), ENHANCEDSTATUSCODES (2034), STARTTLS (3207), AUTH (4954).
//!
//! A message is accepted (`250`) only after the delivery has said that every recipient has it, durable. Where mail goes, and
//! whether anything is relayed, is the delivery's decision; who may use which sender address is the directory's. Whatever else
//! may be held against a mail, [`policy`] asks others about.

mod answer;
mod commands;
mod config;
mod conversation;
mod counters;
mod data;
mod figures;
mod params;
mod policy;
mod reply;
mod state;
#[cfg(test)]
mod testing;

use dovetail_sdk::delivery::Delivery;
use dovetail_sdk::directory::Directory;
use dovetail_sdk::policy::Policy;
use dovetail_sdk::protocol::{Protocol, ProtocolProvider, ProtocolTraits, Session, SessionFailure};
use dovetail_sdk::spool::Spool;
use dovetail_sdk::{export_plugin, About, Context, Need, Plugin, Problems, StartFailure};

use config::Config;
use conversation::{Conversation, Services};
use figures::Figures;
use policy::{Chain, Step};

/// One instance: a role with its limits.
struct Smtp {
    config: Config,
    services: Services,
}

impl Plugin for Smtp {
    type Config = Config;

    fn validate(config: &Config, _about: &About, problems: &mut Problems) {
        config.check(problems);
    }

    fn needs(config: &Config) -> Vec<Need> {
        let policies = config.policies.iter().map(|step| Need::from_instance::<Policy>(&step.instance));
        policies.chain(config.needs_spool().then(Need::of::<Spool>)).collect()
    }

    async fn start(config: Config, context: Context) -> Result<Self, StartFailure> {
        let steps = config.policies.iter().map(|step| Ok(Step::new(step, context.service_from(&step.instance)?)));
        let steps = steps.collect::<Result<Vec<_>, StartFailure>>()?;
        let spool = if config.needs_spool() { Some(context.service()?) } else { None };
        let services = Services {
            directory: context.service()?,
            delivery: context.service()?,
            policies: Chain::new(steps, spool),
            figures: Figures::default(),
        };
        Ok(Smtp { config, services })
    }
}

impl ProtocolProvider for Smtp {
    fn traits(&self) -> ProtocolTraits {
        ProtocolTraits { alpn: vec![], try_later: b"421 4.3.2 Too busy, try again later\r\n".to_vec() }
    }

    async fn serve(&self, session: Session) -> Result<(), SessionFailure> {
        Conversation::new(session, &self.config, &self.services).run().await
    }
}

export_plugin! {
    plugin: Smtp,
    id: "smtp",
    summary: "SMTP: takes mail in from other servers and from users",
    provides: [Protocol],
    requires: [Directory, Delivery],
    uses: [Policy, Spool],
}
