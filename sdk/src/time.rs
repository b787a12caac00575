//! Timers of the host's runtime, in tokio's words.

use crate::host;
use std::{future::Future, pin::pin, task::Poll, time::Duration};

/// The time was up first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the time was up")]
pub struct Elapsed;

/// Waits. Rounded up to whole milliseconds.
pub async fn sleep(duration: Duration) {
    let milliseconds = u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
    match host::current() {
        // A host without its timer is stopping: whoever waits for a time waits for its end.
        Some(host) => {
            if host.time.sleep(milliseconds).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
        None => std::future::pending().await,
    }
}

/// Gives `work` so much time.
///
/// # Errors
/// [`Elapsed`] if it did not end in time; the work is dropped then.
pub async fn timeout<F: Future>(duration: Duration, work: F) -> Result<F::Output, Elapsed> {
    let mut work = pin!(work);
    let mut timer = pin!(sleep(duration));
    std::future::poll_fn(|cx| {
        if let Poll::Ready(output) = work.as_mut().poll(cx) {
            return Poll::Ready(Ok(output));
        }
        timer.as_mut().poll(cx).map(|()| Err(Elapsed))
    })
    .await
}

/// Milliseconds since 1970-01-01 UTC by the host's clock (a test's clock may stand still).
pub fn unix_milliseconds() -> i64 {
    let now = host::current().and_then(|host| host.time.unix_milliseconds().ok());
    now.and_then(|now| i64::try_from(now).ok()).unwrap_or(0)
}
