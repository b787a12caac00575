//! FETCH of more than the columns: messages in batches, so that the store is asked once for many.

use std::io;
use std::ops::Range;

use dovetail_imap_grammar::encode;
use dovetail_mail::mime::{select, Pick, Summary};
use dovetail_sdk::line::LineStream;
use dovetail_sdk::store::{MessageColumns, Pieces, Slice, Store, StoreErrorCode, StoreFailure};
use dovetail_sdk::Service;

use super::item::{self, Source};
use super::metadata::{self, RowWriter};
use super::plan::Plan;
use super::{binary, envelope, stream, structure, summaries};
use crate::completion::Completion;
use crate::conversation::lost;
use crate::selected::Selected;

/// What was sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sent {
    /// Messages.
    pub messages: usize,
    /// Octets of bodies.
    pub octets: u64,
    /// Some items could not be read and were sent as NIL.
    pub unreadable: bool,
}

/// Why it ended early.
#[derive(Debug)]
pub enum FetchError {
    /// The connection is over.
    Io(io::Error),
    /// The command is refused.
    Refused(Completion),
}

impl From<io::Error> for FetchError {
    fn from(error: io::Error) -> Self {
        FetchError::Io(error)
    }
}

impl From<StoreFailure> for FetchError {
    fn from(failure: StoreFailure) -> Self {
        FetchError::Refused(Completion::store_failed(&failure))
    }
}

/// One command.
pub struct Batches<'a> {
    /// Where to.
    pub stream: &'a mut LineStream,
    /// From where.
    pub selected: &'a Selected,
    /// In which store.
    pub store: &'a Service<Store>,
    /// What.
    pub plan: &'a Plan,
    /// How names and strings are written.
    pub rev2: bool,
}

impl Batches<'_> {
    /// Sends what is asked for of all these messages.
    ///
    /// # Errors
    /// [`FetchError`]; whole responses may have been sent before.
    pub async fn send(mut self, rows: &MessageColumns) -> Result<Sent, FetchError> {
        let mut sent = Sent::default();
        let mut start = 0;
        while start < rows.uids.len() {
            let end = self.end_of_batch(rows, start);
            let batch = metadata::part(rows, start..end);
            self.batch(&batch, &mut sent).await?;
            start = end;
        }
        Ok(sent)
    }

    fn end_of_batch(&self, rows: &MessageColumns, start: usize) -> usize {
        let mut octets = 0;
        let mut end = start;
        while end < rows.uids.len() && end - start < MAX_MESSAGES {
            let size = rows.sizes.get(end).copied().unwrap_or(0);
            octets += if self.plan.bodies { size.min(LARGE) } else { 0 };
            if octets > MAX_OCTETS && end > start {
                break;
            }
            end += 1;
        }
        end
    }

    async fn batch(&mut self, rows: &MessageColumns, sent: &mut Sent) -> Result<(), FetchError> {
        let mailbox = &self.selected.mailbox;
        let summaries = match self.plan.summaries {
            true => summaries::get(mailbox, &rows.uids).await?,
            false => Vec::new(),
        };
        let mut messages = Vec::with_capacity(rows.uids.len());
        let mut slices = Vec::new();
        for (row, uid) in rows.uids.iter().enumerate() {
            let summary = summaries.get(row).and_then(Option::as_ref);
            if self.plan.summaries && summary.is_none() {
                messages.push(None);
                continue;
            }
            let size = rows.sizes.get(row).copied().unwrap_or(0);
            let sources: Result<Vec<Source>, Completion> =
                self.plan.items.iter().map(|item| item::source(item, summary, size)).collect();
            let sources = sources.map_err(FetchError::Refused)?;
            let first = slices.len();
            for range in sources.iter().filter_map(Source::octets).filter(|range| is_small(range)) {
                slices.push(Slice { uid: *uid, offset: range.start, length: range.end.saturating_sub(range.start) });
            }
            messages.push(Some(Message { sources, slices: first..slices.len() }));
        }
        let (read, unreadable) = read(self.selected, slices).await?;
        sent.unreadable |= unreadable;
        let pieces: Vec<Option<&[u8]>> = read.iter().flat_map(Pieces::iter).collect();
        let mut writer = RowWriter::new(self.selected, self.rev2);
        let mut gather = Gather::default();
        for (row, message) in messages.iter().enumerate() {
            let (Some(message), Some(at)) = (message, writer.place(rows, row)) else { continue };
            let pieces = pieces.get(message.slices.clone()).unwrap_or_default();
            if pieces.iter().any(Option::is_none) {
                continue;
            }
            let summary = summaries.get(row).and_then(Option::as_ref);
            let response = Response { rows, row, at, message, pieces, summary };
            self.response(&mut writer, response, &mut gather, sent).await?;
            sent.messages += 1;
            sent.octets += message.octets();
        }
        gather.write(self.stream).await?;
        Ok(())
    }

    async fn response<'b>(
        &mut self,
        writer: &mut RowWriter<'_>,
        response: Response<'b>,
        gather: &mut Gather<'b>,
        sent: &mut Sent,
    ) -> Result<(), FetchError> {
        let Response { rows, row, at, message, pieces, summary } = response;
        let uid = rows.uids.get(row).copied().unwrap_or(0);
        let mode = if self.rev2 { dovetail_imap_grammar::TextMode::Utf8 } else { Default::default() };
        let mut next = 0;
        let out = &mut gather.text;
        out.extend_from_slice(b"* ");
        encode::number(out, at as u64 + 1);
        out.extend_from_slice(b" FETCH (");
        for (n, (item, source)) in self.plan.items.iter().zip(&message.sources).enumerate() {
            let out = &mut gather.text;
            if n > 0 {
                out.push(b' ');
            }
            if *source == Source::Columns {
                writer.item(item, rows, row, out);
                continue;
            }
            encode::fetch_name(out, item);
            out.push(b' ');
            let small = source.octets().is_some_and(is_small);
            let piece = if small { pieces.get(next).copied().flatten().unwrap_or_default() } else { &[] };
            next += usize::from(small);
            match (source, summary) {
                (Source::Envelope, Some(summary)) => envelope::write(out, summary.envelope(), mode),
                (Source::Structure(extended), Some(summary)) => structure::write(out, summary, *extended, mode),
                (Source::NoSize, _) => out.push(b'0'),
                (Source::Octets(_), _) if small => {
                    encode::literal_head(out, piece.len() as u64);
                    gather.add(piece);
                }
                (Source::Fields { not, names, partial, .. }, _) if small => {
                    let pick = if *not { Pick::Except } else { Pick::Only };
                    let fields = select(piece, pick, names);
                    let fields = item::cut(&fields, *partial);
                    encode::literal_head(out, fields.len() as u64);
                    out.extend_from_slice(fields);
                }
                (Source::Decoded { encoding, partial, .. }, _) if small => {
                    binary::write(out, item::cut(&binary::decode(*encoding, piece), *partial));
                }
                (Source::DecodedSize { encoding, .. }, _) if small => {
                    encode::number(out, binary::decode(*encoding, piece).len() as u64);
                }
                (source, _) => {
                    gather.write(self.stream).await?;
                    sent.unreadable |= !self.large(uid, source, &mut gather.text).await?;
                }
            }
        }
        gather.text.extend_from_slice(b")\r\n");
        Ok(())
    }

    /// Sends what is too large to be held; `false` if there is only NIL to send.
    async fn large(&mut self, uid: u32, source: &Source, out: &mut Vec<u8>) -> Result<bool, FetchError> {
        let bodies = stream::Bodies { selected: self.selected, store: self.store };
        let done = match source {
            Source::Octets(range) => stream::literal(self.stream, bodies, uid, range).await?,
            Source::Decoded { body, encoding, partial } => {
                binary::send(self.stream, bodies, uid, body, *encoding, *partial).await?
            }
            Source::DecodedSize { body, encoding } => match binary::measure(bodies, uid, body, *encoding).await {
                Ok(measure) => {
                    encode::number(out, measure.size);
                    return Ok(true);
                }
                Err(failure) => {
                    out.push(b'0');
                    tracing::warn!(uid, %failure, "message not read");
                    return Ok(false);
                }
            },
            Source::Fields { header, not, names, partial } => {
                let mut held = Vec::new();
                let taken = stream::pieces(bodies, uid, header, |piece| {
                    let room = MAX_HEADER.saturating_sub(held.len()).min(piece.len());
                    held.extend_from_slice(piece.get(..room).unwrap_or_default());
                });
                match taken.await {
                    Ok(()) => {
                        let fields = select(&held, if *not { Pick::Except } else { Pick::Only }, names);
                        let fields = item::cut(&fields, *partial);
                        encode::literal_head(out, fields.len() as u64);
                        out.extend_from_slice(fields);
                        return Ok(true);
                    }
                    Err(failure) => Err(failure),
                }
            }
            _ => {
                out.extend_from_slice(b"NIL");
                return Ok(true);
            }
        };
        match done {
            Ok(()) => Ok(true),
            Err(failure) => {
                if failure.code != StoreErrorCode::NotFound {
                    tracing::error!(uid, %failure, "message not read");
                }
                out.extend_from_slice(b"NIL");
                Ok(false)
            }
        }
    }
}

/// What goes out: text that is made here, and octets of bodies in between that stay where they are.
#[derive(Default)]
struct Gather<'a> {
    text: Vec<u8>,
    /// Octets, and where in the text they belong.
    octets: Vec<(usize, &'a [u8])>,
}

impl<'a> Gather<'a> {
    /// Adds octets behind the text so far.
    fn add(&mut self, octets: &'a [u8]) {
        if octets.len() < WORTH_A_SLICE {
            self.text.extend_from_slice(octets);
        } else {
            self.octets.push((self.text.len(), octets));
        }
    }

    /// Writes all of it.
    async fn write(&mut self, stream: &mut LineStream) -> io::Result<()> {
        let mut slices = Vec::with_capacity(self.octets.len() * 2 + 1);
        let mut from = 0;
        for (at, octets) in self.octets.drain(..) {
            slices.push(self.text.get(from..at).unwrap_or_default());
            slices.push(octets);
            from = at;
        }
        slices.push(self.text.get(from..).unwrap_or_default());
        stream.write_slices(&slices).await?;
        drop(slices);
        self.text.clear();
        Ok(())
    }
}

/// One message's part in a batch; its slices by their places among all.
struct Message {
    sources: Vec<Source>,
    slices: Range<usize>,
}

impl Message {
    /// Octets of the body that are asked for.
    fn octets(&self) -> u64 {
        self.sources.iter().filter_map(Source::octets).map(|range| range.end.saturating_sub(range.start)).sum()
    }
}

/// One message's response in the making.
struct Response<'a> {
    rows: &'a MessageColumns,
    row: usize,
    at: usize,
    message: &'a Message,
    pieces: &'a [Option<&'a [u8]>],
    summary: Option<&'a Summary>,
}

/// Reads slices, however many calls that takes. Gives whether some could not be read; they are like those of a message that
/// is gone.
async fn read(selected: &Selected, mut slices: Vec<Slice>) -> Result<(Vec<Pieces>, bool), FetchError> {
    let mut read = Vec::new();
    while !slices.is_empty() {
        let pieces = match selected.mailbox.read_slices(slices.clone()).await {
            Ok(pieces) => pieces,
            // Nothing of these messages has been told yet.
            Err(failure) if failure.code == StoreErrorCode::Stopped => return Err(failure.into()),
            // One that is damaged must not stand in the way of all others.
            Err(failure) => return one_by_one(selected, slices, read, failure).await,
        };
        let count = pieces.lengths.len();
        if count == 0 || count > slices.len() {
            return Err(FetchError::Io(lost(&StoreFailure {
                code: StoreErrorCode::Temporary,
                message: "the store gave no slices".to_owned(),
            })));
        }
        slices.drain(..count);
        read.push(pieces);
    }
    Ok((read, false))
}

/// The same after a failure: what cannot be read is left out. Gives whether there was such a one.
async fn one_by_one(
    selected: &Selected,
    slices: Vec<Slice>,
    mut read: Vec<Pieces>,
    failure: StoreFailure,
) -> Result<(Vec<Pieces>, bool), FetchError> {
    if slices.len() == 1 {
        tracing::error!(uid = slices.first().map(|slice| slice.uid), %failure, "message not read");
        read.push(Pieces { octets: Default::default(), lengths: vec![Pieces::GONE] });
        return Ok((read, true));
    }
    let mut unreadable = false;
    for slice in slices {
        match selected.mailbox.read_slices(vec![slice]).await {
            Ok(pieces) if pieces.lengths.len() == 1 => read.push(pieces),
            Err(failure) if failure.code == StoreErrorCode::Stopped => return Err(failure.into()),
            other => {
                let why = other.err().map_or_else(|| "the store gave no slice".to_owned(), |failure| failure.message);
                tracing::error!(uid = slice.uid, why, "message not read");
                read.push(Pieces { octets: Default::default(), lengths: vec![Pieces::GONE] });
                unreadable = true;
            }
        }
    }
    Ok((read, unreadable))
}

fn is_small(range: &Range<u64>) -> bool {
    range.end.saturating_sub(range.start) <= LARGE
}

/// Messages in a batch.
const MAX_MESSAGES: usize = 128;
/// Octets of bodies in a batch.
pub const MAX_OCTETS: u64 = 512 * 1024;
/// What is larger is streamed.
pub const LARGE: u64 = 256 * 1024;
/// A header that is longer is searched for fields up to here.
const MAX_HEADER: usize = 4 * 1024 * 1024;
/// Shorter pieces are copied into the text.
const WORTH_A_SLICE: usize = 1024;
