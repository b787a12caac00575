//! `dovetail.host.metrics/1`: figures of an instance for the server's `/metrics`.
//!
//! A series is asked for once and kept; an update is one call that adds to an atomic. Names are the plugin's, such as
//! `smtp_messages_total`; the host puts `dovetail_` before them and the label `plugin` (the instance's name) beside them, so
//! instances never mix. The host refuses names that Prometheus does not take, and more series than it allows an instance.

use crate::{wire_as_is, wire_enum, wire_struct, CallFailure};

wire_as_is!(f64);

wire_enum! {
    /// What a series tells.
    pub enum SeriesKind: unknown Counter {
        /// How often something happened; it only grows.
        Counter = 1,
        /// How much there is now.
        Gauge = 2,
        /// How values are spread.
        Histogram = 3,
    }
}

wire_struct! {
    /// A label of a series.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct SeriesLabel => SeriesLabelAbi {
        /// Its name: letters, digits and `_`.
        pub name: String,
        /// Its value. Never something that a peer chooses: each value is a series of its own.
        pub value: String,
    }
}

wire_struct! {
    /// What a series is.
    #[derive(Debug, Clone, PartialEq)]
    pub struct SeriesDescription => SeriesDescriptionAbi {
        /// What it tells.
        pub kind: SeriesKind,
        /// Its name: small letters, digits and `_`, the unit last; counters end in `_total`.
        pub name: String,
        /// What it counts, in a sentence.
        pub help: String,
        /// Its labels. All series of a name have labels of the same names.
        pub labels: Vec<SeriesLabel>,
        /// The upper bounds of a histogram's buckets, ascending; empty for the others.
        pub buckets: Vec<f64>,
    }
}

wire_struct! {
    /// Why there is no such series.
    #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
    #[error("{message}")]
    pub struct SeriesFailure => SeriesFailureAbi {
        /// What is wrong, and what to do.
        pub message: String,
    }
}

impl From<CallFailure> for SeriesFailure {
    fn from(failure: CallFailure) -> Self {
        SeriesFailure { message: failure.to_string() }
    }
}

crate::interface! {
    /// One series. A call that does not fit its kind changes nothing.
    pub interface Series, provider SeriesProvider, table SeriesVt = "dovetail.host.metrics.series/1" {
        /// Adds to a counter.
        now fn add(by: u64) -> Result<(), CallFailure>;
        /// Sets a gauge.
        now fn set(value: i64) -> Result<(), CallFailure>;
        /// Puts a value into a histogram.
        now fn observe(value: f64) -> Result<(), CallFailure>;
    }
}

crate::interface! {
    /// Where an instance gets its series.
    pub interface HostMetrics, provider HostMetricsProvider, table HostMetricsVt = "dovetail.host.metrics/1" {
        /// The series of a description; the same one whenever it is asked for again.
        now fn series(description: SeriesDescription) -> Result<Series, SeriesFailure>;
    }
}
