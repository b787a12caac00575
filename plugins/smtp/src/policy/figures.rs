//! What is counted of one policy.

use dovetail_sdk::metrics::{counter, histogram, Counter, Histogram, SECONDS};
use dovetail_sdk::policy::Decision;

/// A policy's figures.
#[derive(Debug)]
pub struct Figures {
    accept: Counter,
    reject: Counter,
    defer: Counter,
    discard: Counter,
    junk: Counter,
    failed: Counter,
    /// How long it took to decide.
    pub seconds: Histogram,
}

impl Figures {
    /// Asks the host for them.
    pub fn new(policy: &str) -> Self {
        let of = |verdict: &str| {
            let help = "What policies said, by policy; failed: nothing usable, or not in time";
            counter("smtp_policy_decisions_total", help, &[("policy", policy), ("verdict", verdict)])
        };
        let help = "How long a policy took to decide";
        Figures {
            accept: of("accept"),
            reject: of("reject"),
            defer: of("defer"),
            discard: of("discard"),
            junk: of("junk"),
            failed: of("failed"),
            seconds: histogram("smtp_policy_seconds", help, &[("policy", policy)], SECONDS),
        }
    }

    /// It has decided.
    pub fn decided(&self, decision: Decision) {
        match decision {
            Decision::Accept => self.accept.inc(),
            Decision::Reject => self.reject.inc(),
            Decision::Discard => self.discard.inc(),
            Decision::Junk => self.junk.inc(),
            _ => self.defer.inc(),
        }
    }

    /// It has not.
    pub fn failed(&self) {
        self.failed.inc();
    }
}
