//! A message that is whole: segments of memory and files, which messages that are made of each other share.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use dovetail_sdk::spool::{SpoolErrorCode, SpoolFailure, Spooled, SpooledProvider};
use dovetail_sdk::Bytes;

use crate::header::HeaderEnd;
use crate::ledger::{Octets, Ticket};
use crate::writer::blocking;

/// A read gives at most so many octets.
pub const MAX_READ: u32 = 1024 * 1024;
/// A message consists of at most so many segments; each edit adds one.
pub const MAX_SEGMENTS: usize = 100;

/// A sealed message.
#[derive(Debug)]
pub struct Message {
    /// Its place in the spool, which all that is made of it keeps.
    ticket: Arc<Ticket>,
    segments: Vec<Segment>,
    length: u64,
    header_length: u64,
}

/// Where octets are.
#[derive(Debug)]
pub enum Source {
    /// In memory.
    Memory {
        /// The octets.
        content: Vec<u8>,
        /// Gives them back.
        _octets: Option<Octets>,
    },
    /// In a file that has no name.
    File {
        /// The file.
        content: Arc<File>,
        /// Gives them back.
        _octets: Option<Octets>,
    },
}

#[derive(Clone, Debug)]
struct Segment {
    source: Arc<Source>,
    /// Where it begins in its source.
    from: u64,
    /// Not 0.
    length: u64,
}

impl Message {
    /// A message that has come in.
    pub fn new(ticket: Arc<Ticket>, source: Source, length: u64, header_length: u64) -> Self {
        let whole = Segment { source: Arc::new(source), from: 0, length };
        let segments = if length == 0 { Vec::new() } else { vec![whole] };
        Message { ticket, segments, length, header_length }
    }

    /// The segments behind the first `skip` octets.
    fn behind(&self, mut skip: u64) -> Vec<Segment> {
        let mut rest = Vec::with_capacity(self.segments.len() + 1);
        for segment in &self.segments {
            let left_out = skip.min(segment.length);
            skip -= left_out;
            if left_out < segment.length {
                rest.push(Segment {
                    source: segment.source.clone(),
                    from: segment.from + left_out,
                    length: segment.length - left_out,
                });
            }
        }
        rest
    }
}

impl SpooledProvider for Message {
    fn length(&self) -> Result<u64, SpoolFailure> {
        Ok(self.length)
    }

    fn header_length(&self) -> Result<u64, SpoolFailure> {
        Ok(self.header_length)
    }

    async fn read(&self, offset: u64, max: u32) -> Result<Bytes, SpoolFailure> {
        let Some(segment) = self.behind(offset).into_iter().next() else {
            return Ok(Bytes::default());
        };
        let count = usize::try_from(segment.length.min(u64::from(max.min(MAX_READ)))).unwrap_or_default();
        match &*segment.source {
            Source::Memory { content, .. } => {
                let from = usize::try_from(segment.from).unwrap_or(usize::MAX);
                let octets = content.get(from..).and_then(|rest| rest.get(..count));
                octets.map(Bytes::from).ok_or_else(|| failed("a segment is longer than its memory"))
            }
            Source::File { content, .. } => {
                let (file, from) = (content.clone(), segment.from);
                let read = blocking(move || {
                    let mut octets = vec![0; count];
                    file.read_exact_at(&mut octets, from).map(|()| octets)
                });
                read.await.map(Bytes::from)
            }
        }
    }

    async fn edited(&self, prefix: Bytes, skip: u64) -> Result<Spooled, SpoolFailure> {
        if skip > self.length {
            return Err(failed("more octets were to be left out than the message has"));
        }
        if self.segments.len() >= MAX_SEGMENTS {
            return Err(failed("the message was edited too often"));
        }
        let added = prefix.len() as u64;
        let octets = self.ticket.take(added)?;
        let mut end = HeaderEnd::default();
        end.feed(&prefix);
        // Behind a prefix without an empty line goes on what is left of the header.
        let header_length = end.found().unwrap_or(added + self.header_length.saturating_sub(skip));
        let mut segments = self.behind(skip);
        if added > 0 {
            let source = Source::Memory { content: prefix.into_vec(), _octets: Some(octets) };
            segments.insert(0, Segment { source: Arc::new(source), from: 0, length: added });
        }
        Ok(Spooled::new(Message {
            ticket: self.ticket.clone(),
            segments,
            length: self.length - skip + added,
            header_length,
        }))
    }
}

fn failed(message: &str) -> SpoolFailure {
    SpoolFailure { code: SpoolErrorCode::Failed, message: message.to_owned() }
}
