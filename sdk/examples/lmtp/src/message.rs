//! The octets behind DATA (RFC 5321 section 4.1.1.4): read line by line, their dots undoubled, and handed on in pieces.
//!
//! **How it fails.** What is wrong with the message itself (too large, a line too long, NUL) and what its sink does not take
//! is told when the message ends, so that the client listens: [`End::Refused`]. Behind a bare CR or LF nobody can say where the
//! message ends, and a client that sends twice what it may does not listen: [`End::Broken`], and the session ends.
//! If the connection ends first, the sink is dropped and nothing was ever there.
//!
//! **Bounds.** One line, and one piece of 64 KiB. Of a line that is too long nothing is kept, however long it gets.

use std::io;

use dovetail_sdk::line::{BadLine, Line, LineStream};
use dovetail_sdk::store::{Body, BodySink, StoreErrorCode, StoreFailure};

use crate::config::Config;
use crate::reply::Reply;

/// So much goes into the sink at a time.
const PIECE: usize = 64 * 1024;

/// How it ended.
pub enum End {
    /// It is whole.
    Whole(Body),
    /// It was read to its end, and is not taken.
    Refused(Reply),
    /// It was not read to its end: this is the session's last reply.
    Broken(Reply),
}

/// A message on its way in.
pub struct Intake<'a> {
    config: &'a Config,
    /// `None` once it is refused: nothing more is kept.
    sink: Result<BodySink, Reply>,
    piece: Vec<u8>,
    size: u64,
}

impl<'a> Intake<'a> {
    /// A message that begins with `top`, in this sink.
    pub fn new(config: &'a Config, sink: BodySink, top: String) -> Self {
        Intake { config, sink: Ok(sink), piece: top.into_bytes(), size: 0 }
    }

    /// Octets of the message so far, as it will be stored, apart from what was put on top.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Reads to the end.
    ///
    /// # Errors
    /// As the stream gives them; `UnexpectedEof` if it ends first.
    pub async fn read(&mut self, stream: &mut LineStream) -> io::Result<End> {
        loop {
            // A dot that is doubled is no part of the line.
            match stream.read_line(self.config.max_data_line + 1).await? {
                Line::Good(line) if line == b"." => return Ok(self.seal().await),
                Line::Good(line) => self.line(line.strip_prefix(b".").unwrap_or(&line)).await,
                Line::Bad(BadLine::TooLong) => self.long_line(),
                Line::Bad(BadLine::Nul) => self.refuse(Reply::new(554, (6, 0), "The message has a NUL octet")),
                Line::Bad(bad) => return Ok(End::Broken(Reply::new(554, (6, 0), format!("In the message {bad}")))),
                Line::End => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
            if self.size > self.config.max_message_size.saturating_mul(2) {
                return Ok(End::Broken(too_large(self.config.max_message_size)));
            }
        }
    }

    async fn line(&mut self, line: &[u8]) {
        self.size = self.size.saturating_add(line.len() as u64 + 2);
        if line.len() > self.config.max_data_line {
            return self.long_line();
        }
        if self.size > self.config.max_message_size {
            return self.refuse(too_large(self.config.max_message_size));
        }
        if self.sink.is_ok() {
            self.piece.extend_from_slice(line);
            self.piece.extend_from_slice(b"\r\n");
            if self.piece.len() >= PIECE {
                self.write().await;
            }
        }
    }

    fn long_line(&mut self) {
        self.size = self.size.saturating_add(self.config.max_data_line as u64);
        let text = format!("The message has a line of more than {} octets", self.config.max_data_line);
        self.refuse(Reply::new(554, (6, 0), text));
    }

    /// The first reason is the one that is told. The sink is dropped, and with it what it got.
    fn refuse(&mut self, reply: Reply) {
        if self.sink.is_ok() {
            self.sink = Err(reply);
            self.piece = Vec::new();
        }
    }

    async fn write(&mut self) {
        let piece = std::mem::take(&mut self.piece);
        if let Ok(sink) = &self.sink {
            if let Err(failure) = sink.write(piece.into()).await {
                self.refuse(not_kept(&failure));
            }
        }
    }

    async fn seal(&mut self) -> End {
        self.write().await;
        let sealed = match &self.sink {
            Ok(sink) => sink.seal().await.map_err(|failure| not_kept(&failure)),
            Err(reply) => Err(reply.clone()),
        };
        match sealed {
            Ok(body) => End::Whole(body),
            Err(reply) => End::Refused(reply),
        }
    }
}

/// Announced or counted, it is the same limit (RFC 1870 section 6).
pub fn too_large(limit: u64) -> Reply {
    Reply::new(552, (3, 4), format!("The message is larger than {limit} octets"))
}

fn not_kept(failure: &StoreFailure) -> Reply {
    tracing::error!(%failure, "message not taken: its octets cannot be kept; look for the cause in the lines of the store");
    match failure.code {
        StoreErrorCode::Full => Reply::new(452, (3, 1), "No room for messages at the moment, try again later"),
        StoreErrorCode::TooLarge => Reply::new(552, (3, 4), "The message is too large"),
        _ => Reply::try_later(),
    }
}
