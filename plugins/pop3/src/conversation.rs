//! A served connection: a loop over commands, and what they have in common. The commands are in [`crate::commands`].
//!
//! How it ends: by QUIT, at a limit, when the client is silent for too long (without a word, RFC 1939 section 3), when the
//! server stops before anybody has logged in, or because the connection does. Only QUIT deletes.
//!
//! Bounds: one command line, one piece of a message, and 16 octets a message; see [`Config`] for the limits.

use std::io;
use std::pin::pin;

use dovetail_mail::login::Offer;
use dovetail_mail::sasl::Mechanism;
use dovetail_sdk::directory::Directory;
use dovetail_sdk::line::{is_departure, BadLine, Line};
use dovetail_sdk::protocol::{Session, SessionFailure};
use dovetail_sdk::store::{Mailbox, Store};
use dovetail_sdk::Service;

use crate::commands::Command;
use crate::config::Config;
use crate::figures::Figures;
use crate::listing::Listing;
use crate::reply::{Code, Reply};
use crate::state::{Rules, State, Tls};

/// What the conversation asks others for.
#[derive(Debug)]
pub struct Services {
    /// Who is this.
    pub directory: Service<Directory>,
    /// What have they got.
    pub store: Service<Store>,
    /// What they took.
    pub figures: Figures,
}

/// One connection.
#[derive(Debug)]
pub struct Conversation<'a> {
    /// The connection itself.
    pub session: Session,
    /// Limits.
    pub config: &'a Config,
    /// Others.
    pub services: &'a Services,
    /// What holds on this connection now.
    pub rules: Rules,
    /// Where it stands.
    pub state: State,
    /// INBOX, after login.
    pub mailbox: Option<Mailbox>,
    /// Logins that failed.
    pub failed_logins: u32,
    errors: u32,
}

/// Whether the conversation goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It does.
    Go,
    /// The last reply has been given.
    Close,
}

impl<'a> Conversation<'a> {
    /// A conversation that has not begun.
    pub fn new(session: Session, config: &'a Config, services: &'a Services) -> Self {
        let rules = rules(&session);
        let state = State::Authorization { user: None };
        Conversation { session, config, services, rules, state, mailbox: None, failed_logins: 0, errors: 0 }
    }

    /// Talks until the end.
    ///
    /// # Errors
    /// If something on our side of the connection breaks; a client that goes away or falls silent is an ordinary end.
    pub async fn run(mut self) -> Result<(), SessionFailure> {
        match self.talk().await {
            Ok(()) => Ok(()),
            Err(error) if is_departure(error.kind()) => Ok(()),
            Err(error) => Err(SessionFailure::new(format!("the connection failed: {error}"))),
        }
    }

    async fn talk(&mut self) -> io::Result<()> {
        self.reply(&Reply::ok("Dovetail POP3 ready"));
        let mut draining = pin!(self.session.draining());
        loop {
            self.session.stream.flush_unless_pipelined().await?;
            let line = tokio::select! {
                biased;
                // Behind a login there is no polite way to say this: the client goes on until QUIT or the server's deadline.
                () = &mut draining, if matches!(self.state, State::Authorization { .. }) => {
                    self.goodbye(&Reply::coded(Code::SysTemp, "Server is shutting down, try again later"));
                    break;
                }
                line = self.session.stream.read_line(self.config.max_command_line) => line?,
            };
            let next = match line {
                Line::Good(line) => self.command(&line).await?,
                Line::Bad(bad) => self.bad_line(bad),
                Line::End => return Ok(()),
            };
            if next == Next::Close {
                break;
            }
        }
        self.session.stream.close().await
    }

    async fn command(&mut self, line: &[u8]) -> io::Result<Next> {
        let state = &mut self.state;
        let reply = match Command::parse(line) {
            Err(refusal) => Err(refusal),
            Ok(Command::User(user)) => user.run(state, &self.rules),
            Ok(Command::Stat(stat)) => stat.run(state),
            Ok(Command::Dele(dele)) => dele.run(state),
            Ok(Command::Rset(rset)) => rset.run(state),
            Ok(Command::Noop(noop)) => noop.run(state),
            Ok(Command::Capa(capa)) => {
                let mut list = Vec::new();
                let offer = self.offer();
                capa.run(&self.state, &self.rules, &offer, &mut list);
                self.session.stream.queue(&list);
                return Ok(Next::Go);
            }
            Ok(Command::List(list)) => {
                let answer = list.run(state);
                return self.list(answer).await;
            }
            Ok(Command::Uidl(uidl)) => {
                let answer = uidl.run(state);
                return self.list(answer).await;
            }
            Ok(Command::Retr(retr)) => return Box::pin(retr.run(self)).await,
            Ok(Command::Top(top)) => return Box::pin(top.run(self)).await,
            // Large and rare beside the wait for a command: boxed, so that an idle session stays small.
            Ok(Command::Pass(pass)) => return Box::pin(pass.run(self)).await,
            Ok(Command::Auth(auth)) => return Box::pin(auth.run(self)).await,
            Ok(Command::Stls(stls)) => return Box::pin(stls.run(self)).await,
            Ok(Command::Quit(quit)) => return Ok(Box::pin(quit.run(self)).await),
        };
        Ok(self.reply(&reply.unwrap_or_else(|refusal| refusal)))
    }

    /// Refuses what is no line. Behind a bare CR or LF nobody knows where a command begins, so nothing more is read.
    pub fn bad_line(&mut self, bad: BadLine) -> Next {
        match bad {
            BadLine::TooLong => self.reply(&Reply::err("Line is too long")),
            BadLine::Nul => self.reply(&Reply::err("NUL is not allowed in a command")),
            _ => self.goodbye(&Reply::err("Bare CR or LF is not allowed; lines end with CRLF")),
        }
    }

    /// Queues a reply, and ends the conversation if it was one refusal too many.
    pub fn reply(&mut self, reply: &Reply) -> Next {
        self.queue(reply);
        self.errors += u32::from(!reply.is_ok());
        if self.errors > self.config.max_errors {
            return Next::Close;
        }
        Next::Go
    }

    /// By what a user can log in now.
    pub fn offer(&self) -> Offer {
        Offer::of(&self.session, &self.services.directory, &[Mechanism::Plain])
    }

    /// Queues the last reply.
    pub fn goodbye(&mut self, reply: &Reply) -> Next {
        self.queue(reply);
        Next::Close
    }

    fn queue(&mut self, reply: &Reply) {
        let mut bytes = Vec::with_capacity(64);
        reply.encode(&mut bytes);
        self.session.stream.queue(&bytes);
    }

    /// Writes what LIST and UIDL say, a buffer at a time.
    async fn list(&mut self, answer: Result<(Reply, Option<Listing>), Reply>) -> io::Result<Next> {
        let (reply, listing) = match answer {
            Ok(answer) => answer,
            Err(refusal) => return Ok(self.reply(&refusal)),
        };
        let next = self.reply(&reply);
        if let (Some(mut listing), State::Transaction(maildrop)) = (listing, &self.state) {
            let mut more = true;
            while more {
                let mut lines = Vec::with_capacity(LISTING);
                more = listing.fill(maildrop, &mut lines, LISTING);
                self.session.stream.write(&lines).await?;
            }
        }
        Ok(next)
    }

    /// TLS is on: starts over as if the client had just connected (RFC 2595 section 4), but for its limits.
    pub fn start_over(&mut self) {
        self.state = State::Authorization { user: None };
        self.rules = rules(&self.session);
    }
}

fn rules(session: &Session) -> Rules {
    Rules {
        tls: match (session.tls(), session.may_start_tls()) {
            (Some(_), _) => Tls::Active,
            (None, true) => Tls::Offered,
            (None, false) => Tls::Off,
        },
        plaintext_auth: session.may_take_password(),
    }
}

/// So much of a listing is made at a time.
const LISTING: usize = 16 * 1024;

#[cfg(test)]
mod tests {

    use super::*;
    use crate::testing::{world, World, LOGIN};

    #[tokio::test]
    async fn bad_lines_are_refused_and_bare_newlines_end_it() {
        let long = "x".repeat(5000);
        let script = format!(
            "S: +OK Dovetail POP3 ready\nC: {long}\nS: -ERR Line is too long\nC! CA\\0PA\\r\\n\nS: -ERR NUL is not allowed in a command\n\
             C! CAPA\\nCAPA\\r\\n\nS: -ERR Bare CR or LF is not allowed; lines end with CRLF\nS."
        );
        world(&[]).talk(&script).await.unwrap();
    }

    #[tokio::test]
    async fn errors_are_limited() {
        let world = World { config: Config { max_errors: 1, ..Config::default() }, ..world(&[]) };
        let script =
            "S: +OK Dovetail POP3 ready\nC: X\nC: X\nC: CAPA\nS: -ERR Unknown command\nS: -ERR Unknown command\nS.";
        world.talk(script).await.unwrap();
    }

    #[tokio::test]
    async fn messages_are_limited() {
        let world =
            World { config: Config { max_messages: 3, ..Config::default() }, ..world(&[b"1", b"1", b"1", b"1"]) };
        world.talk(&format!("{LOGIN}S: +OK 3 messages (3 octets)")).await.unwrap();
    }

    #[tokio::test]
    async fn draining_ends_who_is_not_logged_in_and_nobody_else() {
        let script = "S: +OK Dovetail POP3 ready\nD!\nS: -ERR [SYS/TEMP] Server is shutting down, try again later\nS.";
        world(&[]).talk(script).await.unwrap();
        let script = "S: +OK 0 messages (0 octets)\nD!\nC: NOOP\nS: +OK\nC: QUIT\nS: +OK Bye\nS.";
        world(&[]).talk(&format!("{LOGIN}{script}")).await.unwrap();
    }

    #[tokio::test]
    async fn answers_to_pipelined_commands_leave_together() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let world = world(&[]);
        let (near, mut far) = tokio::io::duplex(1 << 16);
        let client = async move {
            let mut got = vec![0; 4096];
            let n = far.read(&mut got).await.unwrap();
            assert_eq!(&got[..n], b"+OK Dovetail POP3 ready\r\n");
            far.write_all(b"USER ann\r\nPASS secret\r\nSTAT\r\nNOOP\r\n").await.unwrap();
            let n = far.read(&mut got).await.unwrap();
            assert_eq!(&got[..n], b"+OK Now the password\r\n+OK 0 messages (0 octets)\r\n+OK 0 0\r\n+OK\r\n");
        };
        let (served, ()) = tokio::join!(world.serve(near), client);
        served.unwrap();
    }
}
