//! The store's figures for `/metrics`.
//!
//! Bounds: [`MAX_SERIES`] certificates have a series of their own, those that were served first; the soonest end of all is
//! always there.

use std::collections::BTreeMap;

use dovetail_sdk::metrics::{counter, gauge, Counter, Gauge};
use time::OffsetDateTime;

use crate::name::CertName;
use crate::snapshot::Snapshot;

/// So many certificates have a series of their own.
pub const MAX_SERIES: usize = 200;

/// See the module.
pub struct Figures {
    served: Gauge,
    broken: Gauge,
    soonest: Gauge,
    generation: Gauge,
    changed: Counter,
    unchanged: Counter,
    failed: Counter,
    read: Counter,
    refused: Counter,
    ends: BTreeMap<CertName, Gauge>,
}

impl Figures {
    /// Asks the host for them.
    pub fn new() -> Self {
        let looks =
            |outcome| counter("certs_reloads_total", "Looks at the certificate folder", &[("outcome", outcome)]);
        let reads = |outcome| counter("certs_pairs_read_total", "Pairs read from the folder", &[("outcome", outcome)]);
        Self {
            served: gauge("certs_served", "Pairs of certificate and key that are served", &[]),
            broken: gauge("certs_broken", "Pairs in the folder that can't be used as they are now", &[]),
            soonest: gauge(
                "certs_soonest_not_after_seconds",
                "End of the served certificate that expires first, Unix time; 0 without any",
                &[],
            ),
            generation: gauge("certs_generation", "How often what is served has changed since the start", &[]),
            changed: looks("changed"),
            unchanged: looks("unchanged"),
            failed: looks("failed"),
            read: reads("good"),
            refused: reads("refused"),
            ends: BTreeMap::new(),
        }
    }

    /// A look at the folder: what it found, or that it failed.
    pub fn looked(&self, found: Option<(bool, usize, usize)>) {
        match found {
            Some((changed, good, refused)) => {
                self.read.add(good as u64);
                self.refused.add(refused as u64);
                if refused > 0 {
                    self.failed.inc();
                } else if changed {
                    self.changed.inc();
                } else {
                    self.unchanged.inc();
                }
            }
            None => self.failed.inc(),
        }
    }

    /// What is served now.
    pub fn show(&mut self, snapshot: &Snapshot, broken: usize, turns: u64) {
        let unix = |end: OffsetDateTime| u64::try_from(end.unix_timestamp()).unwrap_or(0);
        let mut soonest: Option<OffsetDateTime> = None;
        let mut served = 0;
        for pair in snapshot.pairs() {
            served += 1;
            let end = pair.identity.leaf().not_after;
            soonest = Some(soonest.map_or(end, |soonest| soonest.min(end)));
            if self.ends.len() < MAX_SERIES && !self.ends.contains_key(pair.name()) {
                let help = "End of a served certificate, Unix time; 0 once it is withdrawn";
                let series = gauge("certs_not_after_seconds", help, &[("certificate", pair.name().as_str())]);
                self.ends.insert(pair.name().clone(), series);
            }
        }
        for (name, series) in &self.ends {
            series.set(snapshot.pair(name).map_or(0, |pair| unix(pair.identity.leaf().not_after)));
        }
        self.served.set(served);
        self.broken.set(broken as u64);
        self.soonest.set(soonest.map_or(0, unix));
        self.generation.set(turns);
    }
}
