//! Which records belong to a session or to a message.
//!
//! A message is followed by its delivery's id: the line about it names the Message-ID and the delivery, the lines of the
//! delivery name the delivery, and the id begins with the session's. Of a session that carried the message, all is shown but
//! what is about other messages.
//!
//! **Bounds.** [`MAX_DELIVERIES`] deliveries with one Message-ID are followed.

use crate::telemetry::record::Record;
use std::collections::BTreeSet;

/// So many deliveries of one Message-ID are followed.
const MAX_DELIVERIES: usize = 1000;
/// No id is longer; a line of a header may have 998 octets (RFC 5322 section 2.1.1).
const MAX_WANTED: usize = 998;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// As it was given, without `<` and `>`.
    id: String,
    /// The longest part of it that is the same in every form of the log.
    needle: String,
}

impl Wanted {
    /// Reads an id.
    ///
    /// # Errors
    /// If it can be none.
    pub fn parse(text: &str) -> Result<Wanted, String> {
        let id = bare(text);
        if id.is_empty() || id.len() > MAX_WANTED {
            return Err(format!(
                "`{}` is no session and no message (give a session's id from the log, a Message-ID, or a delivery's id)",
                text.chars().take(100).collect::<String>()
            ));
        }
        let is_same = |c: char| !c.is_control() && !matches!(c, '"' | '\\') && c.is_ascii();
        let parts = id.split(|c| !is_same(c));
        let needle = parts.max_by_key(|part| part.len()).unwrap_or_default().to_owned();
        Ok(Wanted { id: id.to_owned(), needle })
    }
}

/// A Message-ID without its angle brackets.
fn bare(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text)
}

/// What is known of it so far.
#[derive(Debug)]
pub struct Following {
    wanted: Wanted,
    /// The id is a session's: all of it belongs.
    session: bool,
    deliveries: BTreeSet<String>,
    /// The sessions of the deliveries.
    sessions: BTreeSet<String>,
}

impl Following {
    /// Nothing is known yet.
    pub fn new(wanted: Wanted) -> Self {
        Following { wanted, session: false, deliveries: BTreeSet::new(), sessions: BTreeSet::new() }
    }

    /// The first time through: learns what belongs together.
    pub fn look(&mut self, line: &str) {
        if !line.contains(&self.wanted.needle) {
            return;
        }
        let Some(record) = Record::parse(line) else { return };
        let id = self.wanted.id.as_str();
        if record.session.as_deref() == Some(id) {
            self.session = true;
        }
        let delivery = record.field("delivery");
        let meant = delivery == Some(id) || record.field("message_id").is_some_and(|text| bare(text) == id);
        if let Some(delivery) = delivery.filter(|_| meant && self.deliveries.len() < MAX_DELIVERIES) {
            self.deliveries.insert(delivery.to_owned());
            let session = record.session.clone().or_else(|| session_of(delivery).map(str::to_owned));
            self.sessions.extend(session);
        }
    }

    /// Whether there is anything.
    pub fn found(&self) -> bool {
        self.session || !self.deliveries.is_empty()
    }

    /// The second time: the record, if it belongs.
    pub fn take(&self, line: &str) -> Option<Record> {
        let id = self.wanted.id.as_str();
        let near =
            (self.session && line.contains(id)) || self.sessions.iter().any(|session| line.contains(session.as_str()));
        if !near {
            return None;
        }
        Record::parse(line).filter(|record| self.belongs(record))
    }

    fn belongs(&self, record: &Record) -> bool {
        let delivery = record.field("delivery");
        if self.session {
            let id = Some(self.wanted.id.as_str());
            if record.session.as_deref() == id || delivery.and_then(session_of) == id {
                return true;
            }
        }
        match (delivery, &record.session) {
            (Some(delivery), _) => self.deliveries.contains(delivery),
            (None, Some(session)) => self.sessions.contains(session),
            (None, None) => false,
        }
    }
}

/// The session that a delivery came in by: its id is the session's with a number.
fn session_of(delivery: &str) -> Option<&str> {
    delivery.rsplit_once('.').map(|(session, _)| session)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = r#"2026-01-02T03:04:05.678Z info  core: ready
info  submission s1: login account=ann@x.test mechanism=PLAIN
info  delivery: delivered delivery=s1.1 account=ann@x.test uid=1
info  submission s1: message delivery=s1.1 message_id=<one@x.test> verdict=250
info  pop3 s2: login account=ann@x.test
info  delivery: delivered delivery=s1.2 account=bob@x.test uid=1
info  submission s1: message delivery=s1.2 message_id="<t\"wo@x.test>" verdict=250
{"level":"info","plugin":"mx","session":"s3","message":"message","delivery":"s3.1","message_id":"<one@x.test>"}
info  mx s11: message delivery=s11.1 message_id=<other@x.test>
no record with s1.1 in it
"#;

    fn trace(what: &str) -> Vec<usize> {
        let mut following = Following::new(Wanted::parse(what).unwrap());
        LOG.lines().for_each(|line| following.look(line));
        assert_eq!(following.found(), LOG.lines().any(|line| following.take(line).is_some()));
        LOG.lines().enumerate().filter(|(_, line)| following.take(line).is_some()).map(|(at, _)| at).collect()
    }

    #[test]
    fn a_session_has_all_its_lines_and_its_deliveries() {
        assert_eq!(trace("s1"), [1, 2, 3, 5, 6]);
        assert_eq!(trace("s2"), [4]);
        assert_eq!(trace("s11"), [8]);
    }

    #[test]
    fn a_message_has_its_sessions_without_their_other_messages() {
        assert_eq!(trace("<one@x.test>"), [1, 2, 3, 7]);
        assert_eq!(trace("one@x.test"), [1, 2, 3, 7]);
        assert_eq!(trace("s1.2"), [1, 5, 6]);
        assert_eq!(trace("<t\"wo@x.test>"), [1, 5, 6]);
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        for what in ["s", "s1.", "s1.3", "x.test", "ann@x.test"] {
            assert_eq!(trace(what), [0_usize; 0], "{what}");
        }
        assert!(Wanted::parse("<>").is_err() && Wanted::parse(&"x".repeat(999)).is_err());
    }
}
