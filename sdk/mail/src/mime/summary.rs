//! What is known about a message without its body: the tree of its parts and the envelope.

use std::ops::Range;

/// The structure of one message, as [`Scanner`](super::Scanner) finds it.
///
/// The parts stand in the order of their octets: a parent before its children, a part before its next sibling. The
/// first one is the message itself, so there is always one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    pub(super) size: u64,
    pub(super) parts: Vec<Part>,
}

impl Summary {
    /// Octets of the whole message as stored.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The message itself: its header, its body, its envelope.
    pub fn root(&self) -> &Part {
        // A summary is only made by the scanner and by `decode`, and both see to it that there is a first part.
        self.parts.first().unwrap_or(&NOTHING)
    }

    /// The envelope of the message.
    pub fn envelope(&self) -> &Envelope {
        self.root().envelope.as_deref().unwrap_or(&NO_ENVELOPE)
    }

    /// Every part, in the order of their octets; `parts()[0]` is [`root`](Self::root).
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The parts directly inside the part at `index` of [`parts`](Self::parts), with their own indices.
    ///
    /// A multipart has one or more, a message (`message/rfc822`) exactly one, which carries the envelope; a leaf none.
    pub fn children(&self, index: usize) -> impl Iterator<Item = (usize, &Part)> + '_ {
        let mut at = index + 1;
        let end = self.end_of(index);
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let here = at;
            at = self.end_of(here);
            self.parts.get(here).map(|part| (here, part))
        })
    }

    /// The index behind the last part that stands anywhere inside the part at `index`.
    fn end_of(&self, index: usize) -> usize {
        self.parts.get(index).map_or(index, |part| index + 1 + part.inside as usize)
    }
}

/// One part: a multipart, a message in the message, or a leaf.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// How many parts stand inside this one, at any depth.
    pub(super) inside: u32,
    /// What it is for the tree; agrees with `media_type`.
    pub kind: Kind,
    /// Where its header stands in the stored message, with the empty line that ends it.
    pub header: Range<u64>,
    /// Where its body stands in the stored message: what `BODY[n]` returns. The line end before a boundary is not part
    /// of it (RFC 2046 section 5.1.1).
    pub body: Range<u64>,
    /// Lines of the body; a last one without line end counts.
    pub lines: u64,
    /// `text` of `text/plain`, in lower case; never empty.
    pub media_type: String,
    /// `plain` of `text/plain`, in lower case; never empty.
    pub subtype: String,
    /// Parameters of Content-Type. A text part has always a `charset`.
    pub params: Vec<Param>,
    /// Content-ID.
    pub id: Option<Vec<u8>>,
    /// Content-Description, encoded-words left as they are.
    pub description: Option<Vec<u8>>,
    /// Content-Transfer-Encoding in lower case, `7bit` if the message names none.
    pub encoding: String,
    /// Content-MD5.
    pub md5: Option<Vec<u8>>,
    /// Content-Disposition.
    pub disposition: Option<Disposition>,
    /// Content-Language, one tag each.
    pub language: Vec<String>,
    /// Content-Location.
    pub location: Option<Vec<u8>>,
    /// The envelope, of the message itself and of the one part inside a [`Kind::Message`].
    pub envelope: Option<Box<Envelope>>,
}

impl Part {
    /// Octets of the body, in its transfer encoding.
    pub fn size(&self) -> u64 {
        self.body.end.saturating_sub(self.body.start)
    }

    /// Whether it is text, which the size in lines is told of and which can be searched.
    pub fn is_text(&self) -> bool {
        self.kind == Kind::Leaf && self.media_type == "text"
    }

    /// The value of the Content-Type parameter `name`, which is given in lower case.
    pub fn param(&self, name: &str) -> Option<&[u8]> {
        self.params.iter().find(|param| param.name == name).map(|param| param.value.as_slice())
    }
}

/// What a part is for the tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Nothing inside that has a number.
    #[default]
    Leaf,
    /// `multipart/...` with at least one part.
    Multipart,
    /// `message/rfc822` or `message/global` with exactly one part, the message.
    Message,
}

/// One parameter, `charset=utf-8`.
///
/// Continuations (RFC 2231) are joined: `name*0=a; name*1=b` is `name` with `ab`. An extended value keeps its form and
/// the asterisk of its name, so that whoever gets it knows how to read it: `name*` with `utf-8''%C3%A4`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// The name in lower case.
    pub name: String,
    /// The value without quotes and backslashes; it may have octets outside ASCII.
    pub value: Vec<u8>,
}

/// Content-Disposition (RFC 2183).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disposition {
    /// `inline` or `attachment`, in lower case.
    pub kind: String,
    /// `filename` and others.
    pub params: Vec<Param>,
}

/// The header fields an envelope is made of, unfolded and otherwise as written: encoded-words are not decoded, and there
/// may be octets outside ASCII. `None` is a field that the header does not have; an empty one is `Some` of nothing.
/// Of a field that is there twice the first one counts; lists of addresses are joined by commas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// Date.
    pub date: Option<Vec<u8>>,
    /// Subject.
    pub subject: Option<Vec<u8>>,
    /// From; [`addresses`](super::addresses) takes it apart.
    pub from: Option<Vec<u8>>,
    /// Sender.
    pub sender: Option<Vec<u8>>,
    /// Reply-To.
    pub reply_to: Option<Vec<u8>>,
    /// To.
    pub to: Option<Vec<u8>>,
    /// Cc.
    pub cc: Option<Vec<u8>>,
    /// Bcc.
    pub bcc: Option<Vec<u8>>,
    /// In-Reply-To.
    pub in_reply_to: Option<Vec<u8>>,
    /// Message-ID.
    pub message_id: Option<Vec<u8>>,
    /// References, which is not in IMAP's envelope; threads are made of it.
    pub references: Option<Vec<u8>>,
}

static NO_ENVELOPE: Envelope = Envelope {
    date: None,
    subject: None,
    from: None,
    sender: None,
    reply_to: None,
    to: None,
    cc: None,
    bcc: None,
    in_reply_to: None,
    message_id: None,
    references: None,
};

static NOTHING: Part = Part {
    inside: 0,
    kind: Kind::Leaf,
    header: 0..0,
    body: 0..0,
    lines: 0,
    media_type: String::new(),
    subtype: String::new(),
    params: Vec::new(),
    id: None,
    description: None,
    encoding: String::new(),
    md5: None,
    disposition: None,
    language: Vec::new(),
    location: None,
    envelope: None,
};
