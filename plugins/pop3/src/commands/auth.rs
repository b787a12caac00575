//! AUTH (RFC 5034): a login by a mechanism that is offered.

use std::io;

use dovetail_mail::login::{log_in, Outcome, Request};
use dovetail_mail::sasl::SaslError;

use crate::conversation::{Conversation, Next};
use crate::login::{conclude, wrong};
use crate::reply::Reply;

/// `AUTH mechanism [initial-response]`.
pub struct Auth<'a> {
    mechanism: &'a str,
    /// In base64; may hold a password.
    initial: Option<&'a [u8]>,
}

impl<'a> Auth<'a> {
    /// Reads mechanism and initial response.
    pub fn parse(args: &'a [u8]) -> Result<Self, Reply> {
        let mut words = args.split(|&b| b == b' ').filter(|word| !word.is_empty());
        let (Some(name), initial, None) = (words.next(), words.next(), words.next()) else {
            return Err(Reply::err("Syntax: AUTH mechanism [initial-response]"));
        };
        let mechanism = std::str::from_utf8(name).map_err(|_| unknown_mechanism())?;
        Ok(Auth { mechanism, initial })
    }

    /// Logs in: challenges and responses, then the directory's word.
    pub async fn run(self, conversation: &mut Conversation<'_>) -> io::Result<Next> {
        if let Err(refusal) = conversation.rules.check_login(&conversation.state) {
            return Ok(conversation.reply(&refusal));
        }
        let offer = conversation.offer();
        let Some(mechanism) = offer.find(self.mechanism) else {
            return Ok(conversation.reply(&unknown_mechanism()));
        };
        let request = Request { service: "pop3", mark: "+ ", mechanism, initial: self.initial };
        let directory = &conversation.services.directory;
        Ok(match log_in(&mut conversation.session, directory, &offer, request).await? {
            Outcome::Ended(login) => conclude(login, conversation).await,
            Outcome::NotUnderstood(error) => conversation.reply(&sasl_reply(error)),
            Outcome::BadLine(bad) => conversation.bad_line(bad),
        })
    }
}

fn unknown_mechanism() -> Reply {
    Reply::err("Mechanism not known here")
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
        assert_eq!((auth.mechanism, auth.initial), ("plain", Some(&b"AGEAYg=="[..])));
        assert_eq!(Auth::parse(b"PLAIN").unwrap().initial, None);
        for bad in [&b""[..], b"PLAIN a b", b"\xff"] {
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
    async fn by_certificate_where_one_was_verified() {
        let hers = World { certificate: "ann", ..world(&[b"x"]) };
        for login in ["C: AUTH EXTERNAL =", "C: AUTH external\nS: + \nC: "] {
            let script =
                format!("S: +OK Dovetail POP3 ready\n{login}\nS: +OK 1 messages (1 octets)\nC: QUIT\nS: +OK Bye\nS.");
            hers.talk(&script).await.unwrap();
        }
        for (certificate, login, answer) in [
            ("", "=", "-ERR Mechanism not known here"),
            ("bob", "=", "-ERR [AUTH] Wrong name or password"),
            ("ann", "Ym9i", "-ERR [AUTH] Wrong name or password"),
            ("broken", "=", "-ERR [SYS/TEMP] Temporary failure, try again later"),
        ] {
            let world = World { certificate, ..world(&[]) };
            let script = format!("S: +OK Dovetail POP3 ready\nC: AUTH EXTERNAL {login}\nS: {answer}");
            world.talk(&script).await.unwrap();
            let reports = world.seen.reports.lock().unwrap();
            let refused = answer.contains("[AUTH]");
            assert_eq!(reports.len(), usize::from(refused), "{certificate}");
            assert!(reports.iter().all(|report| !report.accepted && report.mechanism == "EXTERNAL"));
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
            C: AUTH LOGIN
            S: -ERR Mechanism not known here
            C: AUTH SCRAM-SHA-256
            S: -ERR Mechanism not known here
        ";
        world(&[]).talk(script).await.unwrap();
        let world = World { tls: false, ..world(&[]) };
        let script = "S: +OK Dovetail POP3 ready\nC: AUTH PLAIN AGFubgBzZWNyZXQ=\nC: USER ann\n\
                      S: -ERR Say STLS first: no logins in the clear\nS: -ERR Say STLS first: no logins in the clear";
        world.talk(script).await.unwrap();
        assert!(world.seen.reports.lock().unwrap().is_empty());
    }
}
