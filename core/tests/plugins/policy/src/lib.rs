//! A policy for tests that says what its section says: the first rule that fits decides, and nothing speaks against what none
//! fits. It can also ask another policy first, and remember in `kv` what it was asked about.

mod rule;

use dovetail_sdk::{
    export_plugin,
    kv::{Kv, KvFailure, KvSwap},
    policy::{Policy, PolicyFailure, PolicyProvider, PolicyVerdict, Question, Stage},
    time, Context, Need, Plugin, Service, StartFailure,
};
use rule::Rule;
use std::time::Duration;

#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// In this order.
    rules: Vec<Rule>,
    /// Another policy, which is asked first.
    after: Option<String>,
    /// Whether each recipient is remembered; the number of times goes into the log.
    remember: bool,
}

struct Ruled {
    rules: Vec<Rule>,
    after: Option<Service<Policy>>,
    memory: Option<Service<Kv>>,
    instance: String,
}

impl Plugin for Ruled {
    type Config = Config;

    fn needs(config: &Config) -> Vec<Need> {
        let after = config.after.as_ref().map(Need::from_instance::<Policy>);
        after.into_iter().chain(config.remember.then(Need::of::<Kv>)).collect()
    }

    async fn start(config: Config, context: Context) -> Result<Self, StartFailure> {
        let after = config.after.map(|name| context.service_from(&name)).transpose()?;
        let memory = config.remember.then(|| context.service()).transpose()?;
        Ok(Ruled { rules: config.rules, after, memory, instance: context.about.instance })
    }
}

impl PolicyProvider for Ruled {
    fn stages(&self) -> Result<Vec<Stage>, PolicyFailure> {
        let mut stages: Vec<Stage> = self.rules.iter().map(|rule| rule.stage.into()).collect();
        if self.memory.is_some() {
            stages.push(Stage::Recipient);
        }
        Ok(stages)
    }

    async fn decide(&self, question: Question) -> Result<PolicyVerdict, PolicyFailure> {
        if let Some(after) = &self.after {
            let said = after.ready().await?.decide(question.clone()).await?;
            if said != PolicyVerdict::accept() {
                return Ok(said);
            }
        }
        if let (Some(memory), Some(recipient)) = (&self.memory, &question.recipient) {
            let times = self.count(memory, recipient).await;
            let times = times.map_err(|failure| PolicyFailure { message: failure.to_string() })?;
            tracing::info!(recipient, times, "remembered");
        }
        let text = rule::text_of(&question).await?;
        let found = self.rules.iter().find(|rule| rule.fits(question.stage, &text));
        let Some(rule) = found else { return Ok(PolicyVerdict::accept()) };
        time::sleep(Duration::from_millis(rule.delay_milliseconds)).await;
        rule.verdict()
    }
}

impl Ruled {
    /// How often a recipient was asked about, this time counted.
    async fn count(&self, memory: &Service<Kv>, recipient: &str) -> Result<u64, KvFailure> {
        let kv = memory.ready().await?;
        loop {
            let (namespace, key) = (self.instance.clone(), recipient.as_bytes().to_vec());
            let held = kv.get(namespace.clone(), key.clone()).await?.map(|entry| entry.value);
            let text = held.as_deref().map(String::from_utf8_lossy);
            let times = text.and_then(|text| text.parse::<u64>().ok()).unwrap_or_default() + 1;
            let value = Some(times.to_string().into_bytes());
            if kv.swap(namespace, KvSwap { key, expected: held, value, ttl_seconds: None }).await? {
                return Ok(times);
            }
        }
    }
}

export_plugin! {
    plugin: Ruled,
    id: "policy",
    summary: "Says what its section says (for tests)",
    provides: [Policy],
    requires: [],
    uses: [Policy, Kv],
}
