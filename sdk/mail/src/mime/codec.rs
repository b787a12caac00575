//! The stored form of a summary.
//!
//! Numbers are unsigned LEB128 (at most ten octets), strings are their length and their octets, lists are their count
//! and their items:
//!
//! ```text
//! summary      version (one octet, 1), size, count of parts, parts
//! part         inside, kind (0 leaf, 1 multipart, 2 message), header start, header length, body length, lines,
//!              media type, encoding, flags, then what the flags say, in their order
//! media type   0 type subtype, or the number of a common one (from 1)
//! encoding     0 name, or the number of a common one (from 1)
//! flags        1 params, 2 id, 4 description, 8 md5, 16 disposition (kind, params), 32 languages, 64 location,
//!              128 envelope
//! params       list of name, value
//! envelope     flags (1 date, 2 subject, 4 from ... 1024 references), then those strings in their order
//! ```
//!
//! A body begins where its header ends. The lists of common types and encodings may grow at their ends; everything else
//! needs a new version. Decoding checks what readers rely on: that parts nest, lie within their parent and the message,
//! and have the children their kind asks for. It takes no more memory than a fixed multiple of what it is given.

mod reader;
mod writer;

use super::scanner::{MAX_DEPTH, MAX_PARTS};
use super::summary::{Kind, Part, Summary};
use reader::Input;
use writer::Writer;

/// Why octets are no summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SummaryError {
    /// Written by a later version.
    #[error(
        "the summary of the message has format {0}, which this version does not know; make it anew from the message"
    )]
    Version(u8),
    /// It ends too early, has something behind its end, or a number or name that cannot be.
    #[error("the summary of the message is damaged; make it anew from the message")]
    Damaged,
}

impl Summary {
    /// The form to be stored.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new(VERSION);
        out.number(self.size);
        out.number(self.parts.len() as u64);
        for part in &self.parts {
            out.part(part);
        }
        out.done()
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`SummaryError`] if the octets are not what [`encode`](Self::encode) makes of some summary.
    pub fn decode(octets: &[u8]) -> Result<Self, SummaryError> {
        let mut input = Input::new(octets);
        match input.octet()? {
            VERSION => {}
            other => return Err(SummaryError::Version(other)),
        }
        let size = input.number()?;
        let count = input.count(MAX_PARTS)?;
        let mut parts = Vec::with_capacity(count);
        for _ in 0..count {
            parts.push(input.part()?);
        }
        input.end()?;
        check(size, &parts)?;
        Ok(Summary { size, parts })
    }
}

/// What readers of a summary rely on.
fn check(size: u64, parts: &[Part]) -> Result<(), SummaryError> {
    // Who is around the next part: where its last part and its body end, how many children it may still have.
    struct Around {
        last: usize,
        from: u64,
        to: u64,
        children: Option<usize>,
        message: bool,
    }
    let whole = Around { last: parts.len(), from: 0, to: size, children: Some(1), message: true };
    let mut around = vec![whole];
    for (index, part) in parts.iter().enumerate() {
        while around.last().is_some_and(|parent| parent.last <= index) {
            around.pop();
        }
        let depth = around.len();
        let parent = around.last_mut().ok_or(SummaryError::Damaged)?;
        let last = index + 1 + part.inside as usize;
        let (from, to) = (part.header.start, part.body.end);
        if let Some(left) = &mut parent.children {
            *left = left.checked_sub(1).ok_or(SummaryError::Damaged)?;
        }
        let kind_fits = match part.kind {
            Kind::Leaf => part.inside == 0,
            Kind::Multipart | Kind::Message => part.inside > 0,
        };
        let fits = kind_fits
            && last <= parent.last
            && parent.from <= from
            && to <= parent.to
            && depth <= MAX_DEPTH
            && part.envelope.is_some() == parent.message
            && !part.media_type.is_empty()
            && !part.subtype.is_empty();
        if !fits {
            return Err(SummaryError::Damaged);
        }
        // A sibling begins where this one ends or later.
        parent.from = to;
        let message = part.kind == Kind::Message;
        around.push(Around { last, from: part.body.start, to, children: message.then_some(1), message });
    }
    match parts {
        [] => Err(SummaryError::Damaged),
        _ => Ok(()),
    }
}

const VERSION: u8 = 1;

/// Media types that take one octet. Grows at the end only.
const TYPES: &[(&str, &str)] = &[
    ("text", "plain"),
    ("text", "html"),
    ("multipart", "alternative"),
    ("multipart", "mixed"),
    ("multipart", "related"),
    ("multipart", "signed"),
    ("multipart", "report"),
    ("message", "rfc822"),
    ("message", "delivery-status"),
    ("application", "octet-stream"),
    ("application", "pdf"),
    ("application", "pgp-signature"),
    ("application", "pkcs7-signature"),
    ("text", "calendar"),
    ("image", "jpeg"),
    ("image", "png"),
    ("image", "gif"),
];

/// Transfer encodings that take one octet. Grows at the end only.
const ENCODINGS: &[&str] = &["7bit", "8bit", "quoted-printable", "base64", "binary"];
