//! What one session has used up of its limits.

use crate::config::Config;
use crate::reply::Reply;

/// Counts, each with a limit in [`Config`].
#[derive(Debug, Default)]
pub struct Counters {
    commands: u64,
    errors: u32,
    messages: u64,
    failed_logins: u32,
}

impl Counters {
    /// Counts a command, before it is looked at.
    ///
    /// # Errors
    /// The reply after which the connection ends.
    pub fn command(&mut self, config: &Config) -> Result<(), Reply> {
        self.commands += 1;
        if self.commands > config.max_commands {
            return Err(Reply::defer(421, 7, 0, "Too many commands without a message, closing connection"));
        }
        Ok(())
    }

    /// Counts a reply that was sent.
    ///
    /// # Errors
    /// The reply after which the connection ends.
    pub fn replied(&mut self, reply: &Reply, config: &Config) -> Result<(), Reply> {
        self.errors += u32::from(reply.is_refusal());
        if self.errors > config.max_errors {
            return Err(Reply::defer(421, 7, 0, "Too many errors, closing connection"));
        }
        Ok(())
    }

    /// Counts a login that failed.
    ///
    /// # Errors
    /// The reply after which the connection ends.
    pub fn failed_login(&mut self, config: &Config) -> Result<(), Reply> {
        self.failed_logins += 1;
        if self.failed_logins >= config.max_failed_logins {
            return Err(Reply::defer(421, 7, 0, "Too many failed logins, closing connection"));
        }
        Ok(())
    }

    /// Counts a message that was accepted: who delivers may go on talking.
    pub fn message(&mut self) {
        self.messages += 1;
        self.commands = 0;
    }

    /// Refuses a message beyond the session's share.
    ///
    /// # Errors
    /// The reply after which the connection ends.
    pub fn may_send(&self, config: &Config) -> Result<(), Reply> {
        if self.messages >= config.max_messages {
            return Err(Reply::defer(421, 7, 0, "Too many messages in one session, closing connection"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config { max_commands: 2, max_errors: 1, max_messages: 1, max_failed_logins: 2, ..Config::default() }
    }

    #[test]
    fn each_limit_ends_the_session() {
        let (config, mut counters) = (config(), Counters::default());
        assert_eq!(counters.command(&config), Ok(()));
        assert_eq!(counters.command(&config), Ok(()));
        assert_eq!(counters.command(&config).unwrap_err().code(), 421);
        let refusal = Reply::refuse(500, 5, 2, "no");
        assert_eq!(counters.replied(&refusal, &config), Ok(()));
        assert_eq!(counters.replied(&Reply::defer(450, 2, 0, "later"), &config), Ok(()));
        assert_eq!(counters.replied(&refusal, &config).unwrap_err().code(), 421);
        assert_eq!(counters.failed_login(&config), Ok(()));
        assert_eq!(counters.failed_login(&config).unwrap_err().code(), 421);
    }

    #[test]
    fn a_message_gives_new_commands() {
        let (config, mut counters) = (config(), Counters::default());
        counters.command(&config).unwrap();
        counters.command(&config).unwrap();
        assert_eq!(counters.may_send(&config), Ok(()));
        counters.message();
        assert_eq!(counters.command(&config), Ok(()));
        assert_eq!(counters.may_send(&config).unwrap_err().code(), 421);
    }
}
