//! Whose code runs on this thread right now.
//!
//! A library can hold several instances, so nothing may live in statics. Instead, everything exported remembers the scope
//! it was made in, and every call, poll and drop of it runs with that scope set. The SDK puts the instance (and the
//! session) into it; logging, timers and tasks find their host that way.

use std::{
    any::Any,
    cell::Cell,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    ptr,
    sync::Arc,
    task::{Context, Poll},
};

/// What a scope holds; the SDK decides.
pub type Scope = Arc<dyn Any + Send + Sync>;

thread_local! {
    static CURRENT: Cell<*const Option<Scope>> = const { Cell::new(ptr::null()) };
}

/// The scope of the running code, if it has one.
pub fn current() -> Option<Scope> {
    with(|scope| scope.cloned())
}

/// Lets `look` see the scope of the running code without taking a reference of its own.
pub fn with<R>(look: impl FnOnce(Option<&Scope>) -> R) -> R {
    let at = CURRENT.with(Cell::get);
    if at.is_null() {
        return look(None);
    }
    // SAFETY: a non-null pointer was set by `enter`, whose guard keeps the borrowed scope alive and resets the pointer.
    look(unsafe { (*at).as_ref() })
}

/// Runs with `scope` until the guard is dropped.
pub(crate) fn enter(scope: &Option<Scope>) -> Entered<'_> {
    Entered { before: CURRENT.with(|current| current.replace(scope)), scope: PhantomData }
}

/// Ends a scope when dropped.
pub(crate) struct Entered<'a> {
    before: *const Option<Scope>,
    scope: PhantomData<&'a Option<Scope>>,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        CURRENT.with(|current| current.set(self.before));
    }
}

/// Runs `work` within `scope`.
pub fn run<R>(scope: Scope, work: impl FnOnce() -> R) -> R {
    let scope = Some(scope);
    let _entered = enter(&scope);
    work()
}

/// A future whose polls and drop run within `scope`, or without one.
pub fn scoped<F: Future>(scope: impl Into<Option<Scope>>, future: F) -> Scoped<F> {
    Scoped { scope: scope.into(), future: Some(Box::pin(future)) }
}

/// See [`scoped`].
pub struct Scoped<F> {
    scope: Option<Scope>,
    future: Option<Pin<Box<F>>>,
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let _entered = enter(&this.scope);
        match &mut this.future {
            Some(future) => future.as_mut().poll(cx),
            None => Poll::Pending,
        }
    }
}

impl<F> Drop for Scoped<F> {
    fn drop(&mut self) {
        let _entered = enter(&self.scope);
        self.future = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_nest_and_end() {
        let number = || with(|scope| scope.and_then(|s| s.downcast_ref::<u32>().copied()));
        assert_eq!(number(), None);
        run(Arc::new(1_u32), || {
            assert_eq!(number(), Some(1));
            run(Arc::new(2_u32), || assert_eq!(number(), Some(2)));
            assert_eq!(number(), Some(1));
        });
        assert_eq!(number(), None);
    }
}
