//! BINARY (RFC 3516): a part with its transfer encoding undone.
//!
//! A literal's size comes before its octets, so a part that is too large to be held is decoded twice: once to count, once to
//! send.

use std::io;
use std::ops::Range;

use dovetail_imap_grammar::{encode, Partial};
use dovetail_mail::mime::{Decoder, Encoding};
use dovetail_sdk::line::LineStream;
use dovetail_sdk::store::StoreFailure;

use super::item;
use super::stream::{broken_off, pieces, Bodies};

/// Decodes what is in memory.
pub fn decode(encoding: Encoding, octets: &[u8]) -> Vec<u8> {
    let mut decoder = Decoder::new(encoding);
    let mut decoded = decoder.push(octets);
    decoded.extend_from_slice(&decoder.finish());
    decoded
}

/// Writes decoded octets: as literal8 where they hold NUL (RFC 3516 section 4.2).
pub fn write(out: &mut Vec<u8>, octets: &[u8]) {
    if octets.contains(&0) {
        encode::literal8_head(out, octets.len() as u64);
    } else {
        encode::literal_head(out, octets.len() as u64);
    }
    out.extend_from_slice(octets);
}

/// What a large part comes to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Measure {
    /// Octets.
    pub size: u64,
    /// Whether there is a NUL among them.
    pub nul: bool,
}

/// Decodes a large part to measure it.
///
/// # Errors
/// As the store gives them.
pub async fn measure(
    bodies: Bodies<'_>,
    uid: u32,
    body: &Range<u64>,
    encoding: Encoding,
) -> Result<Measure, StoreFailure> {
    let mut decoder = Decoder::new(encoding);
    let mut measure = Measure::default();
    let mut count = |octets: &[u8]| {
        measure.size += octets.len() as u64;
        measure.nul |= octets.contains(&0);
    };
    pieces(bodies, uid, body, |piece| count(&decoder.push(piece))).await?;
    count(&decoder.finish());
    Ok(measure)
}

/// Sends a large part.
///
/// # Errors
/// As [`super::stream::literal`].
pub async fn send(
    stream: &mut LineStream,
    bodies: Bodies<'_>,
    uid: u32,
    body: &Range<u64>,
    encoding: Encoding,
    partial: Option<Partial>,
) -> io::Result<Result<(), StoreFailure>> {
    let measure = match measure(bodies, uid, body, encoding).await {
        Ok(measure) => measure,
        Err(failure) => return Ok(Err(failure)),
    };
    let mut pieces = match bodies.read(uid, body).await {
        Ok(pieces) => pieces,
        Err(failure) => return Ok(Err(failure)),
    };
    let first = partial.map_or(0, |partial| partial.first).min(measure.size);
    let end = partial.map_or(measure.size, |partial| first.saturating_add(partial.length).min(measure.size));
    let mut head = Vec::with_capacity(24);
    match measure.nul {
        true => encode::literal8_head(&mut head, end - first),
        false => encode::literal_head(&mut head, end - first),
    }
    stream.write(&head).await?;
    let mut decoder = Some(Decoder::new(encoding));
    let mut at = 0_u64;
    while at < end {
        let piece = pieces.next().await.map_err(|failure| broken_off(uid, &failure.message))?;
        let decoded = match (&mut decoder, piece.is_empty()) {
            (Some(decoder), false) => decoder.push(&piece),
            (slot, _) => match slot.take() {
                Some(decoder) => decoder.finish(),
                None => return Err(broken_off(uid, "the part is not as long as it was")),
            },
        };
        // From `first` to `end`, as places in this piece.
        let wanted = Partial { first: first.saturating_sub(at), length: end.saturating_sub(at.max(first)) };
        if at + decoded.len() as u64 > first && wanted.length > 0 {
            stream.write(item::cut(&decoded, Some(wanted))).await?;
        }
        at += decoded.len() as u64;
    }
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nul_makes_it_a_literal8() {
        let mut out = Vec::new();
        write(&mut out, &decode(Encoding::Base64, b"AAEC"));
        assert_eq!(out, b"~{3}\r\n\0\x01\x02");
        out.clear();
        write(&mut out, &decode(Encoding::QuotedPrintable, b"a=3Db"));
        assert_eq!(out, b"{3}\r\na=b");
    }
}
