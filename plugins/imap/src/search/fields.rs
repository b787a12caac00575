//! The header fields that people search by, of many messages, each field's texts in one piece: a search is one pass of a
//! substring finder over a few hundred kilobytes.
//!
//! Messages never change, so what is here is never wrong; messages that came are added at the end, those that went stay until
//! half of all are dead weight.
//!
//! Bounds: a value is kept up to [`MAX_VALUE`] octets of its text.

use dovetail_mail::mime::{decode_words, fold_case, sent_day, Day, Envelope, Summary};

/// The fields that are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Subject
    Subject,
    /// From
    From,
    /// To
    To,
    /// Cc
    Cc,
    /// Bcc
    Bcc,
    /// Message-ID
    MessageId,
}

impl Field {
    /// A kept field by its name.
    pub fn by_name(name: &[u8]) -> Option<Self> {
        let kept: [(&[u8], Field); 6] = [
            (b"subject", Field::Subject),
            (b"from", Field::From),
            (b"to", Field::To),
            (b"cc", Field::Cc),
            (b"bcc", Field::Bcc),
            (b"message-id", Field::MessageId),
        ];
        kept.into_iter().find(|(kept, _)| kept.eq_ignore_ascii_case(name)).map(|(_, field)| field)
    }
}

/// The fields of a mailbox's messages.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    uids: Vec<u32>,
    days: Vec<Option<Day>>,
    texts: [Texts; 6],
}

/// One field's texts, one behind the other.
#[derive(Clone, Debug, Default)]
struct Texts {
    all: String,
    /// Where each text ends and the next begins.
    ends: Vec<usize>,
    /// Whether the message has the field.
    present: Vec<bool>,
}

impl Fields {
    /// The UIDs whose fields are here, ascending.
    pub fn uids(&self) -> &[u32] {
        &self.uids
    }

    /// Adds the next message in order of UIDs; without a summary, one that has none of the fields.
    pub fn push(&mut self, uid: u32, summary: Option<&Summary>) {
        self.uids.push(uid);
        let nothing = Envelope::default();
        let envelope = summary.map_or(&nothing, Summary::envelope);
        self.days.push(envelope.date.as_deref().and_then(sent_day));
        let values =
            [&envelope.subject, &envelope.from, &envelope.to, &envelope.cc, &envelope.bcc, &envelope.message_id];
        for (texts, value) in self.texts.iter_mut().zip(values) {
            texts.push(value.as_deref());
        }
    }

    /// The UIDs of messages whose field holds `needle` (folded), ascending; any such field if it is empty.
    pub fn find(&self, field: Field, needle: &str) -> Vec<u32> {
        let Some(texts) = self.texts.get(field as usize) else { return Vec::new() };
        texts.find(needle).into_iter().filter_map(|at| self.uids.get(at).copied()).collect()
    }

    /// The UIDs of messages whose Date is a day that `fits`.
    pub fn sent(&self, fits: impl Fn(Day) -> bool) -> Vec<u32> {
        let dated = self.uids.iter().zip(&self.days);
        dated.filter(|(_, day)| day.is_some_and(&fits)).map(|(uid, _)| *uid).collect()
    }

    /// Octets in memory, about.
    pub fn octets(&self) -> usize {
        let texts = self.texts.iter().map(|texts| texts.all.capacity() + texts.ends.capacity() * 9);
        texts.sum::<usize>() + self.uids.capacity() * 12
    }
}

impl Texts {
    fn push(&mut self, value: Option<&[u8]>) {
        if let Some(value) = value {
            let text = fold_case(&decode_words(value));
            let mut end = text.len().min(MAX_VALUE);
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            self.all.push_str(text.get(..end).unwrap_or_default());
        }
        // No needle has a NUL (the grammar refuses it), so none matches across two texts.
        self.all.push('\0');
        self.ends.push(self.all.len());
        self.present.push(value.is_some());
    }

    fn find(&self, needle: &str) -> Vec<usize> {
        if needle.is_empty() {
            return (0..self.present.len())
                .filter(|at| self.present.get(*at).is_some_and(|present| *present))
                .collect();
        }
        let finder = memchr::memmem::Finder::new(needle);
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(at) = self.all.as_bytes().get(from..).and_then(|rest| finder.find(rest)) {
            let message = self.ends.partition_point(|end| *end <= from + at);
            found.push(message);
            match self.ends.get(message) {
                Some(end) => from = *end,
                None => break,
            }
        }
        found
    }
}

/// What is kept of a value.
const MAX_VALUE: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use dovetail_mail::mime::{Limits, Scanner};

    fn fields(messages: &[&str]) -> Fields {
        let mut fields = Fields::default();
        for (at, message) in messages.iter().enumerate() {
            let mut scanner = Scanner::new(&Limits::default());
            scanner.push(message.as_bytes());
            fields.push(at as u32 * 10 + 10, Some(&scanner.finish()));
        }
        fields
    }

    #[test]
    fn texts_are_found_in_their_messages() {
        let fields = fields(&[
            "Subject: Hello World\r\nDate: 1 Feb 2026 10:00:00 +0000\r\n\r\n",
            "From: ann@example.org\r\n\r\n",
            "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nTo: x\r\n\r\n",
            "Subject: hello hello\r\n\r\n",
            "Subject:\r\n\r\n",
        ]);
        assert_eq!(fields.find(Field::Subject, "hello"), [10, 40]);
        assert_eq!(fields.find(Field::Subject, &fold_case("GRÜ")), [30]);
        assert_eq!(fields.find(Field::Subject, ""), [10, 30, 40, 50]);
        assert_eq!(fields.find(Field::From, "ANN".to_lowercase().as_str()), [20]);
        assert!(fields.find(Field::Subject, "worldgr").is_empty(), "across two texts");
        let february = Day { year: 2026, month: 2, day: 1 };
        assert_eq!(fields.sent(|day| day == february), [10]);
    }
}
