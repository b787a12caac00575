//! Figures for the server's `/metrics`.
//!
//! Ask for a handle once, at the start of the instance, and keep it: making one looks names up, using one adds to an atomic.
//!
//! ```
//! use dovetail_sdk::metrics::{self, Counter};
//!
//! struct Figures {
//!     accepted: Counter,
//! }
//!
//! impl Figures {
//!     fn new() -> Self {
//!         let help = "Messages at the end of their data, by what became of them";
//!         Figures { accepted: metrics::counter("smtp_messages_total", help, &[("outcome", "accepted")]) }
//!     }
//! }
//! // The server shows dovetail_smtp_messages_total{plugin="mx",outcome="accepted"}.
//! Figures::new().accepted.inc();
//! ```
//!
//! **How it fails.** Figures never stop mail: what the host refuses (a bad name, too many series) is said once in the log, and
//! the handle counts nowhere. **Bounds**: the host allows an instance some hundred series; never make a label's value from
//! what a peer sends.

use crate::host;
use dovetail_abi::metrics_v1::{Series, SeriesDescription, SeriesKind, SeriesLabel};
use std::time::Duration;

/// Upper bounds in seconds for work that takes from a tenth of a millisecond (an fsync on a fast disk) to seconds.
pub const SECONDS: &[f64] =
    &[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Counts what happens.
#[derive(Clone, Default)]
pub struct Counter(Option<Series>);

/// Shows how much there is now.
#[derive(Clone, Default)]
pub struct Gauge(Option<Series>);

/// Shows how values are spread.
#[derive(Clone, Default)]
pub struct Histogram(Option<Series>);

/// A counter. Its name ends in `_total`.
pub fn counter(name: &str, help: &str, labels: &[(&str, &str)]) -> Counter {
    Counter(series(SeriesKind::Counter, name, help, labels, &[]))
}

/// A gauge.
pub fn gauge(name: &str, help: &str, labels: &[(&str, &str)]) -> Gauge {
    Gauge(series(SeriesKind::Gauge, name, help, labels, &[]))
}

/// A histogram with these upper bounds, ascending.
pub fn histogram(name: &str, help: &str, labels: &[(&str, &str)], buckets: &[f64]) -> Histogram {
    Histogram(series(SeriesKind::Histogram, name, help, labels, buckets))
}

impl Counter {
    /// One more.
    pub fn inc(&self) {
        self.add(1);
    }

    /// So many more.
    pub fn add(&self, by: u64) {
        if let Some(series) = &self.0 {
            // A host that counts no more is stopping.
            let _ = series.add(by);
        }
    }
}

impl Gauge {
    /// There is so much now.
    pub fn set(&self, value: u64) {
        if let Some(series) = &self.0 {
            // As above.
            let _ = series.set(i64::try_from(value).unwrap_or(i64::MAX));
        }
    }
}

impl Histogram {
    /// Puts a value in.
    pub fn observe(&self, value: f64) {
        if let Some(series) = &self.0 {
            // As above.
            let _ = series.observe(value);
        }
    }

    /// Puts a time in, in seconds.
    pub fn observe_time(&self, time: Duration) {
        self.observe(time.as_secs_f64());
    }
}

fn series(kind: SeriesKind, name: &str, help: &str, labels: &[(&str, &str)], buckets: &[f64]) -> Option<Series> {
    // Without a host (a plain unit test) nobody reads figures.
    let host = host::current()?;
    let description = SeriesDescription {
        kind,
        name: name.to_owned(),
        help: help.to_owned(),
        labels: labels
            .iter()
            .map(|(name, value)| SeriesLabel { name: (*name).to_owned(), value: (*value).to_owned() })
            .collect(),
        buckets: buckets.to_vec(),
    };
    match host.metrics.series(description) {
        Ok(series) => Some(series),
        Err(failure) => {
            tracing::warn!(metric = name, "a figure is not counted: {failure}");
            None
        }
    }
}

impl std::fmt::Debug for Counter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Counter")
    }
}

impl std::fmt::Debug for Gauge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gauge")
    }
}

impl std::fmt::Debug for Histogram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Histogram")
    }
}
