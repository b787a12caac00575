//! A plugin for tests that provides another shape under an id that was published.

use dovetail_sdk::{export_plugin, CallFailure, Context, Plugin, StartFailure};
use dovetail_test_counter::bent::{Counter, CounterProvider};
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {}

struct CountsBent(AtomicU64);

impl Plugin for CountsBent {
    type Config = Config;
    async fn start(_: Config, _: Context) -> Result<Self, StartFailure> {
        Ok(CountsBent(AtomicU64::new(0)))
    }
}

impl CounterProvider for CountsBent {
    fn add(&self, by: u64) -> Result<u64, CallFailure> {
        Ok(self.0.fetch_add(by, Ordering::Relaxed).wrapping_add(by))
    }
    fn reset(&self) -> Result<(), CallFailure> {
        self.0.store(0, Ordering::Relaxed);
        Ok(())
    }
}

export_plugin! {
    plugin: CountsBent,
    id: "counts-bent",
    summary: "Counts, by something else than the first revision (for tests)",
    provides: [Counter],
    requires: [],
}
