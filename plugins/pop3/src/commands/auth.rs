//! AUTH (RFC 5034): a login by a mechanism of `dovetail_mail::sasl`; PLAIN is the one that is offered.

use std::io;

use dovetail_mail::sasl::{Credentials, Exchange, Mechanism, SaslError, Step, MAX_RESPONSE};
use dovetail_sdk::line::Line;
use dovetail_sdk::protocol::Claim;
use dovetail_sdk::Secret;

use crate::conversation::{Conversation, Next};
use crate::login::{log_in, wrong};
use crate::reply::Reply;

/// `AUTH mechanism [initial-response]`.
pub struct Auth<'a> {
    mechanism: Mechanism,
    /// In base64; holds a password.
    initial: Option<&'a [u8]>,
}

impl<'a> Auth<'a> {
    /// Reads mechanism and initial response.
    pub fn parse(args: &'a [u8]) -> Result<Self, Reply> {
        let mut words = args.split(|&b| b == b' ').filter(|word| !word.is_empty());
        let (Some(name), initial, None) = (words.next(), words.next(), words.next()) else {
            return Err(Reply::err("Syntax: AUTH mechanism [initial-response]"));
        };
        match std::str::from_utf8(name).ok().and_then(Mechanism::from_name) {
            Some(mechanism @ Mechanism::Plain) => Ok(Auth { mechanism, initial }),
            _ => Err(Reply::err("Mechanism not known here")),
        }
    }

    /// Logs in: challenges and responses, then the directory's word.
    pub async fn run(self, conversation: &mut Conversation<'_>) -> io::Result<Next> {
        if let Err(refusal) = conversation.rules.check_login(&conversation.state) {
            return Ok(conversation.reply(&refusal));
        }
        let mut exchange = Exchange::new(self.mechanism);
        let mut step = exchange.start(self.initial);
        loop {
            match step {
                Ok(Step::Challenge(challenge)) => {
                    conversation.session.stream.queue(format!("+ {challenge}\r\n").as_bytes());
                    match conversation.session.stream.read_line(MAX_RESPONSE).await? {
                        Line::Good(line) => step = exchange.respond(&line),
                        Line::Bad(bad) => return Ok(conversation.bad_line(bad)),
                        Line::End => return Err(io::ErrorKind::UnexpectedEof.into()),
                    }
                }
                Ok(Step::Check(Credentials::Password { act_as, identity, password })) => {
                    let mechanism = self.mechanism.name();
                    let password = Secret::new(password.expose().to_vec());
                    return Ok(log_in(Claim { identity, act_as, password, mechanism }, conversation).await);
                }
                Ok(_) => return Ok(conversation.reply(&sasl_reply(SaslError::Malformed))),
                Err(error) => return Ok(conversation.reply(&sasl_reply(error))),
            }
        }
    }
}

impl std::fmt::Debug for Auth<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Auth").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}

/// What the client hears when its responses make no sense (RFC 5034 section 4).
fn sasl_reply(error: SaslError) -> Reply {
    match error {
        SaslError::Cancelled => Reply::err("Authentication cancelled"),
        SaslError::Malformed => wrong(),
        _ => Reply::err("Response is not understood"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{world, World};

    #[test]
    fn reads_mechanism_and_response() {
        let auth = Auth::parse(b"plain AGEAYg==").unwrap();
        assert_eq!((auth.mechanism, auth.initial), (Mechanism::Plain, Some(&b"AGEAYg=="[..])));
        assert_eq!(Auth::parse(b"PLAIN").unwrap().initial, None);
        for bad in [&b""[..], b"LOGIN", b"PLAIN a b", b"\xff"] {
            assert!(Auth::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn debug_shows_no_response() {
        assert!(!format!("{:?}", Auth::parse(b"PLAIN AGEAYg==").unwrap()).contains("AGEA"));
    }

    #[tokio::test]
    async fn plain_with_and_without_initial_response() {
        for login in ["C: AUTH PLAIN AGFubgBzZWNyZXQ=", "C: AUTH PLAIN\nS: + \nC: AGFubgBzZWNyZXQ="] {
            let script =
                format!("S: +OK Dovetail POP3 ready\n{login}\nS: +OK 1 messages (1 octets)\nC: QUIT\nS: +OK Bye\nS.");
            world(&[b"x"]).talk(&script).await.unwrap();
        }
    }

    #[tokio::test]
    async fn cancelled_wrong_and_in_the_clear() {
        let script = r"
            S: +OK Dovetail POP3 ready
            C: AUTH PLAIN
            S: + 
            C: *
            S: -ERR Authentication cancelled
            C: AUTH PLAIN ???
            S: -ERR Response is not understood
            C: AUTH PLAIN AGFubgB3cm9uZw==
            S: -ERR [AUTH] Wrong name or password
            C: AUTH PLAIN YgBhbm4Ac2VjcmV0
            S: -ERR [AUTH] Wrong name or password
        ";
        world(&[]).talk(script).await.unwrap();
        let world = World { tls: false, ..world(&[]) };
        let script = "S: +OK Dovetail POP3 ready\nC: AUTH PLAIN AGFubgBzZWNyZXQ=\nC: USER ann\n\
                      S: -ERR Say STLS first: no logins in the clear\nS: -ERR Say STLS first: no logins in the clear";
        world.talk(script).await.unwrap();
        assert!(world.seen.reports.lock().unwrap().is_empty());
    }
}
