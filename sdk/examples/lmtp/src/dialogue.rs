//! A served connection: a loop over commands, and what becomes of them.
//!
//! How it ends: by QUIT, after too many refused commands (`421`), when the client is silent for too long (`421`), when the
//! server stops (`421`, after a mail that was begun), or because the connection does. A message whose end did not come is
//! thrown away.

use std::io;
use std::pin::pin;

use dovetail_mail::address::ReversePath;
use dovetail_sdk::delivery::{Answer, Delivery, DeliveryFailure, Envelope, RecipientRequest, Verdict};
use dovetail_sdk::line::{is_departure, BadLine, Line};
use dovetail_sdk::protocol::{Session, SessionFailure};
use dovetail_sdk::store::{Body, BodySink};
use dovetail_sdk::{time, Service};

use crate::command::Command;
use crate::config::Config;
use crate::message::{too_large, End, Intake};
use crate::reply::Reply;
use crate::trace::Trace;

/// Longest command line in octets: more than the 512 of RFC 5321 section 4.5.3.1.4, with room for parameters.
const MAX_COMMAND: usize = 2000;

/// One connection.
pub struct Dialogue<'a> {
    session: Session,
    config: &'a Config,
    delivery: &'a Service<Delivery>,
    /// What the client calls itself, once it has.
    hello: Option<String>,
    mail: Option<Mail>,
    /// Commands refused so far.
    errors: u32,
    /// Mails begun so far, for their ids.
    begun: u64,
}

/// A mail that was begun.
struct Mail {
    /// The session's id, which is never given again, and a number.
    id: String,
    sender: ReversePath,
    announced: u64,
    /// In the order of their RCPTs, once for each (RFC 2033 section 4.2).
    recipients: Vec<String>,
}

/// Whether it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Go,
    Close,
}

impl<'a> Dialogue<'a> {
    /// One that has not begun.
    pub fn new(session: Session, config: &'a Config, delivery: &'a Service<Delivery>) -> Self {
        Dialogue { session, config, delivery, hello: None, mail: None, errors: 0, begun: 0 }
    }

    /// Talks until the end.
    ///
    /// # Errors
    /// If something on our side of the connection breaks; a client that goes away is an ordinary end.
    pub async fn run(mut self) -> Result<(), SessionFailure> {
        match self.talk().await {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                self.say(&Reply::new(421, (4, 2), "Idle for too long, closing connection"));
                // The client may be gone for good: then this fails too, and nobody misses it.
                let _ = self.session.stream.close().await;
                Ok(())
            }
            Err(error) if is_departure(error.kind()) => Ok(()),
            Err(error) => Err(SessionFailure::new(format!("the connection failed: {error}"))),
        }
    }

    async fn talk(&mut self) -> io::Result<()> {
        if self.session.info.require_tls && self.session.tls().is_none() {
            // There is no STARTTLS here, so nothing could follow (RFC 5321 section 3.1).
            self.say(&Reply::bare(554, "No LMTP without TLS here"));
            return self.session.stream.close().await;
        }
        self.say(&Reply::bare(220, format!("{} LMTP Dovetail", self.session.info.hostname)));
        let mut draining = pin!(self.session.draining());
        loop {
            self.session.stream.flush_unless_pipelined().await?;
            let line = tokio::select! {
                biased;
                () = &mut draining, if self.mail.is_none() => {
                    self.say(&Reply::new(421, (3, 2), "Server is shutting down, try again later"));
                    break;
                }
                line = self.session.stream.read_line(MAX_COMMAND) => line?,
            };
            let next = match line {
                Line::Good(line) => self.command(&line).await?,
                Line::Bad(BadLine::TooLong) => self.answer(&Reply::new(500, (5, 6), "Line is too long")),
                Line::Bad(bad) => {
                    // Where a command begins is not to be known any more.
                    self.say(&Reply::new(500, (5, 2), format!("Not understood: {bad}")));
                    Next::Close
                }
                Line::End => return Ok(()),
            };
            if next == Next::Close {
                break;
            }
        }
        self.session.stream.close().await
    }

    async fn command(&mut self, line: &[u8]) -> io::Result<Next> {
        let reply = match Command::parse(line) {
            Err(refusal) => refusal,
            Ok(Command::Lhlo(name)) => self.lhlo(name),
            Ok(Command::Mail(sender, announced)) => self.mail(sender, announced),
            Ok(Command::Rcpt(recipient)) => self.rcpt(recipient).await,
            Ok(Command::Data) => return self.data().await,
            Ok(Command::Rset) => {
                self.mail = None;
                Reply::new(250, (0, 0), "Forgotten")
            }
            Ok(Command::Noop) => Reply::new(250, (0, 0), "Ok"),
            // Nobody learns who has a mailbox here.
            Ok(Command::Vrfy) => Reply::new(252, (5, 0), "Cannot verify; send the mail and see"),
            Ok(Command::Quit) => {
                self.say(&Reply::new(221, (0, 0), "Bye"));
                return Ok(Next::Close);
            }
        };
        Ok(self.answer(&reply))
    }

    fn lhlo(&mut self, name: String) -> Reply {
        let (hostname, size) = (&self.session.info.hostname, self.config.max_message_size);
        let text = format!("{hostname} greets {name}\nPIPELINING\nENHANCEDSTATUSCODES\n8BITMIME\nSIZE {size}");
        self.hello = Some(name);
        self.mail = None;
        Reply::bare(250, text)
    }

    fn mail(&mut self, sender: ReversePath, announced: u64) -> Reply {
        if self.hello.is_none() {
            return Reply::new(503, (5, 1), "Say LHLO first");
        }
        if self.mail.is_some() {
            return Reply::new(503, (5, 1), "A mail has been begun already; RSET forgets it");
        }
        if announced > self.config.max_message_size {
            return too_large(self.config.max_message_size);
        }
        self.begun += 1;
        let id = format!("{}.{}", self.session.info.id, self.begun);
        self.mail = Some(Mail { id, sender, announced, recipients: Vec::new() });
        Reply::new(250, (1, 0), "Sender ok")
    }

    /// Takes a recipient if the delivery will. Whose mail that is, it knows alone.
    async fn rcpt(&mut self, recipient: String) -> Reply {
        let Some(mail) = &mut self.mail else {
            return Reply::new(503, (5, 1), "Say MAIL first");
        };
        if mail.recipients.len() >= self.config.max_recipients {
            return Reply::new(452, (5, 3), "Too many recipients; send the rest in another mail");
        }
        let request = RecipientRequest {
            recipient: recipient.clone(),
            sender: mail.sender_text(),
            account: None,
            size: mail.announced,
        };
        let answer = match self.delivery.ready().await {
            Ok(delivery) => delivery.recipient(request).await,
            Err(failure) => Err(failure.into()),
        };
        let answer = answer.unwrap_or_else(|failure| mail.failed(failure));
        if answer.verdict == Verdict::Accept {
            mail.recipients.push(recipient.clone());
        }
        Reply::of(&recipient, &answer)
    }

    /// The message. Whatever comes of it, the mail is over.
    async fn data(&mut self) -> io::Result<Next> {
        // RFC 2033 section 4.2: one recipient at least, or 503.
        let Some(mail) = self.mail.take_if(|mail| !mail.recipients.is_empty()) else {
            return Ok(self.answer(&Reply::new(503, (5, 1), "Say MAIL and RCPT first")));
        };
        let sink = match self.begin(mail.announced).await {
            Ok(sink) => sink,
            Err(failure) => {
                let answer = mail.failed(failure);
                return Ok(self.answer(&Reply::said(&answer)));
            }
        };
        self.say(&Reply::bare(354, "Go ahead; end with CRLF.CRLF"));
        let mut intake = Intake::new(self.config, sink, self.trace(&mail));
        let end = intake.read(&mut self.session.stream).await;
        let size = intake.size();
        let end = end.inspect_err(|error| {
            tracing::info!(delivery = mail.id, size, %error, "message discarded: the connection ended before it did");
        })?;
        let (replies, next) = match end {
            End::Whole(body) => (self.deliver(&mail, body).await, Next::Go),
            End::Refused(reply) => (vec![reply; mail.recipients.len()], Next::Go),
            End::Broken(reply) => (vec![reply; mail.recipients.len()], Next::Close),
        };
        for (recipient, reply) in mail.recipients.iter().zip(&replies) {
            let (delivery, sender) = (&mail.id, mail.sender_text());
            tracing::info!(delivery, sender, recipient, size, verdict = reply.code(), "message");
            self.say(reply);
        }
        Ok(next)
    }

    async fn begin(&self, size: u64) -> Result<BodySink, DeliveryFailure> {
        self.delivery.ready().await?.begin(size).await
    }

    /// Delivers, and gives a reply for each recipient. The delivery says "yes" of what is on disk, so a 250 is a promise that
    /// holds after a crash.
    async fn deliver(&self, mail: &Mail, body: Body) -> Vec<Reply> {
        let envelope = Envelope {
            id: mail.id.clone(),
            sender: mail.sender_text(),
            recipients: mail.recipients.clone(),
            account: None,
            junk: false,
        };
        // The one that the message was begun with: at a reload it is kept for that.
        let answers = match self.delivery.finishing().await {
            Ok(delivery) => delivery.deliver(envelope, body).await,
            Err(failure) => Err(failure.into()),
        };
        let answers = answers.unwrap_or_else(|failure| vec![mail.failed(failure); mail.recipients.len()]);
        let mut answers = answers.iter();
        let reply = |recipient: &String| match answers.next() {
            Some(answer) => Reply::of(recipient, answer),
            // A delivery that answers for fewer of them has taken the message for fewer of them.
            None => Reply::try_later(),
        };
        mail.recipients.iter().map(reply).collect()
    }

    fn trace(&self, mail: &Mail) -> String {
        let trace = Trace {
            sender: &mail.sender,
            hello: self.hello.as_deref().unwrap_or("unknown"),
            peer: self.session.info.peer.ip(),
            hostname: &self.session.info.hostname,
            tls: self.session.tls().is_some(),
            id: &mail.id,
            now: time::unix_milliseconds(),
        };
        trace.fields()
    }

    /// Answers a command, and ends it all if that was one refusal too many.
    fn answer(&mut self, reply: &Reply) -> Next {
        self.say(reply);
        self.errors += u32::from(reply.code() >= 500);
        if self.errors <= self.config.max_errors {
            return Next::Go;
        }
        self.say(&Reply::new(421, (7, 0), "Too many errors, closing connection"));
        Next::Close
    }

    /// Queues a reply; it leaves with others, before the next wait for a line (RFC 2920 section 3.2).
    fn say(&mut self, reply: &Reply) {
        self.session.stream.queue(&reply.encode());
    }
}

impl Mail {
    /// Empty for the null sender.
    fn sender_text(&self) -> String {
        self.sender.address().map(ToString::to_string).unwrap_or_default()
    }

    /// What the client is told when the delivery cannot answer; the rest is for the log.
    fn failed(&self, failure: DeliveryFailure) -> Answer {
        tracing::error!(delivery = self.id, %failure, "the client was told to try later; look for the cause in the lines of the delivery");
        failure.answer
    }
}
