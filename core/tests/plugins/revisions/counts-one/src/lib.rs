//! A plugin for tests that provides `example.counter/1`.

use dovetail_sdk::{export_plugin, CallFailure, Context, Plugin, StartFailure};
use dovetail_test_counter::v1::{Counter, CounterProvider};
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {}

struct CountsOne(AtomicU64);

impl Plugin for CountsOne {
    type Config = Config;
    async fn start(_: Config, _: Context) -> Result<Self, StartFailure> {
        Ok(CountsOne(AtomicU64::new(0)))
    }
}

impl CounterProvider for CountsOne {
    fn add(&self, by: u64) -> Result<u64, CallFailure> {
        Ok(self.0.fetch_add(by, Ordering::Relaxed).wrapping_add(by))
    }
}

export_plugin! {
    plugin: CountsOne,
    id: "counts-one",
    summary: "Counts, by the first revision (for tests)",
    provides: [Counter],
    requires: [],
}
