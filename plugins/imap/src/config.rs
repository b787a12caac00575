//! The plugin's section of the configuration. Every limit that a peer can run into has its key here.

use dovetail_sdk::Problems;
use serde::Deserialize;

/// An IMAP service.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Longest command in octets, with its literals but without the message of APPEND: at least 8192.
    pub max_command: usize,
    /// The same before somebody has logged in, in octets: at least 8192.
    pub max_command_before_login: usize,
    /// Largest message that APPEND takes, in octets.
    pub max_message_size: u64,
    /// Most refused commands in one session; one more ends it.
    pub max_errors: u32,
    /// Failed logins that end a session.
    pub max_failed_logins: u32,
    /// So many seconds a client has to log in: at least 1.
    pub login_seconds: u64,
    /// While a client is in IDLE it hears something at least so often, in seconds, so that no router on the way forgets
    /// the connection. 0: only what happens.
    pub idle_notify_seconds: u64,
    /// Octets of header fields that are kept in memory for SEARCH, over all mailboxes.
    pub search_memory: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            max_command: 256 * 1024,
            max_command_before_login: 8 * 1024,
            max_message_size: 50 * 1024 * 1024,
            max_errors: 50,
            max_failed_logins: 3,
            login_seconds: 180,
            idle_notify_seconds: 120,
            search_memory: 64 * 1024 * 1024,
        }
    }
}

impl Config {
    /// Finds limits that no client could live with.
    pub fn check(&self, problems: &mut Problems) {
        for (name, value) in
            [("max_command", self.max_command), ("max_command_before_login", self.max_command_before_login)]
        {
            if value < 8192 {
                problems.error(
                    format!("{name} is {value}, and RFC 7162 section 4 asks for 8192 octets"),
                    format!("set {name} to 8192 or more, or leave it out"),
                );
            }
        }
        if self.login_seconds == 0 {
            problems.error("login_seconds is 0: nobody could log in", "set it to 60 or more, or leave it out");
        }
    }
}
