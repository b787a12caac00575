//! The log: one line a record, text or JSON, on standard error.
//!
//! Core's own `tracing` events and the plugins' records come together here. Values are escaped, so nothing that a peer
//! sends can begin a line of its own. Standard error that cannot be written to loses records; nothing else can be done.

use crate::config::{model::LogConfig, LogFormat};
use dovetail_abi::log_v1::{Level, LogRecord};
use std::{fmt::Write as _, io::Write as _, sync::Arc};
use time::{macros::format_description, OffsetDateTime};
use tracing::{span, Event, Metadata, Subscriber};

/// Core's name as an instance.
pub const CORE: &str = "core";

/// Where records go.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<LogConfig>);

impl Log {
    /// A log as configured.
    pub fn new(config: LogConfig) -> Self {
        Log(Arc::new(config))
    }

    /// Takes core's own events too. Once a process.
    pub fn install(&self) {
        // A second server in one process (tests) shares the first one's subscriber.
        let _ = tracing::subscriber::set_global_default(CoreEvents(self.clone()));
    }

    /// What is kept of an instance's records.
    pub fn level(&self, instance: &str) -> Level {
        self.0.levels.get(instance).copied().unwrap_or(self.0.level).into()
    }

    /// Writes a record of an instance, if it is to be kept.
    pub fn write(&self, instance: &str, record: &LogRecord) {
        if record.level > self.level(instance) {
            return;
        }
        let mut line = match self.0.format {
            LogFormat::Text => text(instance, record),
            LogFormat::Json => json(instance, record),
        };
        line.push('\n');
        // There is no second place to complain to.
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    }
}

fn now() -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    OffsetDateTime::now_utc().format(&format).unwrap_or_default()
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

fn text(instance: &str, record: &LogRecord) -> String {
    let mut line = format!("{} {:<5} {instance}", now(), level_name(record.level));
    if let Some(session) = &record.session {
        line.push(' ');
        line.push_str(session);
    }
    line.push_str(": ");
    line.extend(record.message.chars().flat_map(|c| {
        // The text is ours, but values may have been formatted into it.
        let plain = !c.is_control();
        plain.then_some(c).into_iter().chain((!plain).then_some('\u{fffd}'))
    }));
    for field in &record.fields {
        line.push(' ');
        line.push_str(&field.name);
        line.push('=');
        let plain = !field.value.is_empty()
            && field.value.chars().all(|c| !c.is_control() && !c.is_whitespace() && c != '"' && c != '=');
        if plain {
            line.push_str(&field.value);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(line, "{:?}", field.value);
        }
    }
    line
}

fn json(instance: &str, record: &LogRecord) -> String {
    let mut object = serde_json::Map::new();
    object.insert("time".into(), now().into());
    object.insert("level".into(), level_name(record.level).into());
    object.insert("plugin".into(), instance.into());
    if let Some(session) = &record.session {
        object.insert("session".into(), session.as_str().into());
    }
    object.insert("message".into(), record.message.as_str().into());
    for field in &record.fields {
        // A field cannot take the place of what every record has.
        let name = if object.contains_key(&field.name) { format!("{}_", field.name) } else { field.name.clone() };
        object.insert(name, field.value.as_str().into());
    }
    serde_json::Value::Object(object).to_string()
}

/// Core's own events.
struct CoreEvents(Log);

impl Subscriber for CoreEvents {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && Level::from(metadata.level()) <= self.0.level(CORE)
    }
    fn event(&self, event: &Event<'_>) {
        let mut record = LogRecord::from_event(event, None);
        if let Some(at) = record.fields.iter().position(|field| field.name == "session") {
            record.session = Some(record.fields.remove(at).value);
        }
        self.0.write(CORE, &record);
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
    use dovetail_abi::log_v1::LogField;

    fn record(value: &str) -> LogRecord {
        LogRecord {
            level: Level::Info,
            target: "t".into(),
            message: "login".into(),
            fields: vec![LogField { name: "user".into(), value: value.into() }],
            session: Some("s1".into()),
        }
    }

    #[test]
    fn a_value_cannot_begin_a_line_of_its_own() {
        let line = text("smtp", &record("a\nerror forged"));
        assert!(!line.contains('\n'), "{line}");
        assert!(line.ends_with(r#"smtp s1: login user="a\nerror forged""#), "{line}");
    }

    #[test]
    fn json_is_json_and_fields_do_not_replace_the_frame() {
        let mut record = record("x");
        record.fields.push(LogField { name: "level".into(), value: "forged".into() });
        let value: serde_json::Value = serde_json::from_str(&json("smtp", &record)).unwrap();
        assert_eq!(value["level"], "info");
        assert_eq!(value["user"], "x");
        assert_eq!(value["level_"], "forged");
    }
}
