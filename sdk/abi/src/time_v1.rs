//! `dovetail.host.time/1`: timers of the host's runtime.

use crate::CallFailure;

crate::interface! {
    /// Timers and the clock.
    pub interface HostTime, provider HostTimeProvider, table HostTimeVt = "dovetail.host.time/1" {
        /// Resolves after so many milliseconds.
        later fn sleep(milliseconds: u64) -> Result<(), CallFailure>;
        /// Milliseconds since 1970-01-01 UTC.
        now fn unix_milliseconds() -> Result<u64, CallFailure>;
    }
}
