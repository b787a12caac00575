//! What the instance counts for `/metrics`.

use crate::{answers::refused_by_store, message::Put};
use dovetail_sdk::{
    delivery::{Answer, Verdict},
    metrics::{counter, Counter},
    store::StoreFailure,
};

/// The counters; cheap to use.
#[derive(Debug)]
pub(crate) struct Figures {
    appends: ByOutcome,
    recipients: ByOutcome,
}

#[derive(Debug)]
struct ByOutcome {
    delivered: Counter,
    deferred: Counter,
    failed: Counter,
}

impl ByOutcome {
    fn new(name: &str, help: &str) -> Self {
        let of = |outcome: &str| counter(name, help, &[("outcome", outcome)]);
        ByOutcome { delivered: of("delivered"), deferred: of("deferred"), failed: of("failed") }
    }
}

impl Figures {
    /// Asks the host for them.
    pub(crate) fn new() -> Self {
        Figures {
            appends: ByOutcome::new("delivery_appends_total", "Messages for single accounts, by what became of them"),
            recipients: ByOutcome::new("delivery_recipients_total", "Recipients of messages, by their answers"),
        }
    }

    /// A message was put into a mailbox, or not.
    pub(crate) fn appended(&self, result: &Result<Put, StoreFailure>) {
        match result {
            Ok(_) => self.appends.delivered.inc(),
            Err(failure) if refused_by_store(failure.code).verdict == Verdict::Reject => self.appends.failed.inc(),
            Err(_) => self.appends.deferred.inc(),
        }
    }

    /// All recipients of a message were answered.
    pub(crate) fn answered(&self, answers: &[Answer]) {
        for answer in answers {
            match answer.verdict {
                Verdict::Accept => self.recipients.delivered.inc(),
                Verdict::Reject => self.recipients.failed.inc(),
                _ => self.recipients.deferred.inc(),
            }
        }
    }
}
