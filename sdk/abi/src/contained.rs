//! Keeping panics on the side where they happen.

use crate::scope::{self, Scope};
use std::{
    any::Any,
    mem::ManuallyDrop,
    panic::{catch_unwind, AssertUnwindSafe},
};

/// Runs `work`; a panic becomes `None`. The panic hook has seen it by then, so the text is not lost.
pub fn guard<R>(work: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(value) => Some(value),
        Err(payload) => {
            discard(payload);
            None
        }
    }
}

/// Drops a panic's payload, which may panic in turn; then it is leaked rather than thrown.
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(second);
    }
}

/// A value exported across the boundary: used within the scope it was made in, and dropped there without unwinding.
pub struct Contained<T> {
    scope: Option<Scope>,
    value: ManuallyDrop<T>,
}

impl<T> Contained<T> {
    /// Takes `value`, remembering the current scope.
    pub fn new(value: T) -> Self {
        Contained { scope: scope::current(), value: ManuallyDrop::new(value) }
    }

    /// The value, outside of its scope.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// Runs `work` on the value within its scope; a panic becomes `None`.
    pub fn call<R>(&self, work: impl FnOnce(&T) -> R) -> Option<R> {
        let _entered = scope::enter(&self.scope);
        guard(|| work(&self.value))
    }

    /// Like [`Contained::call`], with the value to change.
    pub fn call_mut<R>(&mut self, work: impl FnOnce(&mut T) -> R) -> Option<R> {
        let _entered = scope::enter(&self.scope);
        let value = &mut self.value;
        guard(|| work(value))
    }
}

impl<T> Drop for Contained<T> {
    fn drop(&mut self) {
        let _entered = scope::enter(&self.scope);
        let value = &mut self.value;
        // SAFETY: this is the only place that drops the value, and it runs once.
        guard(|| unsafe { ManuallyDrop::drop(value) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct PanicsInDrop;
    impl Drop for PanicsInDrop {
        fn drop(&mut self) {
            panic!("in drop");
        }
    }

    #[test]
    fn a_panic_in_a_call_becomes_none_and_the_value_stays_usable() {
        let contained = Contained::new(7);
        assert_eq!(contained.call(|_| -> i32 { panic!("x") }), None);
        assert_eq!(contained.call(|v| *v), Some(7));
    }

    #[test]
    fn a_panic_in_drop_does_not_unwind() {
        drop(Contained::new(PanicsInDrop));
    }

    #[test]
    fn a_payload_that_panics_in_its_drop_is_contained() {
        assert!(guard(|| std::panic::panic_any(PanicsInDrop)).is_none());
    }
}
