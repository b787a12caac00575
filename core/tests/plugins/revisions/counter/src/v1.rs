//! `example.counter/1`.

use dovetail_sdk::CallFailure;

dovetail_sdk::interface! {
    /// Counts.
    pub interface Counter, provider CounterProvider, table CounterVt = "example.counter/1" {
        /// Adds `by` and gives the sum.
        now fn add(by: u64) -> Result<u64, CallFailure>;
    }
}
