//! USER (RFC 1939 section 7): whose maildrop. The answer is the same whether there is such a user or not.

use dovetail_mail::sasl::MAX_IDENTITY;

use crate::reply::Reply;
use crate::state::{Rules, State};

/// `USER name`.
#[derive(Debug)]
pub struct User {
    name: String,
}

impl User {
    /// Reads the name.
    pub fn parse(args: &[u8]) -> Result<Self, Reply> {
        match std::str::from_utf8(args) {
            Ok(name) if (1..=MAX_IDENTITY).contains(&name.len()) && !name.chars().any(char::is_control) => {
                Ok(User { name: name.to_owned() })
            }
            _ => Err(Reply::err("Syntax: USER name")),
        }
    }

    /// Remembers the name for PASS.
    pub fn run(self, state: &mut State, rules: &Rules) -> Result<Reply, Reply> {
        rules.check_login(state)?;
        *state = State::Authorization { user: Some(self.name) };
        Ok(Reply::ok("Now the password"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::testing::{logged_in, nobody, CLEAR, TLS};

    #[test]
    fn remembers_the_name() {
        let mut state = nobody();
        assert!(User::parse(b"ann@b.org").unwrap().run(&mut state, &TLS).is_ok());
        assert!(matches!(&state, State::Authorization { user: Some(name) } if name == "ann@b.org"));
        assert!(User::parse(b"bob").unwrap().run(&mut state, &TLS).is_ok());
        assert!(matches!(&state, State::Authorization { user: Some(name) } if name == "bob"));
    }

    #[test]
    fn refused_in_the_clear_after_login_and_without_a_name() {
        let user = || User::parse(b"ann").unwrap();
        assert!(user().run(&mut nobody(), &CLEAR).is_err());
        assert!(user().run(&mut logged_in(), &TLS).is_err());
        let long = "x".repeat(400);
        for bad in [&b""[..], b"a\x07b", b"\xff", long.as_bytes()] {
            assert!(User::parse(bad).is_err(), "{bad:?}");
        }
    }
}
