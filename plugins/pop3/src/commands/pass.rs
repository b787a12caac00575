//! PASS (RFC 1939 section 7): the password behind USER. It may have spaces, so the whole rest of the line is it.

use std::io;

use dovetail_mail::sasl::MAX_PASSWORD;
use dovetail_sdk::protocol::Claim;
use dovetail_sdk::Secret;

use crate::conversation::{Conversation, Next};
use crate::login::log_in;
use crate::reply::Reply;
use crate::state::{Rules, State};

/// `PASS password`.
#[derive(Debug)]
pub struct Pass {
    password: Secret,
}

impl Pass {
    /// Reads the password.
    pub fn parse(args: &[u8]) -> Result<Self, Reply> {
        if args.is_empty() || args.len() > MAX_PASSWORD {
            return Err(Reply::err("Syntax: PASS password"));
        }
        Ok(Pass { password: Secret::new(args.to_vec()) })
    }

    /// Logs in.
    pub async fn run(self, conversation: &mut Conversation<'_>) -> io::Result<Next> {
        match self.credentials(&mut conversation.state, &conversation.rules) {
            Ok((identity, password)) => {
                Ok(log_in(Claim { identity, act_as: None, password, mechanism: "USER" }, conversation).await)
            }
            Err(refusal) => Ok(conversation.reply(&refusal)),
        }
    }

    /// Name and password to check. The name is forgotten: after a failure the client says USER again.
    fn credentials(self, state: &mut State, rules: &Rules) -> Result<(String, Secret), Reply> {
        rules.check_login(state)?;
        match state {
            State::Authorization { user } => match user.take() {
                Some(name) => Ok((name, self.password)),
                None => Err(Reply::err("Say USER first")),
            },
            State::Transaction(_) => Err(Reply::err("Logged in already")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::testing::{nobody, CLEAR, TLS};
    use crate::testing::{world, LOGIN};

    #[test]
    fn needs_a_user_each_time() {
        let pass = || Pass::parse(b" open sesame ").unwrap();
        assert!(pass().credentials(&mut nobody(), &TLS).is_err());
        let mut state = State::Authorization { user: Some("ann".to_owned()) };
        let (name, password) = pass().credentials(&mut state, &TLS).unwrap();
        assert_eq!((name.as_str(), password.expose()), ("ann", &b" open sesame "[..]));
        assert!(pass().credentials(&mut state, &TLS).is_err());
    }

    #[test]
    fn refused_in_the_clear_and_when_empty() {
        let mut state = State::Authorization { user: Some("ann".to_owned()) };
        assert!(Pass::parse(b"x").unwrap().credentials(&mut state, &CLEAR).is_err());
        assert!(Pass::parse(b"").is_err());
        assert!(Pass::parse(&[b'x'; MAX_PASSWORD + 1]).is_err());
    }

    #[test]
    fn debug_shows_no_password() {
        assert!(!format!("{:?}", Pass::parse(b"sesame").unwrap()).contains("sesame"));
    }

    #[tokio::test]
    async fn a_login_opens_the_maildrop() {
        let world = world(&[b"one", b"three", b"five!", b"7"]);
        world.talk(&format!("{LOGIN}S: +OK 4 messages (14 octets)\nC: STAT\nS: +OK 4 14")).await.unwrap();
        let reports = world.seen.reports.lock().unwrap();
        assert!(reports[0].accepted && reports[0].mechanism == "USER" && reports[0].name == "ann@example.org");
    }

    #[tokio::test]
    async fn failures_say_what_kind_they_are() {
        let world = world(&[]);
        let script = r"
            S: +OK Dovetail POP3 ready
            C: STAT
            S: -ERR Log in first
            C: PASS secret
            S: -ERR Say USER first
            C: USER broken
            C: PASS secret
            S: +OK Now the password
            S: -ERR [SYS/TEMP] Temporary failure, try again later
            C: USER empty
            C: PASS secret
            S: +OK Now the password
            S: -ERR [SYS/TEMP] The maildrop cannot be opened now, try again later
            C: USER ann
            C: PASS wrong
            S: +OK Now the password
            S: -ERR [AUTH] Wrong name or password
            C: USER eve
            C: PASS secret
            S: +OK Now the password
            S: -ERR [AUTH] Wrong name or password
            C: USER ann
            C: PASS secret
            S: +OK Now the password
            S: +OK 0 messages (0 octets)
        ";
        world.talk(script).await.unwrap();
    }

    #[tokio::test]
    async fn guessing_ends_the_session() {
        let world = world(&[]);
        let guess = "C: USER ann\nC: PASS guess\nS: +OK Now the password\nS: -ERR [AUTH] Wrong name or password\n";
        world.talk(&format!("S: +OK Dovetail POP3 ready\n{guess}{guess}{guess}S.")).await.unwrap();
        assert_eq!(world.seen.reports.lock().unwrap().iter().filter(|report| !report.accepted).count(), 3);
    }
}
