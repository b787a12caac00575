//! `dovetail.policy/1`: decisions on the way of a mail: who may connect, send, to whom, and what becomes of the message.
//!
//! A policy is asked at the stages that it names, and each question says all that is known so far; so a policy that keeps
//! nothing of its own can decide, and one that was replaced in the middle of a session goes on where the other ended.

use crate::{spool_v1::Spooled, wire_enum, wire_struct, CallFailure};
use std::net::SocketAddr;

wire_enum! {
    /// When a policy is asked.
    pub enum Stage: unknown EndOfMessage {
        /// A client has connected, and nothing was said yet.
        Connect = 1,
        /// It has said HELO or EHLO (RFC 5321 section 4.1.1.1).
        Helo = 2,
        /// It has logged in (RFC 4954).
        Auth = 3,
        /// It has named a sender (MAIL, RFC 5321 section 4.1.1.2).
        Mail = 4,
        /// It has named a recipient (RCPT, section 4.1.1.3) that the delivery would take.
        Recipient = 5,
        /// The whole message is there (section 4.1.1.4), and nothing of it was delivered.
        EndOfMessage = 6,
    }
}

wire_struct! {
    /// What a policy is asked, with all that is known.
    #[derive(Debug, Clone)]
    pub struct Question => QuestionAbi {
        /// The stage.
        pub stage: Stage,
        /// The session's id, as in the log.
        pub session: String,
        /// The listener's name.
        pub listener: String,
        /// The client.
        pub peer: SocketAddr,
        /// The address that it connected to.
        pub local: SocketAddr,
        /// This server's name.
        pub hostname: String,
        /// The version of TLS, where there is TLS.
        pub tls: Option<String>,
        /// What the client calls itself.
        pub helo: Option<String>,
        /// Who has logged in.
        pub account: Option<String>,
        /// The transaction's id, as in the log: from MAIL on.
        pub transaction: Option<String>,
        /// The sender, empty for the null reverse-path: from MAIL on.
        pub sender: Option<String>,
        /// The size that the client announced: from MAIL on, if it did.
        pub size: Option<u64>,
        /// The recipient that is asked about: at RCPT.
        pub recipient: Option<String>,
        /// The recipients that were accepted before.
        pub recipients: Vec<String>,
        /// The message: at its end. It is what the client sent, with what policies before this one have changed of its header,
        /// and without the `Return-Path` and `Received` fields that this server puts on top of it later.
        pub message: Option<Spooled>,
    }
}

wire_enum! {
    /// What becomes of it.
    pub enum Decision: unknown Defer {
        /// It goes on: the next policy is asked.
        Accept = 1,
        /// It is refused for good (5xx).
        Reject = 2,
        /// It is refused for now (4xx).
        Defer = 3,
        /// It is taken and thrown away. At RCPT that recipient alone; before, the transactions of the session.
        Discard = 4,
        /// It goes on, and the message goes to the mailbox for junk of every recipient.
        Junk = 5,
    }
}

wire_struct! {
    /// The words of a refusal.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Reply => ReplyAbi {
        /// The reply code (RFC 5321 section 4.2): 5xx for `Reject`, 4xx for `Defer`. Another one is not used.
        pub code: u16,
        /// The enhanced status code (RFC 3463), such as `4.7.1`, of the same class.
        pub enhanced: String,
        /// The text for the peer; one line of printable ASCII, no internals.
        pub text: String,
    }
}

wire_enum! {
    /// What is done with a header field.
    pub enum HeaderAction: unknown Add {
        /// It is put on top of the header.
        Add = 1,
        /// All fields of this name are taken out.
        Remove = 2,
    }
}

wire_struct! {
    /// A change of a message's header (RFC 5322 section 2.2). `Received` fields are neither added nor removed (RFC 5321
    /// section 4.4), and no `Return-Path` is added: the server has its own.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct HeaderEdit => HeaderEditAbi {
        /// What is done.
        pub action: HeaderAction,
        /// The field's name.
        pub name: String,
        /// Its value, unfolded, of printable ASCII (RFC 2047 encodes the rest); empty to remove.
        pub value: String,
    }
}

wire_struct! {
    /// What a policy says.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct PolicyVerdict => PolicyVerdictAbi {
        /// What becomes of it.
        pub decision: Decision,
        /// What the client is told, of a refusal; without it the protocol's usual words.
        pub reply: Option<Reply>,
        /// Why, for the log.
        pub reason: String,
        /// Changes of the header, in this order; at the end of the message alone.
        pub headers: Vec<HeaderEdit>,
    }
}

impl PolicyVerdict {
    /// Nothing speaks against it.
    pub fn accept() -> Self {
        PolicyVerdict { decision: Decision::Accept, reply: None, reason: String::new(), headers: Vec::new() }
    }

    /// A decision, and why.
    pub fn new(decision: Decision, reason: impl Into<String>) -> Self {
        PolicyVerdict { decision, reason: reason.into(), ..PolicyVerdict::accept() }
    }

    /// With these words for the client.
    #[must_use]
    pub fn saying(mut self, code: u16, enhanced: impl Into<String>, text: impl Into<String>) -> Self {
        self.reply = Some(Reply { code, enhanced: enhanced.into(), text: text.into() });
        self
    }

    /// With a header field on top.
    #[must_use]
    pub fn adding(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push(HeaderEdit { action: HeaderAction::Add, name: name.into(), value: value.into() });
        self
    }

    /// Without the header fields of a name.
    #[must_use]
    pub fn removing(mut self, name: impl Into<String>) -> Self {
        self.headers.push(HeaderEdit { action: HeaderAction::Remove, name: name.into(), value: String::new() });
        self
    }
}

wire_struct! {
    /// A policy cannot say anything now. What the operator set for that case happens.
    #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
    #[error("{message}")]
    pub struct PolicyFailure => PolicyFailureAbi {
        /// What happened, for the log.
        pub message: String,
    }
}

impl From<CallFailure> for PolicyFailure {
    fn from(failure: CallFailure) -> Self {
        PolicyFailure { message: failure.to_string() }
    }
}

crate::interface! {
    /// A policy.
    pub interface Policy, provider PolicyProvider, table PolicyVt = "dovetail.policy/1" {
        /// The stages that it is asked at; it does not change while the instance runs.
        now fn stages() -> Result<Vec<Stage>, PolicyFailure>;
        /// Decides. The caller drops the future when it takes too long.
        later fn decide(question: Question) -> Result<PolicyVerdict, PolicyFailure>;
    }
}
