//! STLS (RFC 2595 section 4): TLS from here on, and everything forgotten that was said before.
//!
//! Bytes that a client sends behind this command without waiting for the reply end the connection: the line reader
//! gives its stream back only when its buffer is empty.

use std::io;

use dovetail_sdk::protocol::StartTlsError;

use crate::conversation::{Conversation, Next};
use crate::reply::Reply;
use crate::state::{no_arguments, Rules, State, Tls};

/// `STLS`.
#[derive(Debug)]
pub struct Stls;

impl Stls {
    /// Has no arguments.
    pub fn parse(args: &[u8]) -> Result<Self, Reply> {
        no_arguments(args).map(|()| Stls)
    }

    /// Begins TLS. If that fails the connection ends, without a word in the clear.
    pub async fn run(self, conversation: &mut Conversation<'_>) -> io::Result<Next> {
        if let Err(refusal) = self.check(&conversation.state, &conversation.rules) {
            return Ok(conversation.reply(&refusal));
        }
        match conversation.session.start_tls(b"+OK Begin TLS\r\n").await {
            Ok(()) => {
                conversation.start_over();
                Ok(Next::Go)
            }
            Err(StartTlsError::Io(error)) => Err(error),
            Err(error) => {
                tracing::info!(%error, "STLS failed");
                Err(io::ErrorKind::ConnectionAborted.into())
            }
        }
    }

    /// Whether TLS may begin now.
    fn check(&self, state: &State, rules: &Rules) -> Result<(), Reply> {
        match (state, rules.tls) {
            (State::Transaction(_), _) => Err(Reply::err("Logged in already")),
            (_, Tls::Active) => Err(Reply::err("TLS is on already")),
            (_, Tls::Off) => Err(Reply::err("TLS is not offered here")),
            (_, Tls::Offered) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::testing::{logged_in, nobody, CLEAR, TLS};
    use crate::testing::{world, World};

    #[test]
    fn once_before_login_and_where_offered() {
        assert_eq!(Stls.check(&nobody(), &CLEAR), Ok(()));
        assert!(Stls.check(&nobody(), &TLS).is_err());
        assert!(Stls.check(&nobody(), &Rules { tls: Tls::Off, ..CLEAR }).is_err());
        assert!(Stls.check(&logged_in(), &CLEAR).is_err());
    }

    #[tokio::test]
    async fn a_name_from_before_is_forgotten() {
        let world = World { tls: false, ..world(&[]) };
        let script = r"
            S: +OK Dovetail POP3 ready
            C: STLS
            S: +OK Begin TLS
            C: PASS secret
            S: -ERR Say USER first
            C: STLS
            S: -ERR TLS is on already
            C: USER ann
            C: PASS secret
            S: +OK Now the password
            S: +OK 0 messages (0 octets)
        ";
        world.talk(script).await.unwrap();
    }

    #[tokio::test]
    async fn pipelined_bytes_are_never_answered() {
        let world = World { tls: false, ..world(&[]) };
        world.talk("S: +OK Dovetail POP3 ready\nC: STLS\nC: CAPA\nS.").await.unwrap();
    }
}
