//! A message that waits in the spool: policies are asked, and what they let pass is delivered from there.
//!
//! They see the message as the client sent it, with what the policies before them have changed. This server's own trace is put
//! on top of all that when the message is delivered: RFC 5321 section 4.4 has it at the beginning, so a field that a policy
//! added stands below the `Received` field of the server that asked it.
//!
//! **How it fails.** Until the delivery has answered, nothing was taken: whatever goes wrong here, the client keeps the message.

use dovetail_sdk::delivery::{Answer, DeliveryFailure, Verdict};
use dovetail_sdk::policy::{Question, Stage};
use dovetail_sdk::spool::{SpoolFailure, Spooled};
use dovetail_sdk::store::{Body, StoreFailure};

use super::Mail;
use crate::answer::{of_spool, of_store};
use crate::conversation::{Conversation, Next};
use crate::policy::Outcome;
use crate::reply::Reply;

impl Mail {
    /// Asks the policies about the whole message, and does what they say.
    pub(super) async fn decide(self, conversation: &mut Conversation<'_>, message: Spooled, size: u64) -> Next {
        let about = |question: &mut Question| question.message = Some(message);
        match conversation.ask(Stage::EndOfMessage, Some(&self.transaction), about).await {
            Outcome::Refused(refusal) => {
                conversation.services.figures.refused_by_policy(&refusal);
                self.log_as(conversation, size, &refusal, "message");
                conversation.reply(&refusal)
            }
            Outcome::Passed { fate, .. } if fate.discard => self.discard(conversation, size),
            Outcome::Passed { fate, message } => {
                let junk = self.transaction.fate.junk || fate.junk;
                let body = match &message {
                    Some(message) => self.move_on(conversation, message).await,
                    None => Err(gone()),
                };
                match body {
                    Ok(body) => {
                        // The spool's room is free again before the delivery begins to wait for the disk.
                        drop(message);
                        self.deliver(conversation, body, size, junk).await
                    }
                    Err(failure) => self.failed(conversation, size, &failure),
                }
            }
        }
    }

    /// Our trace and the spooled message, in the delivery's sink.
    async fn move_on(&self, conversation: &Conversation<'_>, message: &Spooled) -> Result<Body, DeliveryFailure> {
        let trace = self.trace(conversation).into_bytes();
        let length = message.length().map_err(spool_failed)?;
        let sink = self.begin(conversation, length.saturating_add(trace.len() as u64)).await?;
        sink.write(trace.into()).await.map_err(store_failed)?;
        let mut at = 0;
        while at < length {
            let piece = message.read(at, PIECE).await.map_err(spool_failed)?;
            if piece.is_empty() {
                return Err(gone());
            }
            at += piece.len() as u64;
            sink.write(piece).await.map_err(store_failed)?;
        }
        sink.seal().await.map_err(store_failed)
    }

    /// There is no room for the message, or no spool.
    pub(super) fn not_spooled(&self, conversation: &mut Conversation<'_>, size: u64, failure: &SpoolFailure) -> Next {
        tracing::error!(
            delivery = self.transaction.id,
            %failure,
            "message not taken: the spool does not take it; look for the cause in the spool's lines and limits"
        );
        let refusal = of_spool(failure);
        self.log(conversation, size, &refusal);
        conversation.reply(&refusal)
    }
}

fn spool_failed(failure: SpoolFailure) -> DeliveryFailure {
    said(&of_spool(&failure), failure.message)
}

fn store_failed(failure: StoreFailure) -> DeliveryFailure {
    said(&of_store(&failure), failure.message)
}

/// A policy that says nothing about a message leaves it as it is, so there always is one.
fn gone() -> DeliveryFailure {
    spool_failed(SpoolFailure {
        code: dovetail_sdk::spool::SpoolErrorCode::Failed,
        message: "the spool gave less than the whole message".to_owned(),
    })
}

/// A reply of ours as the delivery would have given it.
fn said(reply: &Reply, message: String) -> DeliveryFailure {
    let verdict = if reply.is_refusal() { Verdict::Reject } else { Verdict::Defer };
    let class = reply.code() / 100;
    let (subject, detail) = reply.enhanced().unwrap_or_default();
    let enhanced = format!("{class}.{subject}.{detail}");
    DeliveryFailure { answer: Answer { verdict, code: reply.code(), enhanced, text: reply.text().to_owned() }, message }
}

/// What is moved at a time.
const PIECE: u32 = 256 * 1024;
