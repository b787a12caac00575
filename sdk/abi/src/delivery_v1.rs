//! `dovetail.delivery/1`: where an accepted message goes.

use crate::{store_v1::Body, store_v1::BodySink, wire_enum, wire_struct, CallFailure};

wire_enum! {
    /// What to tell the peer.
    pub enum Verdict: unknown Defer {
        /// Yes.
        Accept = 1,
        /// No, and never (5xx).
        Reject = 2,
        /// Not now (4xx).
        Defer = 3,
    }
}

wire_struct! {
    /// An answer for one recipient, ready to be put into the protocol's words.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Answer => AnswerAbi {
        /// What it comes to.
        pub verdict: Verdict,
        /// The reply code (RFC 5321 section 4.2).
        pub code: u16,
        /// The enhanced status code (RFC 3463), such as `5.1.1`.
        pub enhanced: String,
        /// The text for the peer; one line, no internals.
        pub text: String,
    }
}

wire_struct! {
    /// A recipient that a client asks for.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct RecipientRequest => RecipientRequestAbi {
        /// The recipient.
        pub recipient: String,
        /// The sender, empty for the null reverse-path.
        pub sender: String,
        /// The account that the client has logged in to.
        pub account: Option<String>,
        /// The size that the client announced, 0 if none.
        pub size: u64,
    }
}

wire_struct! {
    /// Who sends what to whom (RFC 5321 section 2.3.1).
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Envelope => EnvelopeAbi {
        /// The delivery's id: unique, in the log, and what makes a repeated delivery harmless.
        pub id: String,
        /// The sender, empty for the null reverse-path.
        pub sender: String,
        /// The recipients that were accepted.
        pub recipients: Vec<String>,
        /// The account that the client has logged in to.
        pub account: Option<String>,
        /// Whether a policy takes the message for junk: it goes to the mailbox for junk instead of INBOX.
        pub junk: bool,
    }
}

wire_struct! {
    /// The delivery cannot answer now.
    #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
    #[error("{message}")]
    pub struct DeliveryFailure => DeliveryFailureAbi {
        /// What the peer is told.
        pub answer: Answer,
        /// What happened, for the log.
        pub message: String,
    }
}

impl From<CallFailure> for DeliveryFailure {
    fn from(failure: CallFailure) -> Self {
        DeliveryFailure {
            answer: Answer {
                verdict: Verdict::Defer,
                code: 451,
                enhanced: "4.3.0".into(),
                text: "Temporary failure, try again later".into(),
            },
            message: failure.to_string(),
        }
    }
}

crate::interface! {
    /// Delivery of accepted messages.
    pub interface Delivery, provider DeliveryProvider, table DeliveryVt = "dovetail.delivery/1" {
        /// Whether a message for this recipient would be taken.
        later fn recipient(request: RecipientRequest) -> Result<Answer, DeliveryFailure>;
        /// Begins a message of about `size` octets (0: unknown).
        later fn begin(size: u64) -> Result<BodySink, DeliveryFailure>;
        /// Delivers the message; gives an answer for each recipient, in their order. Accepted means durable.
        later fn deliver(envelope: Envelope, body: Body) -> Result<Vec<Answer>, DeliveryFailure>;
    }
}
