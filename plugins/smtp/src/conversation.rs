//! A served connection: a loop over commands, and what they have in common. The commands are in [`crate::commands`].
//!
//! How it ends: by QUIT, at a limit (`421`), when the client is silent for too long (`421`), when the server stops (`421`,
//! after the mail that has been begun), or because the connection does. A mail whose data has not ended is thrown away.
//!
//! Bounds: one command line, or one piece of a message; see [`Config`] for the limits.

use std::io;
use std::pin::pin;

use dovetail_mail::login::Offer;
use dovetail_mail::sasl::Mechanism;
use dovetail_sdk::delivery::Delivery;
use dovetail_sdk::directory::Directory;
use dovetail_sdk::line::{is_departure, BadLine, Line};
use dovetail_sdk::policy::{Question, Stage};
use dovetail_sdk::protocol::{Session, SessionFailure};
use dovetail_sdk::Service;

use crate::commands::Command;
use crate::config::{Config, Role};
use crate::counters::Counters;
use crate::figures::Figures;
use crate::policy::{question, Chain, Fate, Outcome};
use crate::reply::Reply;
use crate::state::{Rules, State, Tls, Transaction};

/// What the conversation asks others for.
#[derive(Debug)]
pub struct Services {
    /// Who is this.
    pub directory: Service<Directory>,
    /// Where does the mail go.
    pub delivery: Service<Delivery>,
    /// May it.
    pub policies: Chain,
    /// What was there.
    pub figures: Figures,
}

/// One connection.
#[derive(Debug)]
pub struct Conversation<'a> {
    /// The connection itself.
    pub session: Session,
    /// Limits and role.
    pub config: &'a Config,
    /// Others.
    pub services: &'a Services,
    /// What holds on this connection now.
    pub rules: Rules,
    /// What the client has said.
    pub state: State,
    /// What it has used up.
    pub counters: Counters,
    /// What policies have said about all mails of this connection.
    fate: Fate,
    /// A policy took nothing from it: it may only go (RFC 5321 section 3.1).
    turned_away: bool,
    /// Messages begun, for their ids.
    begun: u64,
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
        let rules = rules(&session, config);
        Conversation {
            session,
            config,
            services,
            rules,
            state: State::default(),
            counters: Counters::default(),
            fate: Fate::default(),
            turned_away: false,
            begun: 0,
        }
    }

    /// Talks until the end.
    ///
    /// # Errors
    /// If something on our side of the connection breaks; a client that goes away is an ordinary end.
    pub async fn run(mut self) -> Result<(), SessionFailure> {
        match self.talk().await {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                self.reply(&Reply::defer(421, 4, 2, "Idle for too long, closing connection"));
                // The client may be gone for good: then this fails too, and nobody misses it.
                let _ = self.session.stream.close().await;
                Ok(())
            }
            Err(error) if is_departure(error.kind()) => Ok(()),
            Err(error) => Err(SessionFailure::new(format!("the connection failed: {error}"))),
        }
    }

    async fn talk(&mut self) -> io::Result<()> {
        if self.greet().await == Next::Close {
            return self.session.stream.close().await;
        }
        let mut draining = pin!(self.session.draining());
        loop {
            self.session.stream.flush_unless_pipelined().await?;
            let line = tokio::select! {
                biased;
                () = &mut draining, if self.state.transaction.is_none() => {
                    self.reply(&Reply::defer(421, 3, 2, "Server is shutting down, try again later"));
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

    /// Says who we are, or why we do not talk.
    async fn greet(&mut self) -> Next {
        let asked = self.ask(Stage::Connect, None, |_| {}).await;
        match asked.fate() {
            Ok(fate) => {
                self.fate = fate;
                self.reply(&Reply::bare(220, format!("{} ESMTP Dovetail", self.rules.hostname)))
            }
            Err(refusal) => {
                self.turned_away = true;
                self.reply(&refusal)
            }
        }
    }

    async fn command(&mut self, line: &[u8]) -> io::Result<Next> {
        if let Err(goodbye) = self.counters.command(self.config) {
            return Ok(self.goodbye(&goodbye));
        }
        let command = Command::parse(line);
        if let (Ok(command), Err(refusal), false) = (&command, self.rules.check_tls(), self.turned_away) {
            if !command.leads_to_tls() {
                return Ok(self.reply(&refusal));
            }
        }
        let reply = match command {
            Ok(Command::Quit(quit)) => return Ok(self.goodbye(&quit.run())),
            _ if self.turned_away => Reply::refuse(503, 5, 1, "No mail is taken from you here; say QUIT"),
            Err(refusal) => refusal,
            Ok(Command::Ehlo(ehlo)) => match self.hello(ehlo.name()).await {
                Ok(()) => {
                    let offer = self.offer();
                    ehlo.run(&mut self.state, &self.rules, &offer)
                }
                Err(refusal) => refusal,
            },
            Ok(Command::Helo(helo)) => match self.hello(helo.name()).await {
                Ok(()) => helo.run(&mut self.state, &self.rules),
                Err(refusal) => refusal,
            },
            Ok(Command::Rset(rset)) => rset.run(&mut self.state),
            Ok(Command::Noop(noop)) => noop.run(),
            Ok(Command::Vrfy(vrfy)) => vrfy.run(),
            Ok(Command::Mail(mail)) => mail.run(self).await,
            Ok(Command::Rcpt(rcpt)) => rcpt.run(self).await,
            // Large and rare beside the wait for a command: boxed, so that an idle session stays small.
            Ok(Command::Data(data)) => return Box::pin(data.run(self)).await,
            Ok(Command::Auth(auth)) => return Box::pin(auth.run(self)).await,
            Ok(Command::StartTls(starttls)) => return Box::pin(starttls.run(self)).await,
        };
        Ok(self.reply(&reply))
    }

    /// Asks policies about a client's name; a refusal leaves everything as it was (RFC 5321 section 4.1.4).
    async fn hello(&mut self, name: &str) -> Result<(), Reply> {
        let asked = self.ask(Stage::Helo, None, |question| question.helo = Some(name.to_owned())).await;
        self.state.hello_fate = asked.fate()?;
        Ok(())
    }

    /// By what a user can log in now.
    pub fn offer(&self) -> Offer {
        match self.rules.role {
            Role::Submission => Offer::of(&self.session, &self.services.directory, &PASSWORDS),
            Role::Mx => Offer::nothing(),
        }
    }

    /// What becomes of a mail that begins now.
    pub fn fate(&self) -> Fate {
        self.fate.and(self.state.hello_fate).and(self.state.login_fate)
    }

    /// Asks policies, unless it is about what will be thrown away; `more` adds what the state does not have yet.
    pub async fn ask(
        &self,
        stage: Stage,
        transaction: Option<&Transaction>,
        more: impl FnOnce(&mut Question),
    ) -> Outcome {
        match self.question(stage, transaction, more) {
            // Large and rare beside the wait for a command, see below.
            Some(question) => Box::pin(self.services.policies.ask(question)).await,
            None => Outcome::passed(),
        }
    }

    fn question(
        &self,
        stage: Stage,
        transaction: Option<&Transaction>,
        more: impl FnOnce(&mut Question),
    ) -> Option<Question> {
        // Another name or account may bring another fate.
        let fate = match stage {
            Stage::Helo => self.fate,
            Stage::Auth => self.fate.and(self.state.hello_fate),
            _ => transaction.map_or_else(|| self.fate(), |mail| mail.fate),
        };
        if fate.discard || !self.services.policies.may_ask(stage) {
            return None;
        }
        let mut question = question(self, stage, transaction);
        more(&mut question);
        Some(question)
    }

    /// Refuses what is no line. Behind a bare CR or LF nobody knows where a command begins, so nothing more is read.
    pub fn bad_line(&mut self, bad: BadLine) -> Next {
        match bad {
            BadLine::TooLong => self.reply(&Reply::refuse(500, 5, 6, "Line is too long")),
            BadLine::Nul => self.reply(&Reply::refuse(500, 5, 2, "NUL is not allowed in a command")),
            _ => self.goodbye(&Reply::refuse(500, 5, 2, "Bare CR or LF is not allowed; lines end with CRLF")),
        }
    }

    /// Queues a reply, and ends the conversation if it was one refusal too many, or one that says so (RFC 5321 section 3.8).
    pub fn reply(&mut self, reply: &Reply) -> Next {
        self.queue(reply);
        if reply.code() == CLOSING {
            return Next::Close;
        }
        match self.counters.replied(reply, self.config) {
            Ok(()) => Next::Go,
            Err(goodbye) => self.goodbye(&goodbye),
        }
    }

    /// Queues the last reply.
    pub fn goodbye(&mut self, reply: &Reply) -> Next {
        self.queue(reply);
        Next::Close
    }

    fn queue(&mut self, reply: &Reply) {
        let mut bytes = Vec::with_capacity(128);
        reply.encode(&mut bytes);
        self.session.stream.queue(&bytes);
    }

    /// An id for a message: the session's, which is never given again, and a number.
    pub fn next_id(&mut self) -> String {
        self.begun += 1;
        format!("{}.{}", self.session.info.id, self.begun)
    }

    /// TLS is on: starts over as if the client had just connected (RFC 3207 section 4.2), but for its limits.
    pub fn start_over(&mut self) {
        self.state = State::default();
        self.rules = rules(&self.session, self.config);
    }
}

/// The mechanisms by which a password is taken. LOGIN is never offered elsewhere: it is there for clients of submission that
/// know nothing else.
const PASSWORDS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];
/// What closes the connection, whoever says it.
const CLOSING: u16 = 421;

fn rules(session: &Session, config: &Config) -> Rules {
    Rules {
        role: config.role,
        hostname: session.info.hostname.clone(),
        max_message_size: config.max_message_size,
        max_recipients: config.max_recipients,
        tls: match (session.tls(), session.may_start_tls()) {
            (Some(_), _) => Tls::Active,
            (None, true) => Tls::Offered,
            (None, false) => Tls::Off,
        },
        require_tls: session.info.require_tls,
        plaintext_auth: session.may_take_password(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{mx, World};

    const GREETING: &str = "S: 220 mx.example ESMTP Dovetail\n";

    #[tokio::test]
    async fn bad_lines_are_refused_and_bare_newlines_end_it() {
        let long = "x".repeat(5000);
        let script = format!(
            "{GREETING}C: {long}\nS: 500 5.5.6 Line is too long\nC! NO\\0OP\\r\\n\nS: 500 5.5.2 NUL is not allowed in a command\n\
             C! NOOP\\nNOOP\\r\\n\nS: 500 5.5.2 Bare CR or LF is not allowed; lines end with CRLF\nS."
        );
        mx().talk(&script).await.unwrap();
    }

    #[tokio::test]
    async fn errors_and_commands_are_limited() {
        let world = World { config: Config { max_errors: 1, ..Config::default() }, ..mx() };
        let script = "C: X\nC: X\nC: X\nS: 500 5.5.2 Command not recognized\nS: 500 5.5.2 Command not recognized\n\
                      S: 421 4.7.0 Too many errors, closing connection\nS.";
        world.talk(&format!("{GREETING}{script}")).await.unwrap();
        let world = World { config: Config { max_commands: 1, ..Config::default() }, ..mx() };
        let script = "C: NOOP\nC: NOOP\nS: 250 2.0.0 Ok\nS: 421 4.7.0 Too many commands without a message, closing connection\nS.";
        world.talk(&format!("{GREETING}{script}")).await.unwrap();
    }

    #[tokio::test]
    async fn draining_waits_for_the_mail_that_was_begun() {
        let world = mx();
        world.seen.drain.notify_one();
        let script = "S: 220 mx.example ESMTP Dovetail\nS: 421 4.3.2 Server is shutting down, try again later\nS.";
        world.talk(script).await.unwrap();

        let world = mx();
        let before = format!("{GREETING}C: HELO c\nC: MAIL FROM:<>\nS: 250 mx.example\nS: 250 2.1.0 Sender ok\n");
        let (near, far) = tokio::io::duplex(1 << 16);
        let script = format!(
            "{before}D!\nC: RCPT TO:<bob@example.org>\nC: DATA\nS: 250 2.1.5 Recipient ok\nS: 354 Go ahead; end with CRLF.CRLF\n\
             C: x\nC: .\nS: 250 2.0.0 Delivered as s1.1\nS: 421 4.3.2 Server is shutting down, try again later\nS."
        );
        let (served, ()) = tokio::join!(world.serve(near), world.client(far, &script));
        served.unwrap();
        assert_eq!(world.delivered(), ["x\r\n"]);
    }

    #[tokio::test]
    async fn answers_to_pipelined_commands_leave_together() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let world = mx();
        let (near, mut far) = tokio::io::duplex(1 << 16);
        let client = async move {
            let mut got = vec![0; 4096];
            let n = far.read(&mut got).await.unwrap();
            assert!(got[..n].starts_with(b"220 "));
            far.write_all(b"NOOP\r\nRSET\r\nNOOP\r\n").await.unwrap();
            let n = far.read(&mut got).await.unwrap();
            assert_eq!(&got[..n], b"250 2.0.0 Ok\r\n250 2.0.0 Forgotten\r\n250 2.0.0 Ok\r\n");
        };
        let (served, ()) = tokio::join!(world.serve(near), client);
        served.unwrap();
    }
}
