//! STARTTLS (RFC 3207): TLS from here on, and everything forgotten that was said before.
//!
//! Bytes that a client sends behind this command without waiting for the reply end the connection: the line reader
//! gives its stream back only when its buffer is empty.

use std::io;

use dovetail_mail::EnhancedStatus;
use dovetail_sdk::protocol::StartTlsError;

use crate::conversation::{Conversation, Next};
use crate::reply::Reply;
use crate::state::{no_arguments, Rules, Tls};

/// `STARTTLS`.
#[derive(Debug, PartialEq, Eq)]
pub struct StartTls;

impl StartTls {
    /// Has no arguments.
    pub fn parse(args: &[u8]) -> Result<Self, Reply> {
        no_arguments(args).map(|()| StartTls)
    }

    /// Begins TLS. If that fails the connection ends, without a word in the clear.
    pub async fn run(self, conversation: &mut Conversation<'_>) -> io::Result<Next> {
        if let Err(refusal) = self.check(&conversation.rules) {
            return Ok(conversation.reply(&refusal));
        }
        let mut ready = Vec::new();
        self.ready().encode(&mut ready);
        match conversation.session.start_tls(&ready).await {
            Ok(()) => {
                conversation.start_over();
                Ok(Next::Go)
            }
            Err(StartTlsError::Io(error)) => Err(error),
            Err(error) => {
                tracing::info!(%error, "STARTTLS failed");
                Err(io::ErrorKind::ConnectionAborted.into())
            }
        }
    }

    /// Whether TLS may begin now.
    fn check(&self, rules: &Rules) -> Result<(), Reply> {
        match rules.tls {
            Tls::Offered => Ok(()),
            Tls::Active => Err(Reply::refuse(503, 5, 1, "TLS is on already")),
            Tls::Off => Err(Reply::refuse(502, 5, 1, "TLS is not offered here")),
        }
    }

    /// The last reply in the clear.
    fn ready(&self) -> Reply {
        Reply::new(220, EnhancedStatus::success(0, 0), "Ready to start TLS")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Role;
    use crate::state::testing::rules;
    use crate::testing::{mx, World};

    #[test]
    fn once_and_where_offered() {
        assert_eq!(StartTls.check(&rules(Role::Mx, Tls::Offered)), Ok(()));
        assert_eq!(StartTls.check(&rules(Role::Mx, Tls::Active)).unwrap_err().code(), 503);
        assert_eq!(StartTls.check(&rules(Role::Mx, Tls::Off)).unwrap_err().code(), 502);
        assert_eq!(StartTls.ready().code(), 220);
    }

    #[tokio::test]
    async fn everything_said_before_is_forgotten() {
        let script = r"
            S: 220 mx.example ESMTP Dovetail
            C: EHLO c
            C: MAIL FROM:<x@remote.example>
            C: STARTTLS
            S: 250-mx.example greets c
            S: 250-PIPELINING
            S: 250-8BITMIME
            S: 250-ENHANCEDSTATUSCODES
            S: 250-SIZE 52428800
            S: 250 STARTTLS
            S: 250 2.1.0 Sender ok
            S: 220 2.0.0 Ready to start TLS
            C: RCPT TO:<bob@example.org>
            S: 503 5.5.1 Say MAIL first
            C: MAIL FROM:<x@remote.example>
            S: 503 5.5.1 Say EHLO or HELO first
            C: STARTTLS
            S: 503 5.5.1 TLS is on already
            C: EHLO c
            S: 250-mx.example greets c
            S: 250-PIPELINING
            S: 250-8BITMIME
            S: 250-ENHANCEDSTATUSCODES
            S: 250 SIZE 52428800
        ";
        mx().talk(script).await.unwrap();
    }

    #[tokio::test]
    async fn pipelined_bytes_are_never_answered() {
        let script = "S: 220 mx.example ESMTP Dovetail\nC: STARTTLS\nC: NOOP\nS.";
        mx().talk(script).await.unwrap();
    }

    #[tokio::test]
    async fn a_listener_may_demand_tls() {
        let world = World { require_tls: true, ..mx() };
        let script = r"
            S: 220 mx.example ESMTP Dovetail
            C: HELO c
            C: MAIL FROM:<x@remote.example>
            C: RCPT TO:<bob@example.org>
            C: DATA
            C: RSET
            C: VRFY bob
            C: AUTH PLAIN
            C: NOOP
            S: 530 5.7.0 Must issue a STARTTLS command first
            S: 530 5.7.0 Must issue a STARTTLS command first
            S: 530 5.7.0 Must issue a STARTTLS command first
            S: 530 5.7.0 Must issue a STARTTLS command first
            S: 530 5.7.0 Must issue a STARTTLS command first
            S: 530 5.7.0 Must issue a STARTTLS command first
            S: 530 5.7.0 Must issue a STARTTLS command first
            S: 250 2.0.0 Ok
            C: EHLO c
            S: 250-mx.example greets c
            S: 250-PIPELINING
            S: 250-8BITMIME
            S: 250-ENHANCEDSTATUSCODES
            S: 250-SIZE 52428800
            S: 250 STARTTLS
            C: MAIL FROM:<x@remote.example>
            S: 530 5.7.0 Must issue a STARTTLS command first
            C: STARTTLS
            S: 220 2.0.0 Ready to start TLS
            C: HELO c
            S: 250 mx.example
            C: VRFY bob
            S: 252 2.5.0 Cannot verify; send the mail and see
            C: MAIL FROM:<x@remote.example>
            S: 250 2.1.0 Sender ok
        ";
        world.talk(script).await.unwrap();
    }
}
