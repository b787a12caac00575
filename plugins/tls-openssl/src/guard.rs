//! Panics stop here: OpenSSL calls us back through C, and a panic that leaves such a call ends the process.
//!
//! A contained panic fails the handshake that it happened in. Its text and place reach the host through the library's panic
//! hook, as for any other.

use std::panic::{catch_unwind, AssertUnwindSafe};

/// Does the work, and gives `failed` if it panics. What the work had in its hands belongs to one handshake, which ends now.
pub(crate) fn contained<T>(failed: T, work: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        // A payload may panic when it is dropped.
        std::mem::forget(payload);
        failed
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_failure() {
        assert_eq!(contained(-1, || 1), 1);
        assert_eq!(contained(-1, || panic!("on purpose")), -1);
    }
}
