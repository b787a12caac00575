//! `example.counter/2`: counts by name, and says what for.

use dovetail_sdk::CallFailure;

dovetail_sdk::wire_struct! {
    /// A step.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Step => StepAbi {
        /// What is counted.
        pub name: String,
        /// How many more.
        pub by: u64,
    }
}

dovetail_sdk::interface! {
    /// Counts by name.
    pub interface Counter, provider CounterProvider, table CounterVt = "example.counter/2" {
        /// Takes a step and gives the sum of its name.
        now fn take(step: Step) -> Result<u64, CallFailure>;
    }
}
