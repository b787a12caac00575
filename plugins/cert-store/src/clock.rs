//! What time it is: by the host's clock, which a test may set.

use dovetail_sdk::time::unix_milliseconds;
use time::OffsetDateTime;

/// Now; without a host, as the system says.
pub fn now() -> OffsetDateTime {
    let nanoseconds = i128::from(unix_milliseconds()) * 1_000_000;
    match OffsetDateTime::from_unix_timestamp_nanos(nanoseconds) {
        Ok(now) if now != OffsetDateTime::UNIX_EPOCH => now,
        _ => OffsetDateTime::now_utc(),
    }
}
