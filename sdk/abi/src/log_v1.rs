//! `dovetail.host.log/1`: what plugins say goes into the host's log.

use crate::{wire_enum, wire_struct, CallFailure};

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
    /// One named value of a record.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct LogField => LogFieldAbi {
        /// Its name.
        pub name: String,
        /// Its value as text.
        pub value: String,
    }
}

wire_struct! {
    /// One record.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct LogRecord => LogRecordAbi {
        /// How much it matters.
        pub level: Level,
        /// The module it comes from.
        pub target: String,
        /// The text.
        pub message: String,
        /// The values.
        pub fields: Vec<LogField>,
        /// The session it belongs to.
        pub session: Option<String>,
    }
}

impl LogRecord {
    /// Collects an event of `tracing`; its `message` field becomes the text.
    pub fn from_event(event: &tracing::Event<'_>, session: Option<String>) -> Self {
        let mut record = LogRecord {
            level: event.metadata().level().into(),
            target: event.metadata().target().to_owned(),
            message: String::new(),
            fields: Vec::new(),
            session,
        };
        event.record(&mut record);
        record
    }

    fn put(&mut self, field: &tracing::field::Field, value: String) {
        if field.name() == "message" {
            self.message = value;
        } else {
            self.fields.push(LogField { name: field.name().to_owned(), value });
        }
    }
}

impl tracing::field::Visit for LogRecord {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        self.put(field, value.to_owned());
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
