//! The host's clock, for certificates and tickets.

use dovetail_sdk::time;
use rustls::{pki_types::UnixTime, time_provider::TimeProvider};
use std::time::Duration;

/// The time by the host's clock; by the system's where there is no host.
pub(crate) fn now() -> UnixTime {
    match u64::try_from(time::unix_milliseconds()) {
        Ok(0) | Err(_) => UnixTime::now(),
        Ok(milliseconds) => UnixTime::since_unix_epoch(Duration::from_millis(milliseconds)),
    }
}

/// [`now`] as rustls asks for it.
#[derive(Debug)]
pub(crate) struct HostClock;

impl TimeProvider for HostClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(now())
    }
}
