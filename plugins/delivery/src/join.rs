//! Waiting for several futures at once, in one task.

use std::{
    future::{poll_fn, Future},
    pin::Pin,
    task::Poll,
};

/// Runs all to their ends, side by side; gives their results in the order of the futures. A wake polls all that have not
/// ended, which is fine for the few hundred that a message may have and that end in batches anyway.
pub async fn join<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<_> = futures.into_iter().map(|future| Work::Running(Box::pin(future))).collect();
    poll_fn(|cx| {
        let mut left = 0;
        for work in &mut running {
            if let Work::Running(future) = work {
                match future.as_mut().poll(cx) {
                    Poll::Ready(result) => *work = Work::Ended(result),
                    Poll::Pending => left += 1,
                }
            }
        }
        match left {
            0 => Poll::Ready(()),
            _ => Poll::Pending,
        }
    })
    .await;
    let ended = |work| match work {
        Work::Ended(result) => Some(result),
        Work::Running(_) => None,
    };
    running.into_iter().filter_map(ended).collect()
}

enum Work<F: Future> {
    Running(Pin<Box<F>>),
    Ended(F::Output),
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn they_wait_together_and_keep_their_order() {
        let start = tokio::time::Instant::now();
        let work = [30, 10, 20].map(|seconds| async move {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            seconds
        });
        assert_eq!(join(work).await, [30, 10, 20]);
        assert_eq!(start.elapsed(), Duration::from_secs(30));
    }

    #[tokio::test]
    async fn none_is_fine() {
        assert_eq!(join(Vec::<std::future::Ready<u8>>::new()).await, []);
    }
}
