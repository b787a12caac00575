//! Futures across the boundary.

use crate::{
    contained::guard,
    failure::CallFailure,
    scope::{self, Scope},
    waker::{lend, AbiWaker, WakerCache},
    wire::Wire,
};
use abi_stable::StableAbi;
use std::{
    future::Future,
    marker::PhantomData,
    mem::{ManuallyDrop, MaybeUninit},
    pin::Pin,
    task::{Context, Poll},
};

const PENDING: u8 = 0;
const READY: u8 = 1;
const PANICKED: u8 = 2;

/// A future made on one side and polled on the other. Dropping it cancels the work.
///
/// Resolves to `Err(CallFailure::Panicked)` if the work panicked in a poll; the work is dropped then.
#[repr(C)]
#[derive(StableAbi)]
pub struct AbiFuture<T: 'static> {
    data: *mut (),
    vt: &'static AbiFutureVt<T>,
}

/// What can be done with an [`AbiFuture`].
#[repr(C)]
#[derive(StableAbi)]
pub struct AbiFutureVt<T: 'static> {
    poll: unsafe extern "C" fn(*mut (), *const AbiWaker, *mut T) -> u8,
    drop: unsafe extern "C" fn(*mut ()),
}

// SAFETY: made only by `AbiFuture::new`, which demands a Send future with a Send result.
unsafe impl<T: Send> Send for AbiFuture<T> {}
// SAFETY: nothing can be done through a shared reference.
unsafe impl<T: Send> Sync for AbiFuture<T> {}
impl<T> Unpin for AbiFuture<T> {}

struct Work<F> {
    scope: Option<Scope>,
    waker: WakerCache,
    live: bool,
    future: ManuallyDrop<F>,
}

impl<F> Work<F> {
    /// Drops the future within its scope, once.
    fn end(&mut self) {
        if std::mem::replace(&mut self.live, false) {
            let _entered = scope::enter(&self.scope);
            let future = &mut self.future;
            // SAFETY: `live` makes this the only drop.
            guard(|| unsafe { ManuallyDrop::drop(future) });
        }
    }
}

struct Table<T, F>(PhantomData<(T, F)>);
impl<T: 'static, F: Future<Output = T> + Send> Table<T, F> {
    const VT: AbiFutureVt<T> = AbiFutureVt { poll: poll_work::<T, F>, drop: drop_work::<F> };
}

unsafe extern "C" fn poll_work<T, F: Future<Output = T>>(data: *mut (), waker: *const AbiWaker, out: *mut T) -> u8 {
    // SAFETY: `data` is the box made in `AbiFuture::new`, polled by its one owner; `waker` lives for this call.
    let (work, waker) = unsafe { (&mut *data.cast::<Work<F>>(), &*waker) };
    if !work.live {
        return PANICKED;
    }
    let polled = {
        let _entered = scope::enter(&work.scope);
        let (cache, future) = (&mut work.waker, &mut *work.future);
        guard(|| {
            cache.with(waker, |waker| {
                // SAFETY: the future stays in its box until it is dropped there.
                unsafe { Pin::new_unchecked(future) }.poll(&mut Context::from_waker(waker))
            })
        })
    };
    match polled {
        Some(Poll::Pending) => PENDING,
        Some(Poll::Ready(value)) => {
            // SAFETY: the caller gave room for one T.
            unsafe { out.write(value) };
            work.end();
            READY
        }
        None => {
            work.end();
            PANICKED
        }
    }
}

unsafe extern "C" fn drop_work<F>(data: *mut ()) {
    // SAFETY: the owner gives the box of `AbiFuture::new` back.
    let mut work = unsafe { Box::from_raw(data.cast::<Work<F>>()) };
    work.end();
    // The scope's last reference may go here; its contents are the SDK's and may panic in drop like any other.
    guard(move || drop(work));
}

impl<T: Send + 'static> AbiFuture<T> {
    /// Exports `future`, to be polled and dropped in the scope that is current now.
    pub fn new<F: Future<Output = T> + Send + 'static>(future: F) -> Self {
        let work = Box::new(Work {
            scope: scope::current(),
            waker: WakerCache::new(),
            live: true,
            future: ManuallyDrop::new(future),
        });
        AbiFuture { data: Box::into_raw(work).cast(), vt: &Table::<T, F>::VT }
    }
}

/// A call that runs: its work, with what the work borrows from. The answer is made ready to cross.
#[doc(hidden)]
pub struct Answering<R, F, K> {
    // Dropped first, since it borrows from what is kept.
    work: F,
    _kept: K,
    answer: PhantomData<fn() -> R>,
}

impl<R, F, K> Answering<R, F, K> {
    #[doc(hidden)]
    pub fn new(work: F, kept: K) -> Self {
        Answering { work, _kept: kept, answer: PhantomData }
    }
}

impl<R: Wire, F: Future<Output = R>, K> Future for Answering<R, F, K> {
    type Output = R::Abi;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R::Abi> {
        // SAFETY: the work stays where it is; nothing here moves out of `self`.
        let work = unsafe { self.map_unchecked_mut(|me| &mut me.work) };
        work.poll(cx).map(R::into_abi)
    }
}

impl<T> Future for AbiFuture<T> {
    type Output = Result<T, CallFailure>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let waker = lend(cx.waker());
        let mut out = MaybeUninit::<T>::uninit();
        // SAFETY: the data belongs to this table; `out` has room for one T and is read only when READY says it is written.
        unsafe {
            match (self.vt.poll)(self.data, &*waker, out.as_mut_ptr()) {
                PENDING => Poll::Pending,
                READY => Poll::Ready(Ok(out.assume_init())),
                _ => Poll::Ready(Err(CallFailure::Panicked)),
            }
        }
    }
}

impl<T> Drop for AbiFuture<T> {
    fn drop(&mut self) {
        // SAFETY: dropped once, by the owner.
        unsafe { (self.vt.drop)(self.data) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll_once<T>(future: &mut AbiFuture<T>) -> Poll<Result<T, CallFailure>> {
        Pin::new(future).poll(&mut Context::from_waker(std::task::Waker::noop()))
    }

    #[test]
    fn a_value_comes_through() {
        let mut future = AbiFuture::new(async { String::from("x") });
        assert_eq!(poll_once(&mut future), Poll::Ready(Ok("x".into())));
    }

    #[test]
    fn a_panic_in_poll_is_an_answer_and_stays_one() {
        let mut future = AbiFuture::<u32>::new(async { panic!("boom") });
        assert_eq!(poll_once(&mut future), Poll::Ready(Err(CallFailure::Panicked)));
        assert_eq!(poll_once(&mut future), Poll::Ready(Err(CallFailure::Panicked)));
    }

    #[test]
    fn a_panic_in_drop_is_contained() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("boom");
            }
        }
        let bomb = Bomb;
        let mut future = AbiFuture::new(async move {
            let _held = bomb;
            std::future::pending::<()>().await;
        });
        assert_eq!(poll_once(&mut future), Poll::Pending);
        drop(future);
    }
}
