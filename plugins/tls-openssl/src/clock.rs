//! The host's clock, for certificates and tickets.

use dovetail_sdk::time;
use std::time::{SystemTime, UNIX_EPOCH};

/// Unix seconds by the host's clock; by the system's where there is no host.
pub(crate) fn now() -> u64 {
    match u64::try_from(time::unix_milliseconds()) {
        Ok(0) | Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
        Ok(milliseconds) => milliseconds / 1000,
    }
}

/// [`now`] as OpenSSL takes it.
pub(crate) fn now_for_certificates() -> i64 {
    i64::try_from(now()).unwrap_or(i64::MAX)
}
