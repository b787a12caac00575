//! The list of policies, as the operator writes it.

use std::collections::BTreeSet;

use dovetail_sdk::policy::Stage;
use dovetail_sdk::Problems;
use serde::Deserialize;

/// One policy of the list.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct PolicyStep {
    /// The plugin instance that is asked.
    pub instance: String,
    /// So many seconds it has for an answer: 1 to 300.
    #[serde(default = "ten_seconds")]
    pub timeout_seconds: u64,
    /// What happens if it fails, is not there, or does not answer in time.
    #[serde(default)]
    pub on_error: OnError,
    /// The stages at which it may be asked; it names itself those of them that it wants. Where no policy is left
    /// `EndOfMessage`, no spool is needed. Default: all.
    #[serde(default)]
    pub stages: Option<Vec<StageName>>,
}

/// What happens instead of a verdict.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
pub enum OnError {
    /// As if there were no such policy.
    Accept,
    /// The client is told to try later.
    #[default]
    Defer,
    /// The client is refused for good.
    Reject,
}

/// A stage.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum StageName {
    /// A client has connected.
    Connect,
    /// It has said EHLO or HELO.
    Helo,
    /// It has logged in.
    Auth,
    /// It has named a sender.
    Mail,
    /// It has named a recipient that the delivery would take.
    Recipient,
    /// The whole message is there.
    EndOfMessage,
}

/// A set of stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stages(u8);

impl Stages {
    /// All of them.
    pub const ALL: Stages = Stages(u8::MAX);

    /// These.
    pub fn of(stages: &[Stage]) -> Self {
        Stages(stages.iter().fold(0, |bits, &stage| bits | bit(stage)))
    }

    /// The set of these bits.
    pub fn from_bits(bits: u8) -> Self {
        Stages(bits)
    }

    /// The set as bits.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// Whether a stage is among them.
    pub fn has(self, stage: Stage) -> bool {
        self.0 & bit(stage) != 0
    }
}

fn bit(stage: Stage) -> u8 {
    match stage {
        Stage::Connect => 1,
        Stage::Helo => 2,
        Stage::Auth => 4,
        Stage::Mail => 8,
        Stage::Recipient => 16,
        _ => 32,
    }
}

impl From<StageName> for Stage {
    fn from(name: StageName) -> Self {
        match name {
            StageName::Connect => Stage::Connect,
            StageName::Helo => Stage::Helo,
            StageName::Auth => Stage::Auth,
            StageName::Mail => Stage::Mail,
            StageName::Recipient => Stage::Recipient,
            StageName::EndOfMessage => Stage::EndOfMessage,
        }
    }
}

impl PolicyStep {
    /// The stages at which it may be asked.
    pub fn allowed(&self) -> Stages {
        match &self.stages {
            None => Stages::ALL,
            Some(names) => Stages::of(&names.iter().map(|&name| name.into()).collect::<Vec<_>>()),
        }
    }
}

/// Finds what cannot work in a list.
pub fn check(policies: &[PolicyStep], problems: &mut Problems) {
    if policies.len() > MAX_POLICIES {
        problems.error(format!("policies has {} entries", policies.len()), format!("leave at most {MAX_POLICIES}"));
    }
    let mut seen = BTreeSet::new();
    for step in policies {
        let name = &step.instance;
        if !seen.insert(name) {
            problems.error(format!("policies names `{name}` twice"), "name each instance once");
        }
        if !(1..=MAX_SECONDS).contains(&step.timeout_seconds) {
            problems.error(
                format!("timeout_seconds of the policy `{name}` is {}", step.timeout_seconds),
                format!("set 1 to {MAX_SECONDS}, or leave it out"),
            );
        }
        if step.stages.as_ref().is_some_and(Vec::is_empty) {
            problems.error(
                format!("stages of the policy `{name}` is empty, so it would never be asked"),
                "name some, or leave it out",
            );
        }
    }
    let all: u64 = policies.iter().map(|step| step.timeout_seconds.min(MAX_SECONDS)).sum();
    if all > PATIENCE {
        problems.warning(
            format!("the policies may take {all} seconds together, and clients wait for {PATIENCE} (RFC 5321 section 4.5.3.2)"),
            "lower timeout_seconds of some",
        );
    }
}

fn ten_seconds() -> u64 {
    10
}

/// More would be some hundred figures.
const MAX_POLICIES: usize = 20;
const MAX_SECONDS: u64 = 300;
/// How long clients wait for the answer to most commands.
const PATIENCE: u64 = 300;

#[cfg(test)]
mod tests {
    use crate::Smtp;
    use dovetail_testkit::TestHost;

    #[test]
    fn lists() {
        let host = TestHost::new();
        let check = |list: &str| host.check::<Smtp>(&format!("(policies: [{list}])"));
        let full =
            r#"(instance: "a"), (instance: "b", timeout_seconds: 1, on_error: Reject, stages: [Helo, EndOfMessage])"#;
        assert_eq!(check(full), Ok(vec![]));
        let warning = check(r#"(instance: "a", timeout_seconds: 300), (instance: "b", timeout_seconds: 1)"#).unwrap();
        assert!(warning[0].message.contains("301 seconds together"), "{warning:?}");
        let many: String = (0..21).map(|n| format!("(instance: \"{n}\", timeout_seconds: 1),")).collect();
        for (list, words) in [
            (r#"(instance: "a"), (instance: "a")"#, "names `a` twice"),
            (r#"(instance: "a", timeout_seconds: 0)"#, "timeout_seconds of the policy `a` is 0"),
            (r#"(instance: "a", timeout_seconds: 301)"#, "timeout_seconds of the policy `a` is 301"),
            (r#"(instance: "a", stages: [])"#, "never be asked"),
            (r#"(instance: "a", stages: [Data])"#, "Data"),
            (r#"(instance: "a", on_error: Discard)"#, "Discard"),
            (r#"(timeout_seconds: 1)"#, "instance"),
            (&many, "policies has 21 entries"),
        ] {
            let found = check(list).unwrap_err();
            assert!(found.iter().any(|problem| problem.message.contains(words)), "{list}: {found:?}");
        }
    }
}
