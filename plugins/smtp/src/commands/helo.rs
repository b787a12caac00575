//! HELO (RFC 5321 section 4.1.1.1): the greeting of clients without extensions.

use super::ehlo::hello_name;
use crate::reply::Reply;
use crate::state::{Hello, Rules, State};

/// `HELO name`.
#[derive(Debug, PartialEq, Eq)]
pub struct Helo {
    name: String,
}

impl Helo {
    /// Reads the argument.
    pub fn parse(args: &[u8]) -> Result<Self, Reply> {
        Ok(Helo { name: hello_name(args)? })
    }

    /// What the client calls itself.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Answers with our name, and forgets a mail that was begun.
    pub fn run(self, state: &mut State, rules: &Rules) -> Reply {
        state.transaction = None;
        state.hello = Some(Hello { name: self.name, extended: false });
        Reply::bare(250, rules.hostname.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Role;
    use crate::state::testing::{in_mail, rules};
    use crate::state::Tls;

    #[test]
    fn answers_in_one_line() {
        let mut state = in_mail(&[]);
        let reply = Helo::parse(b"old.example").unwrap().run(&mut state, &rules(Role::Mx, Tls::Offered));
        assert_eq!(reply, Reply::bare(250, "mx.example"));
        assert_eq!(state.hello, Some(Hello { name: "old.example".into(), extended: false }));
        assert_eq!(state.transaction, None);
    }

    #[test]
    fn wants_a_name() {
        assert_eq!(Helo::parse(b"").unwrap_err().code(), 501);
    }
}
