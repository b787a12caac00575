//! DATA (RFC 5321 section 4.1.1.4): the message follows.

use std::io;

use ::time::{Duration, OffsetDateTime};
use dovetail_sdk::delivery::{DeliveryFailure, Envelope};
use dovetail_sdk::store::{Body, BodySink};
use dovetail_sdk::time;

use crate::answer;
use crate::conversation::{Conversation, Next};
use crate::data::{received, return_path, Intake, Intook, Taken, Target, Trace};
use crate::reply::Reply;
use crate::state::{no_arguments, State, Transaction};

mod spooled;

/// `DATA`.
#[derive(Debug, PartialEq, Eq)]
pub struct Data;

impl Data {
    /// Has no arguments.
    pub fn parse(args: &[u8]) -> Result<Self, Reply> {
        no_arguments(args).map(|()| Data)
    }

    /// Takes the message in and delivers it. Whatever comes of it, the transaction is over (section 4.1.1.4).
    pub async fn run(self, conversation: &mut Conversation<'_>) -> io::Result<Next> {
        if let Err(refusal) = self.check(&conversation.state) {
            return Ok(conversation.reply(&refusal));
        }
        if let Err(goodbye) = conversation.counters.may_send(conversation.config) {
            return Ok(conversation.goodbye(&goodbye));
        }
        let Some(transaction) = conversation.state.transaction.take() else {
            return Ok(Next::Go);
        };
        let mut mail = Mail { message_id: String::new(), transaction };
        let (target, top) = match mail.target(conversation).await {
            Ok(target) => target,
            Err(next) => return Ok(next),
        };
        conversation.reply(&Reply::bare(354, "Go ahead; end with CRLF.CRLF"));
        let mut intake = Intake::new(conversation.config, target, top, mail.transaction.size);
        let taken = intake.read(&mut conversation.session.stream).await;
        mail.message_id = intake.message_id().to_owned();
        let size = intake.size();
        match taken {
            Ok(Intook::Whole { taken: Taken::Body(body), size }) => {
                let junk = mail.transaction.fate.junk;
                Ok(mail.deliver(conversation, body, size, junk).await)
            }
            Ok(Intook::Whole { taken: Taken::Spooled(message), size }) => {
                Ok(mail.decide(conversation, message, size).await)
            }
            Ok(Intook::Whole { taken: Taken::Nothing, size }) => Ok(mail.discard(conversation, size)),
            Ok(Intook::Refused(refusal)) => {
                mail.log(conversation, size, &refusal);
                Ok(conversation.reply(&refusal))
            }
            Ok(Intook::Broken(refusal)) => {
                mail.log(conversation, size, &refusal);
                Ok(conversation.goodbye(&refusal))
            }
            Err(error) => {
                conversation.services.figures.lost();
                tracing::info!(
                    delivery = mail.transaction.id,
                    message_id = mail.message_id,
                    size,
                    %error,
                    "message discarded: the connection ended before it did; the client sends it again if it wants"
                );
                Err(error)
            }
        }
    }

    /// Whether a message may follow now.
    fn check(&self, state: &State) -> Result<(), Reply> {
        match &state.transaction {
            None => Err(Reply::refuse(503, 5, 1, "Say MAIL and RCPT first")),
            Some(transaction) if transaction.accepted() == 0 => Err(Reply::refuse(554, 5, 1, "No valid recipients")),
            Some(_) => Ok(()),
        }
    }
}

/// A mail whose message is coming.
pub(super) struct Mail {
    /// Its Message-ID, once it has come by.
    message_id: String,
    transaction: Transaction,
}

impl Mail {
    /// Where the message goes, and what goes on top of it there.
    async fn target(&self, conversation: &mut Conversation<'_>) -> Result<(Target, String), Next> {
        if self.transaction.is_discarded() {
            return Ok((Target::Nowhere, String::new()));
        }
        let size = self.transaction.size.unwrap_or_default();
        let Some(spool) = conversation.services.policies.spool().await else {
            let sink = self.begin(conversation, size).await;
            return match sink {
                Ok(sink) => Ok((Target::Delivery(sink), self.trace(conversation))),
                Err(failure) => Err(self.failed(conversation, 0, &failure)),
            };
        };
        let writer = match spool.ready().await {
            Ok(spool) => spool.begin(size).await,
            Err(failure) => Err(failure.into()),
        };
        match writer {
            Ok(writer) => Ok((Target::Spool(writer), String::new())),
            Err(failure) => Err(self.not_spooled(conversation, size, &failure)),
        }
    }

    async fn begin(&self, conversation: &Conversation<'_>, size: u64) -> Result<BodySink, DeliveryFailure> {
        conversation.services.delivery.ready().await?.begin(size).await
    }

    /// What goes on top of the message.
    fn trace(&self, conversation: &Conversation<'_>) -> String {
        let hello = conversation.state.hello.as_ref();
        let recipients = &self.transaction.recipients;
        let trace = Trace {
            hello: hello.map_or("unknown", |hello| hello.name.as_str()),
            extended: hello.is_some_and(|hello| hello.extended),
            peer: conversation.session.info.peer.ip(),
            hostname: &conversation.rules.hostname,
            tls: conversation.session.tls(),
            authenticated: conversation.state.account.is_some(),
            id: &self.transaction.id,
            recipient: recipients.first().filter(|_| recipients.len() == 1).map(String::as_str),
            date: now(),
        };
        return_path(&self.transaction.sender) + &received(&trace)
    }

    async fn deliver(self, conversation: &mut Conversation<'_>, body: Body, size: u64, junk: bool) -> Next {
        let envelope = Envelope {
            id: self.transaction.id.clone(),
            sender: self.transaction.sender_text(),
            recipients: self.transaction.recipients.clone(),
            account: conversation.state.account.clone(),
            junk,
        };
        let answers = match conversation.services.delivery.finishing().await {
            Ok(delivery) => delivery.deliver(envelope, body).await,
            Err(failure) => Err(failure.into()),
        };
        let answers = match answers {
            Ok(answers) => answers,
            Err(failure) => return self.failed(conversation, size, &failure),
        };
        let reply = match answer::of_all(&answers, self.transaction.recipients.len()) {
            Some(refusal) => refusal,
            None => self.taken(conversation),
        };
        self.log(conversation, size, &reply);
        conversation.reply(&reply)
    }

    /// What the client hears of a message that it need not keep.
    fn taken(&self, conversation: &mut Conversation<'_>) -> Reply {
        conversation.counters.message();
        Reply::ok(0, 0, format!("Delivered as {}", self.transaction.id))
    }

    /// Throws the message away. The client hears what it would hear of a delivery.
    fn discard(&self, conversation: &mut Conversation<'_>, size: u64) -> Next {
        let reply = self.taken(conversation);
        conversation.services.figures.discarded();
        self.log_as(conversation, size, &reply, "message discarded by a policy");
        conversation.reply(&reply)
    }

    fn failed(&self, conversation: &mut Conversation<'_>, size: u64, failure: &DeliveryFailure) -> Next {
        tracing::error!(
            delivery = self.transaction.id,
            %failure,
            "delivery failed: the client was told to try later; look for the cause in the lines of the delivery and of the store"
        );
        let reply = answer::reply(&failure.answer);
        self.log(conversation, size, &reply);
        conversation.reply(&reply)
    }

    /// The one line about this message, and its figures.
    fn log(&self, conversation: &Conversation<'_>, size: u64, reply: &Reply) {
        conversation.services.figures.message(reply, size);
        self.log_as(conversation, size, reply, "message");
    }

    fn log_as(&self, conversation: &Conversation<'_>, size: u64, reply: &Reply, what: &str) {
        tracing::info!(
            delivery = self.transaction.id,
            message_id = self.message_id,
            sender = self.transaction.sender_text(),
            recipients = self.transaction.recipients.join(","),
            account = conversation.state.account.as_deref().unwrap_or_default(),
            size,
            tls = conversation.session.tls_text(),
            verdict = reply.code(),
            "{what}"
        );
    }
}

/// By the host's clock.
fn now() -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH
        .checked_add(Duration::milliseconds(time::unix_milliseconds()))
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::state::testing::{greeted, in_mail};
    use crate::testing::{mx, World};

    #[test]
    fn needs_a_recipient() {
        assert_eq!(Data.check(&greeted()).unwrap_err().code(), 503);
        assert_eq!(Data.check(&in_mail(&[])).unwrap_err().code(), 554);
        assert_eq!(Data.check(&in_mail(&["a@b.org"])), Ok(()));
    }

    const ENVELOPE: &str = "S: 220 mx.example ESMTP Dovetail\nC: HELO c\nC: MAIL FROM:<x@remote.example>\n\
        C: RCPT TO:<bob@example.org>\nC: DATA\nS: 250 mx.example\nS: 250 2.1.0 Sender ok\nS: 250 2.1.5 Recipient ok\n\
        S: 354 Go ahead; end with CRLF.CRLF\n";

    async fn talk(world: &World, script: &str) {
        world.talk(&format!("{ENVELOPE}{script}")).await.unwrap();
    }

    #[tokio::test]
    async fn a_message_arrives_as_it_was_sent() {
        let world = mx();
        talk(
            &world,
            "C: Subject: x\nC:\nC: ..dot\nC: ....\nC: .\nC: NOOP\nS: 250 2.0.0 Delivered as s1.1\nS: 250 2.0.0 Ok",
        )
        .await;
        assert_eq!(world.delivered(), ["Subject: x\r\n\r\n.dot\r\n...\r\n"]);
        let (envelope, message) = &world.seen.messages.lock().unwrap()[0];
        assert_eq!((envelope.sender.as_str(), envelope.id.as_str()), ("x@remote.example", "s1.1"));
        let trace = String::from_utf8_lossy(message);
        assert!(trace.starts_with(
            "Return-Path: <x@remote.example>\r\nReceived: from c ([192.0.2.1])\r\n\tby mx.example with SMTP id s1.1\r\n\tfor <bob@example.org>;\r\n\tThu, 01 Jan 1970"
        ));
    }

    #[tokio::test]
    async fn a_large_message_goes_through_in_pieces() {
        let world = mx();
        let line = "x".repeat(76);
        let mut script = String::new();
        (0..4000).for_each(|_| script.push_str(&format!("C: {line}\n")));
        talk(&world, &format!("{script}C: .\nS: 250 2.0.0 Delivered as s1.1")).await;
        assert_eq!(world.delivered()[0], format!("{line}\r\n").repeat(4000));
    }

    #[tokio::test]
    async fn a_second_mail_on_the_same_connection_starts_empty() {
        let world = mx();
        let script = r"
            C: one
            C: .
            C: DATA
            C: MAIL FROM:<>
            C: RCPT TO:<eve@example.org>
            C: DATA
            S: 250 2.0.0 Delivered as s1.1
            S: 503 5.5.1 Say MAIL and RCPT first
            S: 250 2.1.0 Sender ok
            S: 250 2.1.5 Recipient ok
            S: 354 Go ahead; end with CRLF.CRLF
            C: two
            C: .
            C: QUIT
            S: 250 2.0.0 Delivered as s1.2
            S: 221 2.0.0 Bye
            S.
        ";
        talk(&world, script).await;
        assert_eq!(world.delivered(), ["one\r\n", "two\r\n"]);
        assert_eq!(world.seen.messages.lock().unwrap()[1].0.recipients, ["eve@example.org"]);
    }

    #[tokio::test]
    async fn smuggling_ends_the_connection_and_delivers_nothing() {
        for raw in [r"a\n.\r\nMAIL FROM:<evil@x.example>\r\n", r"a\r\n.\n", r"a\r.\r\n"] {
            let world = mx();
            let lf = raw.contains(r"\n.\r") || raw.contains(r".\n");
            let text = match lf {
                true => "554 5.6.0 the message has an LF without CR; lines end with CRLF",
                false => "554 5.6.0 the message has a CR without LF; lines end with CRLF",
            };
            talk(&world, &format!("C! {raw}\nS: {text}\nS.")).await;
            assert!(world.delivered().is_empty());
            assert_eq!(*world.seen.open_sinks.lock().unwrap(), 0);
        }
    }

    #[tokio::test]
    async fn an_unfinished_message_is_discarded() {
        let world = mx();
        talk(&world, r"C! Subject: x\r\n\r\nhalf\r\n.").await;
        assert!(world.delivered().is_empty());
        assert_eq!(*world.seen.open_sinks.lock().unwrap(), 0);
    }

    #[tokio::test]
    async fn limits_on_content_are_told_at_its_end() {
        let base = mx();
        let small = Config { max_message_size: 30, max_data_line: 20, max_hops: 1, ..base.config };
        let world = World { config: small, ..mx() };
        for (script, reply) in [
            ("C: 123456789012\nC: 123456789012\nC: 1234", "552 5.3.4 Message is larger than 30 octets"),
            ("C: 123456789012345678901", "554 5.6.0 The message has a line of more than 20 octets"),
            ("C: Received: 1\nC: received: 2", "554 5.4.6 Too many Received fields: the message goes in circles"),
            ("C: break the sink", "452 4.3.1 No room for messages at the moment, try again later"),
        ] {
            talk(&world, &format!("{script}\nC: .\nC: NOOP\nS: {reply}\nS: 250 2.0.0 Ok")).await;
        }
        assert!(world.delivered().is_empty());
    }

    #[tokio::test]
    async fn a_client_that_never_ends_is_cut_off() {
        let world = World { config: Config { max_message_size: 1000, ..Config::default() }, ..mx() };
        let script = "C: 1234567890\n".repeat(20_000);
        talk(&world, &format!("{script}S: 552 5.3.4 Message is larger than 1000 octets\nS.")).await;
    }

    #[tokio::test]
    async fn one_recipient_that_must_wait_makes_the_client_keep_the_message() {
        for (name, reply) in [("later", "452 4.2.2 Mailbox is full"), ("refuses", "550 5.7.0 Not wanted")] {
            let script = format!(
                "S: 220 mx.example ESMTP Dovetail\nC: HELO c\nC: MAIL FROM:<>\nC: RCPT TO:<bob@example.org>\n\
                 C: RCPT TO:<{name}@example.org>\nC: DATA\nS: 250 mx.example\nS: 250 2.1.0 Sender ok\nS: 250 2.1.5 Recipient ok\n\
                 S: 250 2.1.5 Recipient ok\nS: 354 Go ahead; end with CRLF.CRLF\nC: x\nC: .\nS: {reply}"
            );
            mx().talk(&script).await.unwrap();
        }
    }
}
