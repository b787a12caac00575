//! What must not be done: another shape under an id that was published.

use dovetail_sdk::CallFailure;

dovetail_sdk::interface! {
    /// Counts, and can be set back.
    pub interface Counter, provider CounterProvider, table CounterVt = "example.counter/1" {
        /// Adds `by` and gives the sum.
        now fn add(by: u64) -> Result<u64, CallFailure>;
        /// Sets it back.
        now fn reset() -> Result<(), CallFailure>;
    }
}
