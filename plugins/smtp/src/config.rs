//! The plugin's section of the configuration. Every limit that a peer can run into has its key here.

use dovetail_sdk::policy::Stage;
use dovetail_sdk::Problems;
use serde::Deserialize;

mod policies;

#[cfg(test)]
pub use policies::StageName;
pub use policies::{OnError, PolicyStep, Stages};

/// An SMTP service.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Whom it serves.
    pub role: Role,
    /// Largest message in octets, announced with SIZE: at least 65536.
    pub max_message_size: u64,
    /// Most recipients of one message: at least 100.
    pub max_recipients: usize,
    /// Longest line of a message in octets, line end not counted: at least 998. RFC 5321 allows 998, real messages have
    /// longer ones.
    pub max_data_line: usize,
    /// Longest command line in octets, line end not counted: at least 512.
    pub max_command_line: usize,
    /// Most `Received` fields before a message counts as going in circles: at least 100.
    pub max_hops: usize,
    /// Most messages in one session.
    pub max_messages: u64,
    /// Most commands since the last accepted message.
    pub max_commands: u64,
    /// Most refused commands in one session; one more ends it.
    pub max_errors: u32,
    /// Failed logins that end a session.
    pub max_failed_logins: u32,
    /// Policies: plugin instances that decide about connections, senders, recipients and messages, asked in this order. At
    /// most 20.
    pub policies: Vec<PolicyStep>,
}

/// Whom a listener serves.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum Role {
    /// Other servers, with mail for our users (port 25). It offers no login.
    Mx,
    /// Our users, who must log in (ports 587 and 465; RFC 6409).
    Submission,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            role: Role::Mx,
            max_message_size: 50 * 1024 * 1024,
            max_recipients: 1000,
            max_data_line: 64 * 1024,
            max_command_line: 4096,
            max_hops: 100,
            max_messages: 1_000_000,
            max_commands: 5000,
            max_errors: 20,
            max_failed_logins: 3,
            policies: Vec::new(),
        }
    }
}

impl Config {
    /// Finds limits below what RFC 5321 section 4.5.3.1 promises every client.
    pub fn check(&self, problems: &mut Problems) {
        let mut at_least = |key: &str, value: u64, least: u64, section: &str| {
            if value < least {
                problems.error(
                    format!("{key} is {value}, and RFC 5321 section {section} promises clients {least}"),
                    format!("set {key} to {least} or more, or leave it out"),
                );
            }
        };
        let octets = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        at_least("max_message_size", self.max_message_size, 64 * 1024, "4.5.3.1.7");
        at_least("max_recipients", octets(self.max_recipients), 100, "4.5.3.1.8");
        at_least("max_data_line", octets(self.max_data_line), 998, "4.5.3.1.6");
        at_least("max_command_line", octets(self.max_command_line), 512, "4.5.3.1.4");
        at_least("max_hops", octets(self.max_hops), 100, "6.3");
        policies::check(&self.policies, problems);
    }

    /// Whether a policy may want to read messages, which wait in a spool then.
    pub fn needs_spool(&self) -> bool {
        self.policies.iter().any(|step| step.allowed().has(Stage::EndOfMessage))
    }
}
