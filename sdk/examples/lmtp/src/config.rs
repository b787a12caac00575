//! The instance's section: what a client may use up.

use dovetail_sdk::Problems;
use serde::Deserialize;

/// An LMTP service.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Largest message in octets, announced with SIZE: at least 65536.
    pub max_message_size: u64,
    /// Most recipients of one message: at least 100.
    pub max_recipients: usize,
    /// Longest line of a message in octets, line end not counted: at least 998.
    pub max_data_line: usize,
    /// Most refused commands in one session; one more ends it.
    pub max_errors: u32,
}

impl Default for Config {
    fn default() -> Self {
        Config { max_message_size: 50 * 1024 * 1024, max_recipients: 1000, max_data_line: 64 * 1024, max_errors: 20 }
    }
}

impl Config {
    /// Finds limits below what RFC 5321 section 4.5.3.1 promises every client.
    pub fn check(&self, problems: &mut Problems) {
        let least = [
            ("max_message_size", self.max_message_size, 65536),
            ("max_recipients", self.max_recipients as u64, 100),
            ("max_data_line", self.max_data_line as u64, 998),
        ];
        for (name, value, least) in least {
            if value < least {
                problems.error(
                    format!("{name} is {value}, and RFC 5321 section 4.5.3.1 promises clients {least}"),
                    format!("set {name} to {least} or more, or leave it out"),
                );
            }
        }
    }
}
