//! What the instance counts for `/metrics`.

use dovetail_sdk::metrics::{counter, Counter};

/// The counters; cheap to use.
#[derive(Debug)]
pub struct Figures {
    retrieved: Counter,
    tops: Counter,
    deleted: Counter,
    octets: Counter,
}

impl Figures {
    /// Asks the host for them.
    pub fn new() -> Self {
        let help = "Messages that were sent to clients, by command";
        Figures {
            retrieved: counter("pop3_retrievals_total", help, &[("command", "retr")]),
            tops: counter("pop3_retrievals_total", help, &[("command", "top")]),
            deleted: counter("pop3_deleted_total", "Messages that clients deleted", &[]),
            octets: counter("pop3_octets_out_total", "Octets of messages that were sent to clients", &[]),
        }
    }

    /// A message was sent, all of it or its top: so many octets.
    pub fn sent(&self, top: bool, octets: u64) {
        if top { &self.tops } else { &self.retrieved }.inc();
        self.octets.add(octets);
    }

    /// Messages were deleted.
    pub fn deleted(&self, messages: u64) {
        self.deleted.add(messages);
    }
}
