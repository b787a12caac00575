//! Records of the log, read back: text, JSON, and both as journald gives them.
//!
//! What is no record of ours is `None`. **Bounds**: a line longer than [`MAX_LINE`] octets is none. Reading is linear in the
//! line's length, whatever stands in it.

use serde_json::Value;
use std::fmt::Write as _;

/// No record is longer.
pub const MAX_LINE: usize = 1 << 20;

/// A record of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Record {
    /// When; the journal's lines may not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: String,
    /// The instance, or `core`.
    pub plugin: String,
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The text.
    pub message: String,
    /// The values, in their order.
    #[serde(serialize_with = "as_map")]
    pub fields: Vec<(String, String)>,
}

fn as_map<S: serde::Serializer>(fields: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(fields.iter().map(|(name, value)| (name, value)))
}

impl Record {
    /// Reads a line.
    pub fn parse(line: &str) -> Option<Record> {
        let line = line.trim();
        if line.len() > MAX_LINE {
            return None;
        }
        if line.starts_with('{') {
            let Value::Object(object) = serde_json::from_str(line).ok()? else { return None };
            return match object.get("MESSAGE") {
                Some(message) => from_journal(message, object.get("__REALTIME_TIMESTAMP")),
                None => from_json(object),
            };
        }
        from_text(line)
    }

    /// A value by its name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The record as a line of the text form.
    pub fn text(&self) -> String {
        let mut line = String::new();
        if let Some(time) = &self.time {
            line.push_str(time);
            line.push(' ');
        }
        write_text(
            &mut line,
            (&self.level, &self.plugin, self.session.as_deref()),
            &self.message,
            self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())),
        );
        line
    }
}

/// Writes the text form, without the time.
pub fn write_text<'a>(
    line: &mut String,
    (level, plugin, session): (&str, &str, Option<&str>),
    message: &str,
    fields: impl Iterator<Item = (&'a str, &'a str)>,
) {
    // Writing to a string cannot fail.
    let _ = write!(line, "{level:<5} {plugin}");
    if let Some(session) = session {
        line.push(' ');
        line.push_str(session);
    }
    line.push_str(": ");
    // The text is ours, but values may have been formatted into it.
    line.extend(message.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }));
    for (name, value) in fields {
        line.push(' ');
        line.push_str(name);
        line.push('=');
        if is_plain(value) {
            line.push_str(value);
        } else {
            let _ = write!(line, "{value:?}");
        }
    }
}

/// Whether a value stands in the text form without quotes.
fn is_plain(value: &str) -> bool {
    !value.is_empty() && value.chars().all(|c| !c.is_control() && !c.is_whitespace() && c != '"' && c != '=')
}

fn from_json(object: serde_json::Map<String, Value>) -> Option<Record> {
    let mut record = Record::default();
    for (name, value) in object {
        let value = match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        match name.as_str() {
            "time" => record.time = Some(value),
            "level" => record.level = value,
            "plugin" => record.plugin = value,
            "session" => record.session = Some(value),
            "message" => record.message = value,
            _ => record.fields.push((name, value)),
        }
    }
    (is_level(&record.level) && !record.plugin.is_empty()).then_some(record)
}

/// From `journalctl -o json`: the line stands in a value, as text or, if it is no UTF-8 or long, as octets.
fn from_journal(message: &Value, microseconds: Option<&Value>) -> Option<Record> {
    let line = match message {
        Value::String(line) => line.clone(),
        Value::Array(octets) => {
            let octets: Option<Vec<u8>> = octets.iter().map(|octet| u8::try_from(octet.as_u64()?).ok()).collect();
            String::from_utf8_lossy(&octets?).into_owned()
        }
        _ => return None,
    };
    // The journal's lines are not nested.
    let line = line.trim();
    let mut record = match line.strip_prefix('{') {
        Some(_) => from_json(serde_json::from_str(line).ok()?)?,
        None => from_text(line)?,
    };
    if record.time.is_none() {
        record.time = microseconds.and_then(|value| time_of(value.as_str()?.parse().ok()?));
    }
    Some(record)
}

fn time_of(microseconds: i128) -> Option<String> {
    let time = time::OffsetDateTime::from_unix_timestamp_nanos(microseconds.checked_mul(1000)?).ok()?;
    time.format(super::log::TIME).ok()
}

/// From `[TIME] LEVEL PLUGIN [SESSION]: MESSAGE [NAME=VALUE]...`, perhaps behind what `journalctl` puts before it.
fn from_text(line: &str) -> Option<Record> {
    let (head, rest) = line.split_once(": ")?;
    // `Nov 22 02:43:54 host dovetail[123]: info core: ready`
    if head.ends_with(']') {
        return from_text_itself(rest);
    }
    from_text_itself(line)
}

fn from_text_itself(line: &str) -> Option<Record> {
    let (head, rest) = line.split_once(": ")?;
    let mut words = head.split_ascii_whitespace().peekable();
    let time = words.next_if(|word| word.ends_with('Z') && word.contains('T')).map(str::to_owned);
    let level = words.next().filter(|word| is_level(word))?.to_owned();
    let plugin = words.next()?.to_owned();
    let session = words.next().map(str::to_owned);
    if words.next().is_some() {
        return None;
    }
    let (message, fields) = take_fields(rest);
    Some(Record { time, level, plugin, session, message, fields })
}

fn is_level(word: &str) -> bool {
    ["error", "warn", "info", "debug", "trace"].contains(&word)
}

/// The text, and the values at the end of the line.
fn take_fields(rest: &str) -> (String, Vec<(String, String)>) {
    let mut fields: Vec<(String, String)> = Vec::new();
    // Where the values begin, if all that was read since are values.
    let mut begin = None;
    let mut at = 0;
    while at < rest.len() {
        match field(&rest[at..]) {
            Some((name, value, used)) => {
                begin.get_or_insert(at);
                fields.push((name, value));
                at += used;
            }
            None => {
                begin = None;
                fields.clear();
                at += rest[at..].find(' ').unwrap_or(rest.len() - at);
            }
        }
        at += 1;
    }
    let message = rest[..begin.unwrap_or(rest.len())].trim_end().to_owned();
    (message, fields)
}

/// A value at the start of a text, and how long it is.
fn field(text: &str) -> Option<(String, String, usize)> {
    let end = text.find(['=', ' '])?;
    let name = &text[..end];
    let value = text[end..].strip_prefix('=')?;
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-')) {
        return None;
    }
    if value.starts_with('"') {
        let (value, used) = quoted(value)?;
        let whole = end + 1 + used;
        return text[whole..].chars().next().is_none_or(|c| c == ' ').then(|| (name.to_owned(), value, whole));
    }
    let used = value.find(' ').unwrap_or(value.len());
    is_plain(&value[..used]).then(|| (name.to_owned(), value[..used].to_owned(), end + 1 + used))
}

/// A quoted value with its length, escapes undone.
fn quoted(text: &str) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, at + 1)),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                't' => value.push('\t'),
                '0' => value.push('\0'),
                'u' => {
                    let digits: String =
                        chars.by_ref().map(|(_, c)| c).skip_while(|c| *c == '{').take_while(|c| *c != '}').collect();
                    value.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
                }
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests;
