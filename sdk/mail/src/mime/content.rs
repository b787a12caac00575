//! What the header of a message or part says about it (RFC 2045, 2183, 3282, 1864, 2557).

use super::fields::{fields, unfold, Field};
use super::limits::Limits;
use super::params::{self, Cursor};
use super::summary::{Disposition, Envelope, Kind, Param, Part};

/// Reads headers within the limits of a scan.
pub(super) struct Reader<'a> {
    pub(super) limits: &'a Limits,
    /// What values may still be kept, in octets.
    pub(super) budget: &'a mut usize,
}

impl Reader<'_> {
    /// Fills `part` from its header; of a field that is there twice the first one counts.
    pub(super) fn describe(&mut self, part: &mut Part, header: &[u8], is_message: bool, in_digest: bool) {
        let mut envelope = Envelope::default();
        let mut content_type = None;
        let mut encoding = None;
        for field in fields(header) {
            match field.name.get(..8) {
                Some(begin) if begin.eq_ignore_ascii_case(b"content-") => {
                    match field.name.get(8..).unwrap_or_default().to_ascii_lowercase().as_slice() {
                        b"type" => content_type = content_type.or(Some(field.value)),
                        b"transfer-encoding" => encoding = encoding.or_else(|| token(field.value)),
                        b"id" => self.once(&mut part.id, &field),
                        b"description" => self.once(&mut part.description, &field),
                        b"md5" => self.once(&mut part.md5, &field),
                        b"location" => self.once(&mut part.location, &field),
                        b"disposition" if part.disposition.is_none() => part.disposition = self.disposition(&field),
                        b"language" if part.language.is_empty() => part.language = self.languages(&field),
                        _ => {}
                    }
                }
                _ if is_message => self.envelope(&mut envelope, &field),
                _ => {}
            }
        }
        part.encoding = encoding.unwrap_or_else(|| "7bit".to_owned());
        self.content_type(part, content_type, in_digest);
        if is_message {
            part.envelope = Some(Box::new(envelope));
        }
    }

    fn content_type(&mut self, part: &mut Part, value: Option<&[u8]>, in_digest: bool) {
        let parsed = value.and_then(|value| {
            let mut cursor = Cursor::new(value);
            let media_type = cursor.token()?;
            let subtype = if cursor.take(b'/') { cursor.token()? } else { return None };
            Some((media_type, subtype, self.params(&mut cursor)))
        });
        (part.media_type, part.subtype, part.params) = match parsed {
            Some(parsed) => parsed,
            // RFC 2046 section 5.1.5.
            None if in_digest && value.is_none() => ("message".to_owned(), "rfc822".to_owned(), Vec::new()),
            None => ("text".to_owned(), "plain".to_owned(), Vec::new()),
        };
        let plain = matches!(part.encoding.as_str(), "7bit" | "8bit" | "binary");
        part.kind = match (part.media_type.as_str(), part.subtype.as_str()) {
            ("multipart", _) => Kind::Multipart,
            // RFC 2046 section 5.2.1 allows no other encoding; what is encoded is a file, not a message.
            ("message", "rfc822" | "global") if plain => Kind::Message,
            ("message", "rfc822" | "global") => {
                part.media_type = "application".to_owned();
                part.subtype = "octet-stream".to_owned();
                Kind::Leaf
            }
            _ => Kind::Leaf,
        };
        if part.media_type == "text" && part.param("charset").is_none() {
            part.params.push(us_ascii());
        }
    }

    fn disposition(&mut self, field: &Field<'_>) -> Option<Disposition> {
        let mut cursor = Cursor::new(field.value);
        let kind = cursor.token();
        let params = self.params(&mut cursor);
        match kind {
            None if params.is_empty() => None,
            // RFC 2183 section 2.8: what is not known is an attachment.
            kind => Some(Disposition { kind: kind.unwrap_or_else(|| "attachment".to_owned()), params }),
        }
    }

    fn languages(&mut self, field: &Field<'_>) -> Vec<String> {
        let tags = field.value.split(|&b| b == b',').filter_map(|tag| Cursor::new(tag).token());
        tags.take(self.limits.params).filter(|tag| spend(self.budget, tag.len())).collect()
    }

    fn params(&mut self, cursor: &mut Cursor<'_>) -> Vec<Param> {
        let mut params = params::parameters(cursor, self.limits.params);
        params.retain(|param| spend(self.budget, param.name.len() + param.value.len()));
        params
    }

    fn envelope(&mut self, envelope: &mut Envelope, field: &Field<'_>) {
        match field.name.to_ascii_lowercase().as_slice() {
            b"date" => self.once(&mut envelope.date, field),
            b"subject" => self.once(&mut envelope.subject, field),
            b"from" => self.list(&mut envelope.from, field),
            b"sender" => self.once(&mut envelope.sender, field),
            b"reply-to" => self.list(&mut envelope.reply_to, field),
            b"to" => self.list(&mut envelope.to, field),
            b"cc" => self.list(&mut envelope.cc, field),
            b"bcc" => self.list(&mut envelope.bcc, field),
            b"in-reply-to" => self.once(&mut envelope.in_reply_to, field),
            b"message-id" => self.once(&mut envelope.message_id, field),
            b"references" => self.once(&mut envelope.references, field),
            _ => {}
        }
    }

    fn once(&mut self, place: &mut Option<Vec<u8>>, field: &Field<'_>) {
        if place.is_none() {
            *place = self.value(field);
        }
    }

    fn list(&mut self, place: &mut Option<Vec<u8>>, field: &Field<'_>) {
        let Some(value) = self.value(field) else { return };
        match place {
            None => *place = Some(value),
            Some(list) if spend(self.budget, 2) => {
                list.extend_from_slice(b", ");
                list.extend_from_slice(&value);
            }
            Some(_) => {}
        }
    }

    /// The value as one line. NUL goes, because IMAP has no way to send it in a string.
    fn value(&mut self, field: &Field<'_>) -> Option<Vec<u8>> {
        let mut value = unfold(field.value);
        value.retain(|&byte| byte != 0);
        spend(self.budget, value.len()).then_some(value)
    }
}

/// Makes a multipart or message that cannot be taken apart a text, so that its octets can be read.
pub(super) fn degrade(part: &mut Part) {
    part.kind = Kind::Leaf;
    part.media_type = "text".to_owned();
    part.subtype = "plain".to_owned();
    part.params = vec![us_ascii()];
}

/// The boundary of a multipart; `None` if it has none that can be used.
pub(super) fn boundary(part: &Part) -> Option<Vec<u8>> {
    let boundary = part.param("boundary")?.trim_ascii_end();
    (!boundary.is_empty() && boundary.len() <= MAX_BOUNDARY).then(|| boundary.to_vec())
}

fn us_ascii() -> Param {
    Param { name: "charset".to_owned(), value: b"us-ascii".to_vec() }
}

fn token(value: &[u8]) -> Option<String> {
    Cursor::new(value).token()
}

fn spend(budget: &mut usize, octets: usize) -> bool {
    match budget.checked_sub(octets) {
        Some(left) => {
            *budget = left;
            true
        }
        None => false,
    }
}

/// RFC 2046 section 5.1.1 allows 70 octets, and many write more.
const MAX_BOUNDARY: usize = 256;
