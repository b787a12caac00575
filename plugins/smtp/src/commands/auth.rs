//! AUTH (RFC 4954): a login, by a mechanism that is offered.

use std::io;

use dovetail_mail::login::{log_in, Outcome, Request};
use dovetail_mail::sasl::SaslError;
use dovetail_mail::EnhancedStatus;
use dovetail_sdk::policy::{Question, Stage};
use dovetail_sdk::protocol::Login;

use crate::config::Role;
use crate::conversation::{Conversation, Next};
use crate::reply::Reply;
use crate::state::{Rules, State, Tls};

/// `AUTH mechanism [initial-response]`.
#[derive(PartialEq, Eq)]
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
            return Err(Reply::refuse(501, 5, 4, "Syntax: AUTH mechanism [initial-response]"));
        };
        let mechanism = std::str::from_utf8(name).map_err(|_| unknown_mechanism())?;
        Ok(Auth { mechanism, initial })
    }

    /// Logs in: challenges and responses, then the directory's word.
    pub async fn run(self, conversation: &mut Conversation<'_>) -> io::Result<Next> {
        if let Err(refusal) = self.check(&conversation.state, &conversation.rules) {
            return Ok(conversation.reply(&refusal));
        }
        let offer = conversation.offer();
        let Some(mechanism) = offer.find(self.mechanism) else {
            return Ok(conversation.reply(&unknown_mechanism()));
        };
        let request = Request { service: "smtp", mark: "334 ", mechanism, initial: self.initial };
        let directory = &conversation.services.directory;
        Ok(match log_in(&mut conversation.session, directory, &offer, request).await? {
            Outcome::Ended(login) => conclude(login, conversation).await,
            Outcome::NotUnderstood(error) => conversation.reply(&sasl_reply(error)),
            Outcome::BadLine(bad) => conversation.bad_line(bad),
        })
    }

    /// Whether a login may begin now.
    fn check(&self, state: &State, rules: &Rules) -> Result<(), Reply> {
        if !state.hello.as_ref().is_some_and(|hello| hello.extended) {
            return Err(Reply::refuse(503, 5, 1, "Say EHLO first"));
        }
        if rules.role != Role::Submission {
            return Err(Reply::refuse(502, 5, 1, "No logins here; use the submission port"));
        }
        if state.account.is_some() || state.transaction.is_some() {
            return Err(Reply::refuse(503, 5, 1, "Logged in already, or a mail has been begun"));
        }
        if rules.tls != Tls::Active && !rules.plaintext_auth {
            return Err(Reply::refuse(538, 7, 11, "Encryption required: say STARTTLS first"));
        }
        Ok(())
    }
}

async fn conclude(login: Login, conversation: &mut Conversation<'_>) -> Next {
    match login {
        Login::Accepted { account } => {
            let about = |question: &mut Question| question.account = Some(account.clone());
            match conversation.ask(Stage::Auth, None, about).await.fate() {
                Ok(fate) => {
                    conversation.state.login_fate = fate;
                    conversation.state.account = Some(account);
                    conversation.reply(&Reply::new(235, EnhancedStatus::success(7, 0), "Logged in"))
                }
                Err(refusal) => conversation.reply(&refusal),
            }
        }
        Login::Refused => {
            let next = conversation.reply(&sasl_reply(SaslError::Malformed));
            match conversation.counters.failed_login(conversation.config) {
                Err(goodbye) if next == Next::Go => conversation.goodbye(&goodbye),
                _ => next,
            }
        }
        Login::Unavailable => {
            let text = "Temporary authentication failure, try again later";
            conversation.reply(&Reply::defer(454, 7, 0, text))
        }
    }
}

fn unknown_mechanism() -> Reply {
    Reply::refuse(504, 5, 4, "Mechanism not known here")
}

impl std::fmt::Debug for Auth<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Auth").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}

/// What the client hears when its responses make no sense (RFC 4954 sections 4 and 6).
fn sasl_reply(error: SaslError) -> Reply {
    match error {
        SaslError::Cancelled => Reply::refuse(501, 7, 0, "Authentication cancelled"),
        SaslError::TooLong => Reply::refuse(500, 5, 6, "Response is too long"),
        SaslError::Malformed => Reply::refuse(535, 7, 8, "Authentication credentials invalid"),
        _ => Reply::refuse(501, 5, 2, "Response is not understood"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::testing::{greeted, in_mail, logged_in, rules};
    use crate::state::Hello;
    use crate::testing::{submission, World};

    #[test]
    fn reads_mechanism_and_response() {
        assert_eq!(Auth::parse(b"PLAIN"), Ok(Auth { mechanism: "PLAIN", initial: None }));
        assert_eq!(Auth::parse(b"login  YQ=="), Ok(Auth { mechanism: "login", initial: Some(b"YQ==") }));
        for (args, code) in [(&b""[..], 501), (b"PLAIN a b", 501), (b"\xff", 504)] {
            assert_eq!(Auth::parse(args).unwrap_err().code(), code, "{args:?}");
        }
    }

    #[test]
    fn only_for_users_under_tls_and_once() {
        let auth = Auth { mechanism: "PLAIN", initial: None };
        let check = |state: &State, rules: &Rules| auth.check(state, rules).map_err(|reply| reply.code());
        let tls = rules(Role::Submission, Tls::Active);
        assert_eq!(check(&greeted(), &tls), Ok(()));
        assert_eq!(check(&State::default(), &tls), Err(503));
        let helo = State { hello: Some(Hello { name: "x".into(), extended: false }), ..State::default() };
        assert_eq!(check(&helo, &tls), Err(503));
        assert_eq!(check(&logged_in(), &tls), Err(503));
        assert_eq!(check(&in_mail(&[]), &tls), Err(503));
        assert_eq!(check(&greeted(), &rules(Role::Mx, Tls::Active)), Err(502));
        let plain = rules(Role::Submission, Tls::Offered);
        assert_eq!(check(&greeted(), &plain), Err(538));
        assert_eq!(check(&greeted(), &Rules { plaintext_auth: true, ..plain }), Ok(()));
    }

    #[test]
    fn debug_shows_no_response() {
        assert!(!format!("{:?}", Auth::parse(b"PLAIN c2VjcmV0").unwrap()).contains("c2Vj"));
    }

    const HELLO: &str = "S: 220 mx.example ESMTP Dovetail\nC: EHLO c\nS: 250-mx.example greets c\nS: 250-PIPELINING\n\
        S: 250-8BITMIME\nS: 250-ENHANCEDSTATUSCODES\nS: 250-SIZE 52428800\nS: 250 AUTH PLAIN LOGIN\n";

    async fn talk(script: &str) -> World {
        let world = submission();
        world.talk(&format!("{HELLO}{script}")).await.unwrap();
        world
    }

    #[tokio::test]
    async fn login_step_by_step() {
        let script = r"
            C: AUTH LOGIN
            S: 334 VXNlcm5hbWU6
            C: YW5uQGV4YW1wbGUub3Jn
            S: 334 UGFzc3dvcmQ6
            C: c2VjcmV0
            S: 235 2.7.0 Logged in
            C: AUTH LOGIN
            S: 503 5.5.1 Logged in already, or a mail has been begun
        ";
        let world = talk(script).await;
        let reports = world.seen.reports.lock().unwrap();
        assert_eq!(reports.len(), 1);
        assert!(reports[0].accepted && reports[0].name == "ann@example.org" && reports[0].mechanism == "LOGIN");
    }

    #[tokio::test]
    async fn by_certificate_where_one_was_verified() {
        let hello = |certificate: &str| match certificate {
            "" => HELLO.to_owned(),
            _ => HELLO.replace("AUTH PLAIN", "AUTH EXTERNAL PLAIN"),
        };
        for (certificate, login, answer) in [
            ("ann", "AUTH EXTERNAL =", "235 2.7.0 Logged in"),
            ("ann", "AUTH external\nS: 334 \nC: ", "235 2.7.0 Logged in"),
            ("ann", "AUTH EXTERNAL Ym9i", "535 5.7.8 Authentication credentials invalid"),
            ("ann", "AUTH EXTERNAL\nS: 334 \nC: *", "501 5.7.0 Authentication cancelled"),
            ("bob", "AUTH EXTERNAL =", "535 5.7.8 Authentication credentials invalid"),
            ("broken", "AUTH EXTERNAL =", "454 4.7.0 Temporary authentication failure, try again later"),
            ("", "AUTH EXTERNAL =", "504 5.5.4 Mechanism not known here"),
        ] {
            let world = World { certificate, ..submission() };
            world.talk(&format!("{}C: {login}\nS: {answer}", hello(certificate))).await.unwrap();
            let reports = world.seen.reports.lock().unwrap();
            assert_eq!(reports.len(), usize::from(answer.starts_with("235") || answer.starts_with("535")), "{login}");
            assert!(reports.iter().all(|report| report.accepted == answer.starts_with("235")));
        }
    }

    #[tokio::test]
    async fn plain_after_a_challenge_and_cancelled() {
        let script = "C: AUTH PLAIN\nS: 334 \nC: *\nS: 501 5.7.0 Authentication cancelled\n\
                      C: AUTH PLAIN\nS: 334 \nC: AGFubkBleGFtcGxlLm9yZwBzZWNyZXQ=\nS: 235 2.7.0 Logged in\n";
        talk(script).await;
    }

    #[tokio::test]
    async fn failures_are_reported_and_limited() {
        let script = r"
            C: AUTH PLAIN AGFubkBleGFtcGxlLm9yZwB3cm9uZw==
            S: 535 5.7.8 Authentication credentials invalid
            C: AUTH PLAIN !
            S: 501 5.5.2 Response is not understood
            C: AUTH PLAIN AGJyb2tlbkBleGFtcGxlLm9yZwB4
            S: 454 4.7.0 Temporary authentication failure, try again later
            C: AUTH PLAIN AG5vYm9keQB4
            S: 535 5.7.8 Authentication credentials invalid
            C: AUTH PLAIN AG5vYm9keQB4
            S: 535 5.7.8 Authentication credentials invalid
            S: 421 4.7.0 Too many failed logins, closing connection
            S.
        ";
        let world = talk(script).await;
        let reports = world.seen.reports.lock().unwrap();
        assert_eq!(reports.len(), 3);
        assert!(reports.iter().all(|report| !report.accepted));
    }

    #[tokio::test]
    async fn what_is_not_offered_is_not_known() {
        let unknown = "S: 504 5.5.4 Mechanism not known here";
        talk(&format!("C: AUTH CRAM-MD5\n{unknown}\nC: AUTH SCRAM-SHA-256 biws\n{unknown}")).await;
    }

    #[tokio::test]
    async fn acting_as_somebody_else_is_the_directorys_to_allow() {
        talk("C: AUTH PLAIN Ym9iAGFubkBleGFtcGxlLm9yZwBzZWNyZXQ=\nS: 535 5.7.8 Authentication credentials invalid")
            .await;
    }
}
