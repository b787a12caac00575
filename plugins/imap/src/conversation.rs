//! A served connection: a loop over commands, and what they have in common. The commands are in [`crate::commands`].
//!
//! How it ends: by LOGOUT, at a limit, when nobody has logged in in time, when the client is silent for too long (the
//! listener's `idle_seconds`), when the server stops, or because the connection does.
//!
//! Bounds: one command, a batch of answers, and the list of UIDs of the selected mailbox; see [`Config`] for the limits.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use dovetail_imap_grammar::{Limits, ParseError, Request, Tag, TextMode};
use dovetail_mail::login::Offer;
use dovetail_mail::sasl::Mechanism;
use dovetail_sdk::directory::Directory;
use dovetail_sdk::line::{is_departure, BadLine, Line};
use dovetail_sdk::protocol::{Session, SessionFailure};
use dovetail_sdk::store::{Store, StoreFailure};
use dovetail_sdk::{time, Service};

use crate::answer::{Answer, Next};
use crate::capability::{self, Stage};
use crate::commands;
use crate::completion::{Completion, Status};
use crate::config::Config;
use crate::figures::Figures;
use crate::framing::{self, Input};
use crate::news::Ended;
use crate::search::cache::SearchCache;
use crate::selected::shared::SharedLists;
use crate::selected::Selected;
use crate::state::State;

/// What the conversation asks others for.
#[derive(Debug)]
pub struct Services {
    /// Who is this.
    pub directory: Service<Directory>,
    /// What have they got.
    pub store: Service<Store>,
    /// Lists of UIDs that sessions share.
    pub lists: Arc<SharedLists>,
    /// Header fields that searches share.
    pub search: Arc<SearchCache>,
    /// What is counted.
    pub figures: Figures,
    /// Which build of this library it is.
    pub build: String,
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
    /// Where it stands.
    pub state: State,
    /// The client said ENABLE IMAP4rev2.
    pub rev2: bool,
    /// Logins that failed.
    pub failed_logins: u32,
    errors: u32,
}

impl<'a> Conversation<'a> {
    /// A conversation that has not begun.
    pub fn new(session: Session, config: &'a Config, services: &'a Services) -> Self {
        let state = State::NotAuthenticated;
        Conversation { session, config, services, state, rev2: false, failed_logins: 0, errors: 0 }
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
        let greeting = format!("* OK [CAPABILITY {}] Dovetail IMAP ready\r\n", capability::list(&self.stage()));
        self.session.stream.queue(greeting.as_bytes());
        let mut draining = pin!(self.session.draining());
        let mut too_late = Some(Box::pin(time::sleep(Duration::from_secs(self.config.login_seconds))));
        loop {
            self.session.stream.flush_unless_pipelined().await?;
            let line = tokio::select! {
                biased;
                () = &mut draining => {
                    self.bye("UNAVAILABLE", "Server is shutting down, try again later");
                    break;
                }
                line = self.session.stream.read_line(max_line(&self.state, self.config)) => match line {
                    Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                        self.bye("UNAVAILABLE", "Silent for too long");
                        break;
                    }
                    line => line?,
                },
                () = passed(&mut too_late) => {
                    self.bye("UNAVAILABLE", "No login in time");
                    break;
                }
            };
            let next = match line {
                Line::Good(line) => tokio::select! {
                    biased;
                    // What every command passes is rare beside the wait for it: boxed, so that an idle session stays small.
                    next = Box::pin(self.line(line)) => next?,
                    // A client can also wait in the middle of a command.
                    () = passed(&mut too_late) => {
                        self.bye("UNAVAILABLE", "No login in time");
                        break;
                    }
                },
                Line::Bad(bad) => self.bad_line(bad),
                Line::End => return Ok(()),
            };
            if next == Next::Close {
                break;
            }
            if !matches!(self.state, State::NotAuthenticated) {
                too_late = None;
            }
        }
        self.session.stream.close().await
    }

    async fn line(&mut self, line: Vec<u8>) -> io::Result<Next> {
        let limits = self.limits();
        match Box::pin(framing::rest_of_command(&mut self.session.stream, line, &limits)).await? {
            Input::Command(command) => match Request::parse(&command, &limits) {
                Ok(request) => Box::pin(self.request(request)).await,
                Err(error) => Ok(self.not_understood(&error)),
            },
            Input::Append(head) => Box::pin(commands::append::run(self, head)).await,
            Input::NotUnderstood(error) => Ok(self.not_understood(&error)),
            Input::Bad(bad) => Ok(self.bad_line(bad)),
            Input::Misplaced(error) => {
                self.bye("CLIENTBUG", &error.to_string());
                Ok(Next::Close)
            }
            Input::TooLarge(command) => {
                let tag = command.split(|&b| b == b' ').next().and_then(Tag::new);
                Ok(self.refuse(tag.as_ref(), &Completion::no("TOOBIG", "The command is too long")))
            }
            Input::Flood => {
                self.bye("TOOBIG", "The command is too long");
                Ok(Next::Close)
            }
            Input::End => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// The grammar's limits here.
    pub fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        limits.command = max_line(&self.state, self.config);
        limits
    }

    /// Answers what could not be read.
    pub fn not_understood(&mut self, error: &ParseError) -> Next {
        self.refuse(error.tag.as_ref(), &Completion::bad(error.to_string()))
    }

    async fn request(&mut self, request: Request) -> io::Result<Next> {
        let Request { tag, command } = request;
        self.services.figures.command(&command);
        let answer = match self.state.check(&command) {
            Some(refusal) => Answer::quiet(refusal),
            None => commands::run(self, &tag, command).await?,
        };
        self.answer(&tag, answer).await
    }

    /// Tells news if that is allowed now, and the tagged line.
    pub async fn answer(&mut self, tag: &Tag, answer: Answer) -> io::Result<Next> {
        if let Some(say) = answer.say {
            if let Err(Ended) = self.tell(say, answer.own.as_ref()).await? {
                self.queue_completion(Some(tag), &answer.completion);
                return Ok(self.another_mailbox());
            }
        }
        if answer.next == Next::Answered {
            return Ok(Next::Go);
        }
        if answer.next == Next::Close {
            self.queue_completion(Some(tag), &answer.completion);
            return Ok(Next::Close);
        }
        Ok(self.refuse(Some(tag), &answer.completion))
    }

    /// Queues a tagged line (untagged if there is no tag), and ends the conversation if it was one refusal too many.
    fn refuse(&mut self, tag: Option<&Tag>, completion: &Completion) -> Next {
        self.queue_completion(tag, completion);
        self.errors += u32::from(completion.status == Status::Bad);
        if self.errors > self.config.max_errors {
            self.bye("CLIENTBUG", "Too many commands that are not understood");
            return Next::Close;
        }
        Next::Go
    }

    fn queue_completion(&mut self, tag: Option<&Tag>, completion: &Completion) {
        let mut line = Vec::with_capacity(64);
        completion.encode(tag.map_or(b"*".as_slice(), |tag| tag.as_str().as_bytes()), &mut line);
        self.session.stream.queue(&line);
    }

    /// Refuses what is no line. Its end was thrown away or cannot be trusted, and may have announced a literal: what follows
    /// cannot be told from commands, so nothing more is read.
    fn bad_line(&mut self, bad: BadLine) -> Next {
        match bad {
            BadLine::TooLong => self.bye("TOOBIG", "The line is too long"),
            BadLine::Nul => self.bye("CLIENTBUG", "NUL is not allowed in a command"),
            _ => self.bye("CLIENTBUG", "Bare CR or LF is not allowed; lines end with CRLF"),
        }
        Next::Close
    }

    /// Queues the untagged BYE.
    pub fn bye(&mut self, code: &str, text: &str) {
        self.session.stream.queue(format!("* BYE [{code}] {text}\r\n").as_bytes());
    }

    /// Where the session stands, as far as capabilities go.
    pub fn stage(&self) -> Stage {
        match self.state {
            State::NotAuthenticated => Stage::Before { start_tls: self.session.may_start_tls(), offer: self.offer() },
            _ => Stage::After,
        }
    }

    /// By what a user can log in now.
    pub fn offer(&self) -> Offer {
        Offer::of(&self.session, &self.services.directory, &[Mechanism::Plain])
    }

    /// The account that has logged in; empty before.
    pub fn account(&self) -> String {
        match &self.state {
            State::NotAuthenticated => String::new(),
            State::Authenticated { account } => account.clone(),
            State::Selected(selected) => selected.account.clone(),
        }
    }

    /// The selected mailbox.
    pub fn selected(&mut self) -> Option<&mut Selected> {
        match &mut self.state {
            State::Selected(selected) => Some(selected),
            _ => None,
        }
    }

    /// Leaves the selected mailbox.
    pub fn unselect(&mut self) {
        if let State::Selected(selected) = &mut self.state {
            let account = std::mem::take(&mut selected.account);
            self.state = State::Authenticated { account };
        }
    }

    /// The store, now. Waits for one that is just being restarted.
    ///
    /// # Errors
    /// If it is not there.
    pub async fn store(&self) -> Result<Store, StoreFailure> {
        Ok(self.services.store.ready().await?)
    }

    /// How names are written.
    pub fn mode(&self) -> TextMode {
        if self.rev2 {
            TextMode::Utf8
        } else {
            TextMode::Utf7
        }
    }

    /// TLS is on: starts over as if the client had just connected (RFC 9051 section 6.2.1), but for its limits.
    pub fn start_over(&mut self) {
        self.state = State::NotAuthenticated;
        self.rev2 = false;
    }
}

/// Waits for a timer; for ever if there is none.
async fn passed(timer: &mut Option<impl Future<Output = ()> + Unpin>) {
    match timer {
        Some(timer) => timer.await,
        None => std::future::pending().await,
    }
}

/// A command line may be so long, and with its literals too.
fn max_line(state: &State, config: &Config) -> usize {
    match state {
        State::NotAuthenticated => config.max_command_before_login,
        _ => config.max_command,
    }
}

/// The view of the selected mailbox cannot be kept up: the client must not go on with an old one.
pub fn lost(failure: &StoreFailure) -> io::Error {
    tracing::error!(%failure, "the selected mailbox cannot be read any more, connection ended");
    io::Error::new(io::ErrorKind::ConnectionAborted, "the selected mailbox cannot be read")
}
