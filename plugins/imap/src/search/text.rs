//! Keys that need the message itself: header fields that are not kept, and bodies.
//!
//! A body is searched as people see it: text parts with transfer encoding and charset taken off, and the headers of messages
//! within the message. Attachments that are no text are passed over.
//!
//! Bounds: small messages are read many at a time ([`MAX_OCTETS`]), large ones pass through in pieces.

use dovetail_mail::mime::{decode_words, fields, fold_case, unfold, Finder, Part, Summary, TextReader};
use dovetail_sdk::store::{Mailbox, MessageColumns, Slice, StoreFailure};

use crate::fetch::batch::{LARGE, MAX_OCTETS};
use crate::fetch::{stream::PIECE, summaries};
use crate::selected::Selected;

/// What is looked for.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// A header field of this name with this text (folded).
    Field(Vec<u8>, String),
    /// This text in the body.
    Body(String),
    /// This text in header or body.
    Anywhere(String),
}

/// The rows among `among` that have it.
///
/// # Errors
/// As the store gives them.
pub async fn find(
    wanted: &Wanted,
    selected: &Selected,
    rows: &MessageColumns,
    among: &[u32],
) -> Result<Vec<u32>, StoreFailure> {
    let mut found = Vec::new();
    let mut start = 0;
    while start < among.len() {
        let end = end_of_batch(wanted, rows, among, start);
        let batch = among.get(start..end).unwrap_or_default();
        look(wanted, selected, rows, batch, &mut found).await?;
        start = end;
    }
    Ok(found)
}

fn end_of_batch(wanted: &Wanted, rows: &MessageColumns, among: &[u32], start: usize) -> usize {
    let mut octets = 0;
    let mut end = start;
    while end < among.len() && end - start < MAX_MESSAGES {
        let size = among.get(end).and_then(|row| rows.sizes.get(*row as usize)).copied().unwrap_or(0);
        octets += if matches!(wanted, Wanted::Field(..)) { 4096 } else { size.min(LARGE) };
        if octets > MAX_OCTETS && end > start {
            break;
        }
        end += 1;
    }
    end
}

async fn look(
    wanted: &Wanted,
    selected: &Selected,
    rows: &MessageColumns,
    batch: &[u32],
    found: &mut Vec<u32>,
) -> Result<(), StoreFailure> {
    let mailbox = &selected.mailbox;
    let uid = |row: &u32| rows.uids.get(*row as usize).copied().unwrap_or(0);
    let uids: Vec<u32> = batch.iter().map(uid).collect();
    let summaries = summaries::get(mailbox, &uids).await?;
    let mut slices = Vec::new();
    let mut small = Vec::new();
    for ((row, uid), summary) in batch.iter().zip(&uids).zip(&summaries) {
        let Some(summary) = summary else { continue };
        let length = match wanted {
            Wanted::Field(..) => summary.root().header.end,
            _ => summary.size(),
        };
        if length <= LARGE {
            slices.push(Slice { uid: *uid, offset: 0, length });
            small.push((*row, summary));
        } else if large(wanted, selected, *uid, summary).await? {
            found.push(*row);
        }
    }
    let mut done = 0;
    while let Some(rest) = slices.get(done..).filter(|rest| !rest.is_empty()) {
        let pieces = mailbox.read_slices(rest.to_vec()).await?;
        if pieces.lengths.is_empty() {
            return Err(StoreFailure {
                code: dovetail_sdk::store::StoreErrorCode::Temporary,
                message: "the store gave no slices".to_owned(),
            });
        }
        for (piece, (row, summary)) in pieces.iter().zip(small.iter().skip(done)) {
            if piece.is_some_and(|octets| in_memory(wanted, summary, octets)) {
                found.push(*row);
            }
        }
        done += pieces.lengths.len();
    }
    found.sort_unstable();
    Ok(())
}

fn in_memory(wanted: &Wanted, summary: &Summary, octets: &[u8]) -> bool {
    let cut = |range: &std::ops::Range<u64>| {
        let end = usize::try_from(range.end).unwrap_or(usize::MAX).min(octets.len());
        octets.get(usize::try_from(range.start).unwrap_or(usize::MAX)..end).unwrap_or_default()
    };
    let (header, body) = match wanted {
        Wanted::Field(name, text) => return has_field(cut(&summary.root().header), name, text),
        Wanted::Body(text) => (None, text),
        Wanted::Anywhere(text) => (Some(text), text),
    };
    if header.is_some_and(|text| in_header(cut(&summary.root().header), text)) {
        return true;
    }
    summary.parts().iter().enumerate().any(|(index, part)| {
        let inner_header = index > 0 && part.envelope.is_some() && in_header(cut(&part.header), body);
        inner_header || (part.is_text() && in_text(part, cut(&part.body), body))
    })
}

fn in_text(part: &Part, octets: &[u8], text: &str) -> bool {
    let mut reader = TextReader::new(part);
    let mut finder = Finder::new(text);
    finder.push(&reader.push(octets)) || finder.push(&reader.finish())
}

/// A message too large to be held: part by part, piece by piece.
async fn large(wanted: &Wanted, selected: &Selected, uid: u32, summary: &Summary) -> Result<bool, StoreFailure> {
    let (name, text) = match wanted {
        Wanted::Field(name, text) => (Some(name), text),
        Wanted::Body(text) | Wanted::Anywhere(text) => (None, text),
    };
    if !matches!(wanted, Wanted::Body(_)) {
        let header = start_of(selected, uid, &summary.root().header).await?;
        let found = match name {
            Some(name) => return Ok(has_field(&header, name, text)),
            None => in_header(&header, text),
        };
        if found {
            return Ok(true);
        }
    }
    for (index, part) in summary.parts().iter().enumerate() {
        if index > 0 && part.envelope.is_some() && in_header(&start_of(selected, uid, &part.header).await?, text) {
            return Ok(true);
        }
        if part.is_text() {
            let mut reader = TextReader::new(part);
            let mut finder = Finder::new(text);
            pieces(&selected.mailbox, uid, &part.body, |piece| {
                if !finder.found() {
                    finder.push(&reader.push(piece));
                }
            })
            .await?;
            if finder.found() || finder.push(&reader.finish()) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// A header, as far as it is searched.
async fn start_of(selected: &Selected, uid: u32, header: &std::ops::Range<u64>) -> Result<Vec<u8>, StoreFailure> {
    let mut held = Vec::new();
    let range = header.start..header.end.min(header.start.saturating_add(MAX_HEADER));
    pieces(&selected.mailbox, uid, &range, |piece| held.extend_from_slice(piece)).await?;
    Ok(held)
}

/// Hands a body's octets to `take`, piece by piece.
async fn pieces(
    mailbox: &Mailbox,
    uid: u32,
    octets: &std::ops::Range<u64>,
    mut take: impl FnMut(&[u8]),
) -> Result<(), StoreFailure> {
    let reader = mailbox.read(uid, octets.start, octets.end.saturating_sub(octets.start)).await?;
    loop {
        let piece = reader.next(PIECE).await?;
        if piece.is_empty() {
            return Ok(());
        }
        take(&piece);
    }
}

fn has_field(header: &[u8], name: &[u8], text: &str) -> bool {
    fields(header).any(|field| field.is(name) && (text.is_empty() || value(field.value).contains(text)))
}

fn in_header(header: &[u8], text: &str) -> bool {
    fields(header).any(|field| {
        let name = String::from_utf8_lossy(field.name);
        fold_case(&format!("{name}: {}", decode_words(&unfold(field.value)))).contains(text)
    })
}

fn value(raw: &[u8]) -> String {
    fold_case(&decode_words(&unfold(raw)))
}

/// Messages in a batch.
const MAX_MESSAGES: usize = 256;
/// A header is searched up to here.
const MAX_HEADER: u64 = 1024 * 1024;
