//! How long an instance's code runs in polls.
//!
//! It is measured around the polls of what core polls for the instance: its sessions, the tasks that it spawned, the TLS
//! handshakes that core asks it for. Where one of these polls calls into another instance, the time counts to the outermost
//! alone, so that no time is counted twice. A poll costs two looks at the clock.

use super::account::Account;
use std::{
    cell::Cell,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

thread_local! {
    /// Whether this thread is within a poll that is measured.
    static MEASURING: Cell<bool> = const { Cell::new(false) };
}

/// A future whose polls are measured.
pub struct Metered<F> {
    account: Arc<Account>,
    future: F,
}

impl<F> Metered<F> {
    /// Charges the polls of a future to an account.
    pub fn new(account: Arc<Account>, future: F) -> Self {
        Metered { account, future }
    }
}

impl<F: Future + Unpin> Future for Metered<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        if MEASURING.replace(true) {
            return Pin::new(&mut this.future).poll(cx);
        }
        // Also where the poll unwinds.
        let _measured = Measured { account: &this.account, since: Instant::now() };
        Pin::new(&mut this.future).poll(cx)
    }
}

struct Measured<'a> {
    account: &'a Account,
    since: Instant,
}

impl Drop for Measured<'_> {
    fn drop(&mut self) {
        MEASURING.set(false);
        self.account.polled(self.since.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{future::poll_fn, task::Waker, time::Duration};

    fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
        Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    /// Works until the clock has moved.
    fn work(_: &mut Context<'_>) -> Poll<()> {
        let began = Instant::now();
        while began.elapsed() < Duration::from_micros(200) {}
        Poll::Ready(())
    }

    #[test]
    fn polls_are_measured_and_nested_ones_count_to_the_outermost() {
        let (outer, inner) = (Account::open("metered-outer"), Account::open("metered-inner"));
        let mut nested = Metered::new(inner.clone(), poll_fn(work));
        let mut future = Metered::new(outer.clone(), poll_fn(|cx| Pin::new(&mut nested).poll(cx)));
        assert!(poll(&mut future).is_ready());
        assert!(outer.own().polled >= Duration::from_micros(200), "{:?}", outer.own());
        assert_eq!(inner.own().polled, Duration::ZERO);
        // Afterwards, on its own, it counts again.
        assert!(poll(&mut Metered::new(inner.clone(), poll_fn(work))).is_ready());
        assert!(inner.own().polled >= Duration::from_micros(200), "{:?}", inner.own());
    }
}
