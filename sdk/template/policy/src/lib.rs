//! A policy: refuses senders by their domain, and marks what it let pass.

#[cfg(test)]
mod tests;

use dovetail_sdk::{
    export_plugin,
    policy::{Decision, Policy, PolicyFailure, PolicyProvider, PolicyVerdict, Question, Stage},
    Context, Plugin, StartFailure,
};

/// The instance's section in the server's configuration.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// Domains whose senders are refused; those below them, too.
    refuse: Vec<String>,
}

/// One instance.
struct {{Name}} {
    refuse: Vec<String>,
}

impl Plugin for {{Name}} {
    type Config = Config;

    async fn start(config: Config, _context: Context) -> Result<Self, StartFailure> {
        let refuse = config.refuse.iter().map(|domain| domain.to_ascii_lowercase()).collect();
        Ok({{Name}} { refuse })
    }
}

impl {{Name}} {
    fn refuses(&self, sender: &str) -> bool {
        // The null sender (`<>`) has no domain: bounces pass.
        let Some((_, domain)) = sender.rsplit_once('@') else {
            return false;
        };
        let domain = domain.to_ascii_lowercase();
        self.refuse.iter().any(|refused| {
            domain.strip_suffix(refused.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }
}

impl PolicyProvider for {{Name}} {
    fn stages(&self) -> Result<Vec<Stage>, PolicyFailure> {
        Ok(vec![Stage::Mail, Stage::EndOfMessage])
    }

    async fn decide(&self, question: Question) -> Result<PolicyVerdict, PolicyFailure> {
        let sender = question.sender.unwrap_or_default();
        Ok(match question.stage {
            Stage::Mail if self.refuses(&sender) => {
                PolicyVerdict::new(Decision::Reject, format!("{sender} is of a refused domain"))
                    .saying(550, "5.7.1", "Your domain is not welcome here")
            }
            Stage::EndOfMessage => PolicyVerdict::accept().adding("X-{{Name}}", "passed"),
            _ => PolicyVerdict::accept(),
        })
    }
}

export_plugin! {
    plugin: {{Name}},
    id: "{{name}}",
    summary: "Refuses senders by their domain",
    provides: [Policy],
    requires: [],
}
