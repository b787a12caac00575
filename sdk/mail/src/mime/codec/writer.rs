//! Writes the stored form of a summary.

use super::{ENCODINGS, TYPES};
use crate::mime::summary::{Envelope, Param, Part};

pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn new(version: u8) -> Self {
        Writer(vec![version])
    }

    pub(super) fn done(self) -> Vec<u8> {
        self.0
    }

    pub(super) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn string(&mut self, text: &[u8]) {
        self.number(text.len() as u64);
        self.0.extend_from_slice(text);
    }

    pub(super) fn part(&mut self, part: &Part) {
        self.number(u64::from(part.inside));
        self.number(part.kind as u64);
        self.number(part.header.start);
        self.number(part.header.end - part.header.start);
        self.number(part.body.end - part.body.start);
        self.number(part.lines);
        match TYPES.iter().position(|&(media, sub)| part.media_type == media && part.subtype == sub) {
            Some(at) => self.number(at as u64 + 1),
            None => {
                self.number(0);
                self.string(part.media_type.as_bytes());
                self.string(part.subtype.as_bytes());
            }
        }
        match ENCODINGS.iter().position(|&encoding| part.encoding == encoding) {
            Some(at) => self.number(at as u64 + 1),
            None => {
                self.number(0);
                self.string(part.encoding.as_bytes());
            }
        }
        let strings = [(2, &part.id), (4, &part.description), (8, &part.md5), (64, &part.location)];
        let mut flags = strings.iter().filter(|(_, string)| string.is_some()).map(|(flag, _)| flag).sum();
        flags |= u64::from(!part.params.is_empty());
        flags |= u64::from(part.disposition.is_some()) << 4;
        flags |= u64::from(!part.language.is_empty()) << 5;
        flags |= u64::from(part.envelope.is_some()) << 7;
        self.number(flags);
        if !part.params.is_empty() {
            self.params(&part.params);
        }
        for string in [&part.id, &part.description, &part.md5].into_iter().flatten() {
            self.string(string);
        }
        if let Some(disposition) = &part.disposition {
            self.string(disposition.kind.as_bytes());
            self.params(&disposition.params);
        }
        if !part.language.is_empty() {
            self.number(part.language.len() as u64);
            part.language.iter().for_each(|tag| self.string(tag.as_bytes()));
        }
        if let Some(location) = &part.location {
            self.string(location);
        }
        if let Some(envelope) = &part.envelope {
            self.envelope(envelope);
        }
    }

    fn params(&mut self, params: &[Param]) {
        self.number(params.len() as u64);
        for param in params {
            self.string(param.name.as_bytes());
            self.string(&param.value);
        }
    }

    fn envelope(&mut self, envelope: &Envelope) {
        let Envelope { date, subject, from, sender, reply_to, to, cc, bcc, in_reply_to, message_id, references } =
            envelope;
        let strings = [date, subject, from, sender, reply_to, to, cc, bcc, in_reply_to, message_id, references];
        self.number(strings.iter().enumerate().map(|(at, string)| u64::from(string.is_some()) << at).sum());
        strings.into_iter().flatten().for_each(|string| self.string(string));
    }
}
