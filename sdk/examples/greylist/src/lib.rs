//! A policy that greylists (RFC 6647): mail of an unknown triplet of client network, sender and recipient is refused for now,
//! and taken when it comes again. Mail servers try again; much of what sends spam does not.
//!
//! * [`triplet`] is what is known or not, [`record`] how it is written down.
//! * [`memory`] is what was seen before, in `dovetail.kv/1`: it outlives a restart, and all sessions share it.
//! * Here is what follows from it.
//!
//! It is asked at RCPT, when the triplet is complete and nothing of the message has crossed the wire.
//!
//! **Who does not wait**: who has logged in, for their programs show errors instead of trying again; and the null sender,
//! unless the section says otherwise: bounces tell somebody that a mail is lost, and a server that verifies addresses asks
//! with `<>` and does not ask twice.
//!
//! **How it fails**: without its memory it cannot say anything, which is a `PolicyFailure`. What happens then is the
//! operator's choice (`on_error` in the list of policies).

mod config;
mod memory;
mod record;
#[cfg(test)]
mod tests;
mod triplet;

use dovetail_sdk::{
    export_plugin,
    kv::Kv,
    policy::{Decision, Policy, PolicyFailure, PolicyProvider, PolicyVerdict, Question, Stage},
    time, About, Context, Plugin, Problems, StartFailure,
};

use config::Config;
use memory::{Memory, Standing};
use triplet::Triplet;

/// One instance.
#[derive(Debug)]
struct Greylist {
    null_sender: bool,
    memory: Memory,
}

impl Plugin for Greylist {
    type Config = Config;

    fn validate(config: &Config, _about: &About, problems: &mut Problems) {
        config.check(problems);
    }

    async fn start(config: Config, context: Context) -> Result<Self, StartFailure> {
        let null_sender = config.null_sender;
        let memory = Memory { kv: context.service()?, namespace: context.about.instance, config };
        Ok(Greylist { null_sender, memory })
    }
}

impl PolicyProvider for Greylist {
    fn stages(&self) -> Result<Vec<Stage>, PolicyFailure> {
        Ok(vec![Stage::Recipient])
    }

    async fn decide(&self, question: Question) -> Result<PolicyVerdict, PolicyFailure> {
        let Some(triplet) = self.subject(&question) else { return Ok(PolicyVerdict::accept()) };
        let transaction = question.transaction.as_deref().unwrap_or(&question.session);
        let now = u64::try_from(time::unix_milliseconds() / 1000).unwrap_or_default();
        let standing = self.memory.meet(&triplet, transaction, now).await;
        let standing = standing.map_err(|error| PolicyFailure { message: error.to_string() })?;
        Ok(match standing {
            Standing::New => defer(self.memory.config.delay_seconds, "greylisted: seen for the first time"),
            Standing::Early(left) => defer(left, "greylisted: came back too early"),
            Standing::Returned => {
                tracing::info!(network = %triplet.network, "greylisted mail has come back in time");
                PolicyVerdict::accept()
            }
            Standing::Known | Standing::KnownNetwork => PolicyVerdict::accept(),
        })
    }
}

impl Greylist {
    /// The triplet that may have to wait, if any may.
    fn subject(&self, question: &Question) -> Option<Triplet> {
        let exempt = question.stage != Stage::Recipient
            || question.account.is_some()
            || (question.sender.as_deref().unwrap_or_default().is_empty() && !self.null_sender);
        match exempt {
            true => None,
            false => Triplet::of(question),
        }
    }
}

/// Not now. The client may know how long: its next try comes when it comes.
fn defer(seconds: u64, reason: &str) -> PolicyVerdict {
    let text = format!("Greylisted, please try again in {seconds} seconds");
    PolicyVerdict::new(Decision::Defer, reason).saying(451, "4.7.1", text)
}

export_plugin! {
    plugin: Greylist,
    id: "greylist",
    summary: "Lets mail of unknown senders wait until it comes again",
    provides: [Policy],
    requires: [Kv],
}
