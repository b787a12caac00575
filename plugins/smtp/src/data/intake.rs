//! Moves a message from the connection to where it goes, piece by piece: into the delivery's sink, or into a spool where policies
//! read it first, or nowhere.
//!
//! How it fails: a message that must be refused (too large, going in circles, a line too long, a sink that fails) is read to
//! its end without being kept, so that the client hears why; if it doesn't end soon, or has a bare CR or LF, the connection
//! ends. A connection that ends before the message does leaves nothing behind.
//!
//! Bounds: one piece of [`PIECE`] octets; as much again as the size limit is read from a message that is refused.

use std::io;

use dovetail_sdk::line::LineStream;
use dovetail_sdk::spool::{SpoolWriter, Spooled};
use dovetail_sdk::store::{Body, BodySink};

use super::{Decoder, HopCounter, MessageId, Piece};
use crate::answer::{of_spool, of_store, try_later};
use crate::config::Config;
use crate::reply::Reply;

/// One message on its way.
pub struct Intake<'a> {
    config: &'a Config,
    decoder: Decoder,
    hops: HopCounter,
    message_id: MessageId,
    /// Where it goes; nowhere any more once it is refused.
    target: Option<Target>,
    piece: Vec<u8>,
    size: u64,
    refusal: Option<Reply>,
}

/// Where a message goes.
pub enum Target {
    /// To the delivery.
    Delivery(BodySink),
    /// Into the spool.
    Spool(SpoolWriter),
    /// Nowhere: it is thrown away.
    Nowhere,
}

/// A message that is whole.
pub enum Taken {
    /// For the delivery.
    Body(Body),
    /// For policies to read.
    Spooled(Spooled),
    /// Thrown away.
    Nothing,
}

/// How it ended.
pub enum Intook {
    /// Whole, where it should go, sealed.
    Whole {
        /// It.
        taken: Taken,
        /// Octets as the client sent them, dots undoubled.
        size: u64,
    },
    /// Read to its end and refused.
    Refused(Reply),
    /// Not read to its end: this is the connection's last reply.
    Broken(Reply),
}

impl<'a> Intake<'a> {
    /// A message that will begin with `top`.
    pub fn new(config: &'a Config, target: Target, top: String, announced: Option<u64>) -> Self {
        let mut piece = top.into_bytes();
        // Enough for the whole message if that is small; an announcement reserves no more than a piece.
        let expected = announced.unwrap_or(EXPECTED).min(PIECE as u64);
        piece.reserve(usize::try_from(expected).unwrap_or(PIECE));
        Intake {
            config,
            decoder: Decoder::new(config.max_data_line),
            hops: HopCounter::default(),
            message_id: MessageId::default(),
            target: Some(target),
            piece,
            size: 0,
            refusal: None,
        }
    }

    /// Reads the message to its end.
    ///
    /// # Errors
    /// As the stream gives them; `UnexpectedEof` if it ends first. What it went into is dropped then, and with it the message.
    pub async fn read(&mut self, stream: &mut LineStream) -> io::Result<Intook> {
        loop {
            if stream.buffered().is_empty() && !stream.fill().await? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let buffered = stream.buffered();
            let mut used = 0;
            let ended = loop {
                let (count, piece) = match self.decoder.next(&buffered[used..]) {
                    Ok(step) => step,
                    Err(error) => return Ok(Intook::Broken(Reply::refuse(554, 6, 0, error.to_string()))),
                };
                used += count;
                match piece {
                    Piece::Content(content) => self.content(content).await,
                    Piece::NeedMore => break false,
                    Piece::End => break true,
                }
            };
            stream.consume(used);
            if ended {
                return Ok(self.seal().await);
            }
            if self.size > self.config.max_message_size.saturating_mul(2) {
                return Ok(Intook::Broken(
                    self.refusal.take().unwrap_or_else(|| too_big(self.config.max_message_size)),
                ));
            }
        }
    }

    /// The Message-ID that has come by; empty if none has.
    pub fn message_id(&self) -> &str {
        self.message_id.text()
    }

    /// Octets of the message so far, as the client sent them, dots undoubled.
    pub fn size(&self) -> u64 {
        self.size
    }

    async fn content(&mut self, content: &[u8]) {
        self.size = self.size.saturating_add(content.len() as u64);
        self.hops.feed(content);
        self.message_id.feed(content);
        if self.refusal.is_some() {
            return;
        }
        if self.size > self.config.max_message_size {
            return self.refuse(too_big(self.config.max_message_size));
        }
        if self.hops.hops() > self.config.max_hops {
            return self.refuse(Reply::refuse(554, 4, 6, "Too many Received fields: the message goes in circles"));
        }
        if self.decoder.line_too_long() {
            let text = format!("The message has a line of more than {} octets", self.config.max_data_line);
            return self.refuse(Reply::refuse(554, 6, 0, text));
        }
        self.piece.extend_from_slice(content);
        if self.piece.len() >= PIECE {
            let next = Vec::with_capacity(PIECE + READ_AHEAD);
            let piece = std::mem::replace(&mut self.piece, next);
            self.write(piece).await;
        }
    }

    async fn write(&mut self, piece: Vec<u8>) {
        let refusal = match &self.target {
            Some(Target::Delivery(sink)) => sink.write(piece.into()).await.err().map(|failure| {
                tracing::error!(%failure, "message not taken: its body cannot be written; the client was told to try later, look for the cause in the store's lines");
                of_store(&failure)
            }),
            Some(Target::Spool(writer)) => writer.write(piece.into()).await.err().map(|failure| {
                tracing::error!(%failure, "message not taken: the spool does not take it; look for the cause in the spool's lines and limits");
                of_spool(&failure)
            }),
            Some(Target::Nowhere) | None => None,
        };
        if let Some(refusal) = refusal {
            self.refuse(refusal);
        }
    }

    fn refuse(&mut self, reply: Reply) {
        self.refusal = Some(reply);
        self.target = None;
        self.piece = Vec::new();
    }

    async fn seal(&mut self) -> Intook {
        if self.refusal.is_none() {
            let piece = std::mem::take(&mut self.piece);
            self.write(piece).await;
        }
        let sealed = match self.target.take() {
            None => return Intook::Refused(self.refusal.take().unwrap_or_else(try_later)),
            Some(Target::Nowhere) => Ok(Taken::Nothing),
            Some(Target::Delivery(sink)) => sink.seal().await.map(Taken::Body).map_err(|failure| {
                tracing::error!(%failure, "message not taken: its body cannot be completed; the client was told to try later, look for the cause in the store's lines");
                of_store(&failure)
            }),
            Some(Target::Spool(writer)) => writer.seal().await.map(Taken::Spooled).map_err(|failure| {
                tracing::error!(%failure, "message not taken: the spool does not complete it; look for the cause in the spool's lines");
                of_spool(&failure)
            }),
        };
        match sealed {
            Ok(taken) => Intook::Whole { taken, size: self.size },
            Err(refusal) => Intook::Refused(refusal),
        }
    }
}

/// `552`: announced or counted, it's the same limit (RFC 1870 section 6).
pub fn too_big(limit: u64) -> Reply {
    Reply::refuse(552, 3, 4, format!("Message is larger than {limit} octets"))
}

/// What goes into the sink at a time.
const PIECE: usize = 64 * 1024;
/// What may come on top of a piece that is almost full.
const READ_AHEAD: usize = 16 * 1024;
/// What is reserved for a message whose size nobody announced.
const EXPECTED: u64 = 8 * 1024;
