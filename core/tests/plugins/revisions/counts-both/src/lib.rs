//! A plugin for tests that provides both revisions of a counter: who knows the first one only counts under the name `total`.

use dovetail_sdk::{export_plugin, CallFailure, Context, Plugin, StartFailure};
use dovetail_test_counter::{
    v1,
    v2::{self, Step},
};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {}

struct CountsBoth(Mutex<BTreeMap<String, u64>>);

impl Plugin for CountsBoth {
    type Config = Config;
    async fn start(_: Config, _: Context) -> Result<Self, StartFailure> {
        Ok(CountsBoth(Mutex::default()))
    }
}

impl v2::CounterProvider for CountsBoth {
    fn take(&self, step: Step) -> Result<u64, CallFailure> {
        let mut sums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = sums.entry(step.name).or_default();
        *sum = sum.wrapping_add(step.by);
        Ok(*sum)
    }
}

impl v1::CounterProvider for CountsBoth {
    fn add(&self, by: u64) -> Result<u64, CallFailure> {
        v2::CounterProvider::take(self, Step { name: "total".into(), by })
    }
}

export_plugin! {
    plugin: CountsBoth,
    id: "counts-both",
    summary: "Counts, by both revisions (for tests)",
    provides: [v1::Counter, v2::Counter],
    requires: [],
}
