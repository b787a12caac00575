//! `dovetail.host.log/1`: what plugins say goes into the host's log.

use crate::{wire_enum, wire_struct, CallFailure};
use std::fmt::Write as _;

wire_enum! {
    /// How much a record matters.
    pub enum Level: unknown Info {
        /// Something failed.
        Error = 1,
        /// Something should be looked at.
        Warn = 2,
        /// What happened: a login, a message.
        Info = 3,
        /// How it happened.
        Debug = 4,
        /// Every step.
        Trace = 5,
    }
}

impl From<&tracing::Level> for Level {
    fn from(level: &tracing::Level) -> Self {
        match *level {
            tracing::Level::ERROR => Level::Error,
            tracing::Level::WARN => Level::Warn,
            tracing::Level::INFO => Level::Info,
            tracing::Level::DEBUG => Level::Debug,
            tracing::Level::TRACE => Level::Trace,
        }
    }
}

wire_struct! {
    /// One record. All its texts cross in one piece: a record is the most frequent call of a session, and each text of its own
    /// would be copied by itself on the other side.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct LogRecord => LogRecordAbi {
        /// How much it matters.
        pub level: Level,
        /// One after the other: the session it belongs to, or nothing; then name and value of each field by turns. The field
        /// [`MESSAGE`] is the text of the record, [`SESSION`] its session if the first piece is empty.
        pub pieces: String,
        /// Where each piece ends in `pieces`, in bytes from its beginning. A piece whose end is no place in `pieces` counts as empty.
        pub ends: Vec<u32>,
    }
}

/// The field that is the text of a record.
pub const MESSAGE: &str = "message";
/// The field that is the session of a record which has none otherwise.
pub const SESSION: &str = "session";
/// Pieces before the fields: the session.
const BEFORE: usize = 1;

impl LogRecord {
    /// A record without fields.
    pub fn new(level: Level, session: Option<&str>, message: &str) -> Self {
        let mut record = LogRecord::begin(level, session);
        record.put(MESSAGE, message);
        record
    }

    /// Collects an event of `tracing`.
    pub fn from_event(event: &tracing::Event<'_>, session: Option<&str>) -> Self {
        let mut record = LogRecord::begin(event.metadata().level().into(), session);
        event.record(&mut record);
        record
    }

    /// Adds a field.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.put(name, value);
        self
    }

    /// The session it belongs to.
    pub fn session(&self) -> Option<&str> {
        match self.piece(0) {
            "" => self.all().find(|(name, _)| *name == SESSION).map(|(_, value)| value),
            session => Some(session),
        }
    }

    /// The text.
    pub fn message(&self) -> &str {
        self.all().find(|(name, _)| *name == MESSAGE).map_or("", |(_, value)| value)
    }

    /// The other fields, name and value, in their order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        let session_is_a_field = self.piece(0).is_empty();
        self.all().filter(move |(name, _)| *name != MESSAGE && !(session_is_a_field && *name == SESSION))
    }

    fn begin(level: Level, session: Option<&str>) -> Self {
        // Most records fit; others grow.
        let mut record = LogRecord { level, pieces: String::with_capacity(256), ends: Vec::with_capacity(16) };
        record.piece_of(session.unwrap_or_default());
        record
    }

    fn put(&mut self, name: &str, value: &str) {
        self.piece_of(name);
        self.piece_of(value);
    }

    fn piece_of(&mut self, text: &str) {
        self.pieces.push_str(text);
        self.end_piece();
    }

    fn end_piece(&mut self) {
        // 4 GiB of text were refused long before.
        self.ends.push(u32::try_from(self.pieces.len()).unwrap_or(u32::MAX));
    }

    fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        (BEFORE..self.ends.len()).step_by(2).map(|at| (self.piece(at), self.piece(at + 1)))
    }

    fn piece(&self, at: usize) -> &str {
        let place = |at: usize| self.ends.get(at).map(|&end| end as usize);
        let from = if at == 0 { Some(0) } else { place(at - 1) };
        let range = from.zip(place(at)).map(|(from, to)| from..to);
        range.and_then(|range| self.pieces.get(range)).unwrap_or_default()
    }
}

impl tracing::field::Visit for LogRecord {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        self.piece_of(field.name());
        // Writing into a string fails only if the value's own Debug does.
        let _ = write!(self.pieces, "{value:?}");
        self.end_piece();
    }
    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        self.put(field.name(), value);
    }
}

crate::interface! {
    /// The host's log, seen by one instance.
    pub interface HostLog, provider HostLogProvider, table HostLogVt = "dovetail.host.log/1" {
        /// The least important level that this instance's records are kept at.
        now fn level() -> Result<Level, CallFailure>;
        /// Writes a record.
        now fn record(record: LogRecord) -> Result<(), CallFailure>;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_out_as_they_went_in() {
        let record = LogRecord::new(Level::Info, Some("s1"), "accepted").with("from", "ä@example.org");
        let record = record.with("", "").with(SESSION, "forged");
        assert_eq!((record.session(), record.message()), (Some("s1"), "accepted"));
        let fields: Vec<_> = record.fields().collect();
        assert_eq!(fields, [("from", "ä@example.org"), ("", ""), (SESSION, "forged")]);
    }

    #[test]
    fn a_session_may_be_a_field() {
        let record = LogRecord::new(Level::Info, None, "gone").with(SESSION, "s2").with("a", "1");
        assert_eq!(record.session(), Some("s2"));
        assert_eq!(record.fields().collect::<Vec<_>>(), [("a", "1")]);
    }

    #[test]
    fn ends_that_are_no_places_give_empty_texts() {
        let text = "aä".to_owned();
        for ends in [vec![], vec![2], vec![9, 1, 2, 0, 3], vec![3, 1, u32::MAX], vec![1, 1, 2, 3, 3, 3, 3]] {
            let record = LogRecord { level: Level::Warn, pieces: text.clone(), ends };
            let all = format!("{:?}{}{:?}", record.session(), record.message(), record.fields().count());
            assert!(!all.is_empty());
        }
    }
}
