//! The log: one line a record, text or JSON, on standard error.
//!
//! Core's own `tracing` events and the plugins' records come together here. Values are escaped, so nothing that a peer
//! sends can begin a line of its own. Standard error that cannot be written to loses records; nothing else can be done.
//!
//! Where standard error is the journal, a line begins with its priority (`<3>` error, `<4>` warn, `<6>` info, `<7>` debug and
//! trace; sd-daemon(3)) and has no time: the journal has one of its own. [`record`](super::record) reads all forms back.

use super::record::write_text;
use crate::config::{model::LogConfig, LogFormat};
use arc_swap::ArcSwap;
use dovetail_abi::log_v1::{Level, LogRecord};
use std::{
    io::Write as _,
    sync::{Arc, OnceLock},
};
use time::{format_description::BorrowedFormatItem, macros::format_description, OffsetDateTime};
use tracing::{span, Event, Metadata, Subscriber};

/// Core's name as an instance.
pub const CORE: &str = "core";

/// Where records go.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<ArcSwap<LogConfig>>);

impl Log {
    /// A log as configured.
    pub fn new(config: LogConfig) -> Self {
        Log(Arc::new(ArcSwap::from_pointee(config)))
    }

    /// Another config from now on, for everybody who has this log. Instances ask for their level when they are reloaded.
    pub fn set(&self, config: LogConfig) {
        self.0.store(Arc::new(config));
    }

    /// Takes core's own events too. Once a process.
    pub fn install(&self) {
        // A second server in one process (tests) shares the first one's subscriber.
        let _ = tracing::subscriber::set_global_default(CoreEvents(self.clone()));
    }

    /// What is kept of an instance's records.
    pub fn level(&self, instance: &str) -> Level {
        let config = self.0.load();
        config.levels.get(instance).copied().unwrap_or(config.level).into()
    }

    /// Writes a record of an instance, if it is to be kept.
    pub fn write(&self, instance: &str, record: &LogRecord) {
        if record.level > self.level(instance) {
            return;
        }
        let time = if is_journal() { None } else { now() };
        let mut line = if time.is_none() { priority(record.level).to_owned() } else { String::new() };
        match self.0.load().format {
            LogFormat::Text => text(&mut line, time, instance, record),
            LogFormat::Json => line.push_str(&json(time, instance, record)),
        }
        line.push('\n');
        // There is no second place to complain to.
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    }
}

/// How a time is written.
pub const TIME: &[BorrowedFormatItem<'static>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

fn now() -> Option<String> {
    Some(OffsetDateTime::now_utc().format(TIME).unwrap_or_default())
}

/// Whether standard error is the journal: systemd then says in `JOURNAL_STREAM` which stream that is (systemd.exec(5)). A
/// child whose standard error went elsewhere has the variable too.
fn is_journal() -> bool {
    static IS_JOURNAL: OnceLock<bool> = OnceLock::new();
    *IS_JOURNAL.get_or_init(|| {
        let named = std::env::var("JOURNAL_STREAM").unwrap_or_default();
        rustix::fs::fstat(std::io::stderr()).is_ok_and(|stat| is_stream(&named, stat.st_dev, stat.st_ino))
    })
}

fn is_stream(named: &str, device: u64, inode: u64) -> bool {
    named.split_once(':').is_some_and(|(d, i)| d.parse() == Ok(device) && i.parse() == Ok(inode))
}

/// The priority as the journal takes it.
fn priority(level: Level) -> &'static str {
    match level {
        Level::Error => "<3>",
        Level::Warn => "<4>",
        Level::Debug | Level::Trace => "<7>",
        _ => "<6>",
    }
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warn => "warn",
        Level::Debug => "debug",
        Level::Trace => "trace",
        _ => "info",
    }
}

fn text(line: &mut String, time: Option<String>, instance: &str, record: &LogRecord) {
    if let Some(time) = time {
        line.push_str(&time);
        line.push(' ');
    }
    write_text(line, (level_name(record.level), instance, record.session()), record.message(), record.fields());
}

fn json(time: Option<String>, instance: &str, record: &LogRecord) -> String {
    let mut object = serde_json::Map::new();
    if let Some(time) = time {
        object.insert("time".into(), time.into());
    }
    object.insert("level".into(), level_name(record.level).into());
    object.insert("plugin".into(), instance.into());
    if let Some(session) = record.session() {
        object.insert("session".into(), session.into());
    }
    object.insert("message".into(), record.message().into());
    for (name, value) in record.fields() {
        // A field cannot take the place of what every record has.
        let name = if object.contains_key(name) { format!("{name}_") } else { name.to_owned() };
        object.insert(name, value.into());
    }
    serde_json::Value::Object(object).to_string()
}

/// Core's own events.
struct CoreEvents(Log);

impl Subscriber for CoreEvents {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> tracing::subscriber::Interest {
        // A reload may change the level: ask each time.
        tracing::subscriber::Interest::sometimes()
    }
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && Level::from(metadata.level()) <= self.0.level(CORE)
    }
    fn event(&self, event: &Event<'_>) {
        self.0.write(CORE, &LogRecord::from_event(event, None));
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(value: &str) -> LogRecord {
        LogRecord::new(Level::Info, Some("s1"), "login").with("user", value)
    }

    #[test]
    fn a_value_cannot_begin_a_line_of_its_own() {
        let mut line = String::new();
        text(&mut line, None, "smtp", &record("a\nerror forged"));
        assert!(!line.contains('\n'), "{line}");
        assert!(line.ends_with(r#"smtp s1: login user="a\nerror forged""#), "{line}");
    }

    #[test]
    fn the_journal_is_known_by_its_stream() {
        assert!(is_stream("8:1234", 8, 1234));
        for other in ["", "8", "8:1235", "9:1234", "8:", "x:y", "8:1234:5"] {
            assert!(!is_stream(other, 8, 1234), "{other}");
        }
    }

    #[test]
    fn what_is_written_for_the_journal_has_a_priority_and_no_time() {
        let mut line = priority(Level::Warn).to_owned();
        text(&mut line, None, "mx", &record("x"));
        assert_eq!(line, "<4>info  mx s1: login user=x");
        assert!(!json(None, "mx", &record("x")).contains("time"));
    }

    #[test]
    fn json_is_json_and_fields_do_not_replace_the_frame() {
        let record = record("x").with("level", "forged");
        let value: serde_json::Value = serde_json::from_str(&json(now(), "smtp", &record)).unwrap();
        assert_eq!(value["level"], "info");
        assert_eq!(value["user"], "x");
        assert_eq!(value["level_"], "forged");
    }
}
