//! Octets that are too many to be held: from the store to the client in pieces.
//!
//! A response that has begun cannot be begun anew. So where the store is restarted meanwhile, the rest comes from the new one.

use std::io;
use std::ops::Range;

use dovetail_imap_grammar::encode;
use dovetail_sdk::line::LineStream;
use dovetail_sdk::store::{BodyReader, Mailbox, Store, StoreErrorCode, StoreFailure};
use dovetail_sdk::{Bytes, Service};

use crate::selected::reopen::{NotReopened, REOPENINGS};
use crate::selected::Selected;

/// The bodies of the selected mailbox, in whichever store there is.
#[derive(Clone, Copy, Debug)]
pub struct Bodies<'a> {
    /// The mailbox.
    pub selected: &'a Selected,
    /// Where it is opened again.
    pub store: &'a Service<Store>,
}

impl<'a> Bodies<'a> {
    /// Opens a body at these octets.
    ///
    /// # Errors
    /// As the store gives them.
    pub async fn read(self, uid: u32, octets: &Range<u64>) -> Result<Pieces<'a>, StoreFailure> {
        let mut pieces = Pieces { bodies: self, uid, left: octets.clone(), mailbox: None, reader: None };
        pieces.until_running(false).await?;
        Ok(pieces)
    }
}

/// A body's octets, piece by piece.
pub struct Pieces<'a> {
    bodies: Bodies<'a>,
    uid: u32,
    left: Range<u64>,
    /// Opened again.
    mailbox: Option<Mailbox>,
    reader: Option<BodyReader>,
}

impl Pieces<'_> {
    /// The next piece; empty at the end.
    ///
    /// # Errors
    /// As the store gives them.
    pub async fn next(&mut self) -> Result<Bytes, StoreFailure> {
        let piece = self.until_running(true).await?;
        self.left.start += piece.len() as u64;
        Ok(piece)
    }

    /// Opens the body if it is not open, and reads a piece if one is wanted: in the store that runs.
    async fn until_running(&mut self, wanted: bool) -> Result<Bytes, StoreFailure> {
        let mut tries = 0;
        loop {
            match self.once(wanted).await {
                Err(failure) if failure.code == StoreErrorCode::Stopped && tries < REOPENINGS => {
                    tries += 1;
                    self.reader = None;
                    let mailbox = self.bodies.selected.open_again(self.bodies.store).await;
                    self.mailbox = Some(mailbox.map_err(|error| match error {
                        NotReopened::Later(failure) => failure,
                        NotReopened::Another => failure,
                    })?);
                }
                answer => return answer,
            }
        }
    }

    async fn once(&mut self, wanted: bool) -> Result<Bytes, StoreFailure> {
        let reader = match &self.reader {
            Some(reader) => reader,
            None => {
                let mailbox = self.mailbox.as_ref().unwrap_or(&self.bodies.selected.mailbox);
                let length = self.left.end.saturating_sub(self.left.start);
                let opened = mailbox.read(self.uid, self.left.start, length).await?;
                self.reader.insert(opened)
            }
        };
        match wanted {
            true => reader.next(PIECE).await,
            false => Ok(Bytes::default()),
        }
    }
}

/// Sends a literal with these octets of a body.
///
/// # Errors
/// `Ok(Err)` if the body could not be opened and nothing was written; an I/O error afterwards, since nothing else would tell
/// the client that the literal is not whole.
pub async fn literal(
    stream: &mut LineStream,
    bodies: Bodies<'_>,
    uid: u32,
    octets: &Range<u64>,
) -> io::Result<Result<(), StoreFailure>> {
    let mut left = octets.end.saturating_sub(octets.start);
    let mut pieces = match bodies.read(uid, octets).await {
        Ok(pieces) => pieces,
        Err(failure) => return Ok(Err(failure)),
    };
    let mut head = Vec::with_capacity(24);
    encode::literal_head(&mut head, left);
    stream.write(&head).await?;
    while left > 0 {
        match pieces.next().await {
            Ok(piece) if !piece.is_empty() && piece.len() as u64 <= left => {
                left -= piece.len() as u64;
                stream.write(&piece).await?;
            }
            Ok(_) => return Err(broken_off(uid, "the body is not as long as it should be")),
            Err(failure) => return Err(broken_off(uid, &failure.message)),
        }
    }
    Ok(Ok(()))
}

/// Hands a body's octets to `take`, piece by piece.
///
/// # Errors
/// As the store gives them.
pub async fn pieces(
    bodies: Bodies<'_>,
    uid: u32,
    octets: &Range<u64>,
    mut take: impl FnMut(&[u8]),
) -> Result<(), StoreFailure> {
    let mut pieces = bodies.read(uid, octets).await?;
    loop {
        let piece = pieces.next().await?;
        if piece.is_empty() {
            return Ok(());
        }
        take(&piece);
    }
}

/// What ends a connection in the middle of a literal.
pub fn broken_off(uid: u32, reason: &str) -> io::Error {
    tracing::error!(uid, reason, "message broken off, connection ended");
    io::Error::new(io::ErrorKind::ConnectionAborted, "message broken off")
}

/// What is asked of the store at a time.
pub const PIECE: u32 = 64 * 1024;
