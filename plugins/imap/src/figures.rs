//! What the instance counts for `/metrics`.

use std::sync::atomic::{AtomicU64, Ordering};

use dovetail_imap_grammar::Command;
use dovetail_sdk::metrics::{counter, gauge, Counter, Gauge};

/// The counters; cheap to use.
#[derive(Debug)]
pub struct Figures {
    /// By their places in [`NAMES`].
    commands: Vec<Counter>,
    fetched: Counter,
    octets_out: Counter,
    appended: Counter,
    octets_in: Counter,
    idle: Gauge,
    idling: AtomicU64,
}

impl Figures {
    /// Asks the host for them.
    pub fn new() -> Self {
        let command = |name: &&str| {
            counter("imap_commands_total", "Commands that were understood, by name", &[("command", name)])
        };
        Figures {
            commands: NAMES.iter().map(command).collect(),
            fetched: counter("imap_bodies_fetched_total", "Messages of which clients fetched octets", &[]),
            octets_out: counter("imap_octets_out_total", "Octets of messages that were sent to clients", &[]),
            appended: counter("imap_appended_total", "Messages that clients stored", &[]),
            octets_in: counter("imap_octets_in_total", "Octets of messages that clients stored", &[]),
            idle: gauge("imap_sessions_idle", "Sessions that wait in IDLE", &[]),
            idling: AtomicU64::new(0),
        }
    }

    /// A command was understood.
    pub fn command(&self, command: &Command) {
        if let Some(counter) = self.commands.get(place(command)) {
            counter.inc();
        }
    }

    /// Messages were sent, with so many octets of them.
    pub fn sent(&self, messages: u64, octets: u64) {
        self.fetched.add(messages);
        self.octets_out.add(octets);
    }

    /// A message was stored.
    pub fn appended(&self, octets: u64) {
        self.count(APPEND);
        self.appended.inc();
        self.octets_in.add(octets);
    }

    /// Counts a session as waiting for as long as what this gives lives.
    pub fn idling(&self) -> Idling<'_> {
        self.idle.set(self.idling.fetch_add(1, Ordering::Relaxed) + 1);
        Idling(self)
    }

    fn count(&self, place: usize) {
        if let Some(counter) = self.commands.get(place) {
            counter.inc();
        }
    }
}

/// A session in IDLE.
pub struct Idling<'a>(&'a Figures);

impl Drop for Idling<'_> {
    fn drop(&mut self) {
        let before = self.0.idling.fetch_sub(1, Ordering::Relaxed);
        self.0.idle.set(before.saturating_sub(1));
    }
}

/// APPEND comes another way than the others.
const APPEND: usize = 0;

const NAMES: [&str; 29] = [
    "append",
    "capability",
    "noop",
    "logout",
    "starttls",
    "id",
    "login",
    "authenticate",
    "enable",
    "select",
    "examine",
    "create",
    "delete",
    "rename",
    "subscribe",
    "unsubscribe",
    "list",
    "lsub",
    "namespace",
    "status",
    "idle",
    "close",
    "unselect",
    "expunge",
    "search",
    "fetch",
    "store",
    "copy",
    "move",
];

fn place(command: &Command) -> usize {
    let name = match command {
        Command::Append(_) => "append",
        Command::Capability => "capability",
        Command::Noop | Command::Check => "noop",
        Command::Logout => "logout",
        Command::StartTls => "starttls",
        Command::Id(_) => "id",
        Command::Login(_) => "login",
        Command::Authenticate(_) => "authenticate",
        Command::Enable(_) => "enable",
        Command::Select(_) => "select",
        Command::Examine(_) => "examine",
        Command::Create(_) => "create",
        Command::Delete(_) => "delete",
        Command::Rename(_) => "rename",
        Command::Subscribe(_) => "subscribe",
        Command::Unsubscribe(_) => "unsubscribe",
        Command::List(_) => "list",
        Command::Lsub { .. } => "lsub",
        Command::Namespace => "namespace",
        Command::Status(_) => "status",
        Command::Idle => "idle",
        Command::Close => "close",
        Command::Unselect => "unselect",
        Command::Expunge | Command::UidExpunge(_) => "expunge",
        Command::Search(_) => "search",
        Command::Fetch(_) => "fetch",
        Command::Store(_) => "store",
        Command::Copy(_) => "copy",
        Command::Move(_) => "move",
        _ => return usize::MAX,
    };
    NAMES.iter().position(|known| *known == name).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_counted_by_their_names() {
        assert_eq!(NAMES.get(place(&Command::Check)), Some(&"noop"));
        assert_eq!(NAMES.get(place(&Command::Idle)), Some(&"idle"));
        assert_eq!(NAMES.get(APPEND), Some(&"append"));
    }
}
