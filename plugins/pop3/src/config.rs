//! The plugin's section of the configuration. Every limit that a peer can run into has its key here.

use dovetail_sdk::Problems;
use serde::Deserialize;

/// A POP3 service.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Longest command line in octets, line end not counted: at least 255.
    pub max_command_line: usize,
    /// Most messages that a session shows; what is beyond waits until others are gone.
    pub max_messages: usize,
    /// Most refused commands in one session; one more ends it.
    pub max_errors: u32,
    /// Failed logins that end a session.
    pub max_failed_logins: u32,
}

impl Default for Config {
    fn default() -> Self {
        Config { max_command_line: 4096, max_messages: 1_000_000, max_errors: 20, max_failed_logins: 3 }
    }
}

impl Config {
    /// Finds limits that no client could live with.
    pub fn check(&self, problems: &mut Problems) {
        if self.max_command_line < 255 {
            problems.error(
                format!("max_command_line is {}, and RFC 2449 section 4 promises clients 255", self.max_command_line),
                "set max_command_line to 255 or more, or leave it out",
            );
        }
    }
}
