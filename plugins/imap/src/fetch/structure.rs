//! BODY and BODYSTRUCTURE (RFC 9051 section 7.5.2): the tree of a message's parts.
//!
//! Bounds: as deep as the summary, whose depth the scanner limits.

use dovetail_imap_grammar::{
    encode::{self, nstring},
    TextMode,
};
use dovetail_mail::mime::{Disposition, Kind, Part, Summary};

use super::envelope;
use super::params::{parameters, token};

/// Writes the whole tree; `extended` with what only BODYSTRUCTURE has.
pub fn write(out: &mut Vec<u8>, summary: &Summary, extended: bool, mode: TextMode) {
    Writer { summary, extended, mode }.part(out, 0, summary.root());
}

struct Writer<'a> {
    summary: &'a Summary,
    extended: bool,
    mode: TextMode,
}

impl Writer<'_> {
    fn part(&self, out: &mut Vec<u8>, index: usize, part: &Part) {
        out.push(b'(');
        match part.kind {
            Kind::Multipart => self.multipart(out, index, part),
            Kind::Message => {
                self.fields(out, part);
                if let Some((inner, message)) = self.summary.children(index).next() {
                    out.push(b' ');
                    envelope::write(out, message.envelope.as_deref().unwrap_or(&Default::default()), self.mode);
                    out.push(b' ');
                    self.part(out, inner, message);
                }
                out.push(b' ');
                encode::number(out, part.lines);
                self.single_extension(out, part);
            }
            _ => {
                self.fields(out, part);
                if part.media_type == "text" {
                    out.push(b' ');
                    encode::number(out, part.lines);
                }
                self.single_extension(out, part);
            }
        }
        out.push(b')');
    }

    fn multipart(&self, out: &mut Vec<u8>, index: usize, part: &Part) {
        for (at, child) in self.summary.children(index) {
            self.part(out, at, child);
        }
        out.push(b' ');
        token(out, &part.subtype, self.mode);
        if self.extended {
            out.push(b' ');
            parameters(out, &part.params, self.mode);
            self.common_extension(out, part);
        }
    }

    /// The seven fields that every leaf has.
    fn fields(&self, out: &mut Vec<u8>, part: &Part) {
        // A message that the scanner did not look into is told as what it is: octets (RFC 9051 section 9, media-basic).
        let unread = part.kind == Kind::Leaf && part.media_type == "message" && is_message(&part.subtype);
        let (media, subtype) = match unread {
            true => ("application", "octet-stream"),
            false => (part.media_type.as_str(), part.subtype.as_str()),
        };
        token(out, media, self.mode);
        out.push(b' ');
        token(out, subtype, self.mode);
        out.push(b' ');
        parameters(out, &part.params, self.mode);
        out.push(b' ');
        nstring(out, part.id.as_deref(), self.mode);
        out.push(b' ');
        nstring(out, part.description.as_deref(), self.mode);
        out.push(b' ');
        token(out, &part.encoding, self.mode);
        out.push(b' ');
        encode::number(out, part.size());
    }

    fn single_extension(&self, out: &mut Vec<u8>, part: &Part) {
        if self.extended {
            out.push(b' ');
            nstring(out, part.md5.as_deref(), self.mode);
            self.common_extension(out, part);
        }
    }

    fn common_extension(&self, out: &mut Vec<u8>, part: &Part) {
        out.push(b' ');
        self.disposition(out, part.disposition.as_ref());
        out.push(b' ');
        self.language(out, &part.language);
        out.push(b' ');
        nstring(out, part.location.as_deref(), self.mode);
    }

    fn disposition(&self, out: &mut Vec<u8>, disposition: Option<&Disposition>) {
        let Some(disposition) = disposition else {
            out.extend_from_slice(b"NIL");
            return;
        };
        out.push(b'(');
        token(out, &disposition.kind, self.mode);
        out.push(b' ');
        parameters(out, &disposition.params, self.mode);
        out.push(b')');
    }

    fn language(&self, out: &mut Vec<u8>, tags: &[String]) {
        match tags {
            [] => out.extend_from_slice(b"NIL"),
            [tag] => encode::string(out, tag.as_bytes(), self.mode),
            tags => {
                out.push(b'(');
                for (n, tag) in tags.iter().enumerate() {
                    if n > 0 {
                        out.push(b' ');
                    }
                    encode::string(out, tag.as_bytes(), self.mode);
                }
                out.push(b')');
            }
        }
    }
}

fn is_message(subtype: &str) -> bool {
    matches!(subtype, "rfc822" | "global")
}

#[cfg(test)]
#[path = "structure_tests.rs"]
mod tests;
