//! Reads the stored form of a summary, from octets that may be anything.

use super::{SummaryError, ENCODINGS, TYPES};
use crate::mime::scanner::MAX_ITEMS;
use crate::mime::summary::{Disposition, Envelope, Kind, Param, Part};

pub(super) struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    pub(super) fn new(octets: &'a [u8]) -> Self {
        Input { rest: octets }
    }

    /// Fails if anything is left.
    pub(super) fn end(&self) -> Result<(), SummaryError> {
        match self.rest {
            [] => Ok(()),
            _ => Err(SummaryError::Damaged),
        }
    }

    pub(super) fn octet(&mut self) -> Result<u8, SummaryError> {
        let (&first, rest) = self.rest.split_first().ok_or(SummaryError::Damaged)?;
        self.rest = rest;
        Ok(first)
    }

    pub(super) fn number(&mut self) -> Result<u64, SummaryError> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let octet = self.octet()?;
            let bits = u64::from(octet & 0x7f);
            // The tenth octet has one bit only, and no form but the shortest is taken.
            if (bits << shift) >> shift != bits || (octet == 0 && shift > 0) {
                return Err(SummaryError::Damaged);
            }
            number |= bits << shift;
            if octet < 0x80 {
                return Ok(number);
            }
        }
        Err(SummaryError::Damaged)
    }

    /// A number of things of which each takes an octet or more.
    pub(super) fn count(&mut self, max: usize) -> Result<usize, SummaryError> {
        let count = usize::try_from(self.number()?).map_err(|_| SummaryError::Damaged)?;
        if count > max || count > self.rest.len() {
            return Err(SummaryError::Damaged);
        }
        Ok(count)
    }

    fn string(&mut self) -> Result<&'a [u8], SummaryError> {
        let length = usize::try_from(self.number()?).map_err(|_| SummaryError::Damaged)?;
        let (string, rest) = self.rest.split_at_checked(length).ok_or(SummaryError::Damaged)?;
        self.rest = rest;
        Ok(string)
    }

    fn name(&mut self) -> Result<String, SummaryError> {
        let name = self.string()?;
        // Names go into protocols as they are.
        if !name.iter().all(u8::is_ascii_graphic) {
            return Err(SummaryError::Damaged);
        }
        Ok(name.iter().copied().map(char::from).collect())
    }

    pub(super) fn part(&mut self) -> Result<Part, SummaryError> {
        let inside = u32::try_from(self.number()?).map_err(|_| SummaryError::Damaged)?;
        let kind = match self.number()? {
            0 => Kind::Leaf,
            1 => Kind::Multipart,
            2 => Kind::Message,
            _ => return Err(SummaryError::Damaged),
        };
        let start = self.number()?;
        let middle = start.checked_add(self.number()?).ok_or(SummaryError::Damaged)?;
        let end = middle.checked_add(self.number()?).ok_or(SummaryError::Damaged)?;
        let lines = self.number()?;
        let (media_type, subtype) = match self.number()? {
            0 => (self.name()?, self.name()?),
            number => {
                let (media, sub) = nth(TYPES, number)?;
                (media.to_owned(), sub.to_owned())
            }
        };
        let encoding = match self.number()? {
            0 => self.name()?,
            number => nth(ENCODINGS, number)?.to_owned(),
        };
        let flags = self.number()?;
        if flags >= 256 {
            return Err(SummaryError::Damaged);
        }
        let has = |flag| flags & flag != 0;
        Ok(Part {
            inside,
            kind,
            header: start..middle,
            body: middle..end,
            lines,
            media_type,
            subtype,
            encoding,
            params: if has(1) { self.params()? } else { Vec::new() },
            id: self.optional(has(2))?,
            description: self.optional(has(4))?,
            md5: self.optional(has(8))?,
            disposition: if has(16) { Some(self.disposition()?) } else { None },
            language: if has(32) { self.list(Self::name)? } else { Vec::new() },
            location: self.optional(has(64))?,
            envelope: if has(128) { Some(Box::new(self.envelope()?)) } else { None },
        })
    }

    fn optional(&mut self, there: bool) -> Result<Option<Vec<u8>>, SummaryError> {
        there.then(|| self.string().map(<[u8]>::to_vec)).transpose()
    }

    fn list<T>(&mut self, item: fn(&mut Self) -> Result<T, SummaryError>) -> Result<Vec<T>, SummaryError> {
        let count = self.count(MAX_ITEMS)?;
        (0..count).map(|_| item(self)).collect()
    }

    fn params(&mut self) -> Result<Vec<Param>, SummaryError> {
        self.list(|input| Ok(Param { name: input.name()?, value: input.string()?.to_vec() }))
    }

    fn disposition(&mut self) -> Result<Disposition, SummaryError> {
        Ok(Disposition { kind: self.name()?, params: self.params()? })
    }

    fn envelope(&mut self) -> Result<Envelope, SummaryError> {
        let flags = self.number()?;
        if flags >= 1 << 11 {
            return Err(SummaryError::Damaged);
        }
        let mut next = 0;
        let mut string = || {
            let there = flags & (1 << next) != 0;
            next += 1;
            self.optional(there)
        };
        Ok(Envelope {
            date: string()?,
            subject: string()?,
            from: string()?,
            sender: string()?,
            reply_to: string()?,
            to: string()?,
            cc: string()?,
            bcc: string()?,
            in_reply_to: string()?,
            message_id: string()?,
            references: string()?,
        })
    }
}

fn nth<T: Copy>(list: &[T], number: u64) -> Result<T, SummaryError> {
    usize::try_from(number)
        .ok()
        .and_then(|number| list.get(number.checked_sub(1)?))
        .copied()
        .ok_or(SummaryError::Damaged)
}
