//! Wakers across the boundary, without an allocation for a pending poll.
//!
//! A `std::task::Waker` is two words, but its table has no stable layout, so only the library that made it may use it.
//! [`AbiWaker`] carries the two words opaquely beside a table of ours that leads back into the maker's library.
//!
//! * Coming home: a waker whose table is our own is turned back into the very `Waker` it was. No allocation.
//! * Abroad: a foreign waker is wrapped once into an `Arc`, and the wrapper is kept beside the future or stream that is
//!   polled ([`WakerCache`]), so the next poll by the same task finds it again.
//! * Passing on: a wrapper that is handed to a further library is unwrapped first, so levels don't pile up.

use abi_stable::StableAbi;
use std::{
    mem::ManuallyDrop,
    ops::Deref,
    sync::Arc,
    task::{RawWaker, RawWakerVTable, Waker},
};

use crate::contained::guard;

/// A waker as it crosses the boundary.
#[repr(C)]
#[derive(StableAbi)]
pub struct AbiWaker {
    data: *const (),
    table: *const (),
    home: &'static AbiWakerVt,
}

/// The way back into the library that made a waker.
#[repr(C)]
#[derive(StableAbi)]
pub struct AbiWakerVt {
    clone: unsafe extern "C" fn(*const (), *const ()) -> AbiWaker,
    wake_by_ref: unsafe extern "C" fn(*const (), *const ()),
    drop: unsafe extern "C" fn(*const (), *const ()),
}

// SAFETY: the words are those of a `Waker`, which is Send and Sync, and are used only through its own methods.
unsafe impl Send for AbiWaker {}
// SAFETY: as above.
unsafe impl Sync for AbiWaker {}

static HOME: AbiWakerVt = AbiWakerVt { clone: home_clone, wake_by_ref: home_wake, drop: home_drop };

/// Rebuilds the borrowed `Waker` behind the two words.
///
/// # Safety
/// The words must come from a live waker made in this library.
unsafe fn revive(data: *const (), table: *const ()) -> ManuallyDrop<Waker> {
    // SAFETY: by contract `table` is the `&'static RawWakerVTable` of a waker of this library and `data` its data.
    ManuallyDrop::new(unsafe { Waker::new(data, &*table.cast::<RawWakerVTable>()) })
}

unsafe extern "C" fn home_clone(data: *const (), table: *const ()) -> AbiWaker {
    // SAFETY: called through `AbiWaker`, whose words are a live waker of this library.
    let waker = unsafe { revive(data, table) };
    let copy = guard(|| Waker::clone(&waker)).unwrap_or_else(|| Waker::noop().clone());
    own(copy)
}

unsafe extern "C" fn home_wake(data: *const (), table: *const ()) {
    // SAFETY: as in `home_clone`.
    let waker = unsafe { revive(data, table) };
    guard(|| waker.wake_by_ref());
}

unsafe extern "C" fn home_drop(data: *const (), table: *const ()) {
    // SAFETY: as in `home_clone`; the owner gives its reference up.
    let waker = unsafe { revive(data, table) };
    guard(|| drop(ManuallyDrop::into_inner(waker)));
}

fn own(waker: Waker) -> AbiWaker {
    let waker = ManuallyDrop::new(waker);
    AbiWaker { data: waker.data(), table: std::ptr::from_ref(waker.vtable()).cast(), home: &HOME }
}

impl AbiWaker {
    fn same(&self, other: &AbiWaker) -> bool {
        self.data == other.data && self.table == other.table && std::ptr::eq(self.home, other.home)
    }

    fn wake_by_ref(&self) {
        // SAFETY: the words belong to the library behind `home`.
        unsafe { (self.home.wake_by_ref)(self.data, self.table) }
    }
}

impl Clone for AbiWaker {
    fn clone(&self) -> Self {
        // SAFETY: as in `wake_by_ref`.
        unsafe { (self.home.clone)(self.data, self.table) }
    }
}

impl Drop for AbiWaker {
    fn drop(&mut self) {
        // SAFETY: as in `wake_by_ref`; this reference is given up here and only here.
        unsafe { (self.home.drop)(self.data, self.table) }
    }
}

/// A waker lent to the other side for one poll.
pub enum Lent<'a> {
    /// A foreign waker, handed on as it came.
    PassedOn(&'a AbiWaker),
    /// A waker of this library.
    Ours(ManuallyDrop<AbiWaker>),
}

impl Deref for Lent<'_> {
    type Target = AbiWaker;
    fn deref(&self) -> &AbiWaker {
        match self {
            Lent::PassedOn(waker) => waker,
            Lent::Ours(waker) => waker,
        }
    }
}

/// Lends `waker` for a call that ends before `waker` does.
pub fn lend(waker: &Waker) -> Lent<'_> {
    if std::ptr::eq(waker.vtable(), &WRAPPER) {
        // SAFETY: the table is ours, so the data is an `Arc<AbiWaker>` that `waker` keeps alive.
        return Lent::PassedOn(unsafe { &*waker.data().cast::<AbiWaker>() });
    }
    Lent::Ours(ManuallyDrop::new(AbiWaker {
        data: waker.data(),
        table: std::ptr::from_ref(waker.vtable()).cast(),
        home: &HOME,
    }))
}

/// Remembers the wrapper of the last foreign waker.
#[derive(Default)]
pub struct WakerCache {
    wrapped: Option<(Arc<AbiWaker>, Waker)>,
}

impl WakerCache {
    /// An empty cache.
    pub const fn new() -> Self {
        WakerCache { wrapped: None }
    }

    /// Lets `work` use `waker` as a `std` waker.
    pub fn with<R>(&mut self, waker: &AbiWaker, work: impl FnOnce(&Waker) -> R) -> R {
        if std::ptr::eq(waker.home, &HOME) {
            // SAFETY: made in this library and lent by a caller that keeps it alive for this call.
            let revived = unsafe { revive(waker.data, waker.table) };
            return work(&revived);
        }
        match &mut self.wrapped {
            Some((kept, wrapper)) if kept.same(waker) => work(wrapper),
            slot => {
                let kept = Arc::new(waker.clone());
                let raw = RawWaker::new(Arc::into_raw(kept.clone()).cast(), &WRAPPER);
                // SAFETY: `WRAPPER` treats the data as the `Arc<AbiWaker>` it is.
                let wrapper = unsafe { Waker::from_raw(raw) };
                work(&slot.insert((kept, wrapper)).1)
            }
        }
    }
}

static WRAPPER: RawWakerVTable = RawWakerVTable::new(wrapper_clone, wrapper_wake, wrapper_wake_by_ref, wrapper_drop);

unsafe fn wrapper_clone(data: *const ()) -> RawWaker {
    // SAFETY: the data of a wrapper is an `Arc<AbiWaker>`.
    unsafe { Arc::increment_strong_count(data.cast::<AbiWaker>()) };
    RawWaker::new(data, &WRAPPER)
}

unsafe fn wrapper_wake(data: *const ()) {
    // SAFETY: as above; this takes the reference over.
    unsafe { Arc::from_raw(data.cast::<AbiWaker>()) }.wake_by_ref();
}

unsafe fn wrapper_wake_by_ref(data: *const ()) {
    // SAFETY: as above; borrowed.
    unsafe { &*data.cast::<AbiWaker>() }.wake_by_ref();
}

unsafe fn wrapper_drop(data: *const ()) {
    // SAFETY: as above; this takes the reference over.
    drop(unsafe { Arc::from_raw(data.cast::<AbiWaker>()) });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        task::Wake,
    };

    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_waker_comes_home_as_itself() {
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let waker = Waker::from(count.clone());
        let lent = lend(&waker);
        let mut cache = WakerCache::new();
        cache.with(&lent, |home| {
            assert!(home.will_wake(&waker));
            home.wake_by_ref();
        });
        assert!(cache.wrapped.is_none());
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_foreign_waker_is_wrapped_once_and_unwrapped_when_passed_on() {
        // A second table that behaves like another library's.
        static ABROAD: AbiWakerVt = AbiWakerVt { clone: abroad_clone, wake_by_ref: home_wake, drop: home_drop };
        unsafe extern "C" fn abroad_clone(data: *const (), table: *const ()) -> AbiWaker {
            // SAFETY: the test passes live words.
            let mut copy = unsafe { home_clone(data, table) };
            copy.home = &ABROAD;
            copy
        }
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let waker = Waker::from(count.clone());
        let mut foreign = own(waker.clone());
        foreign.home = &ABROAD;
        let mut cache = WakerCache::new();
        let first = cache.with(&foreign, Waker::clone);
        let second = cache.with(&foreign, Waker::clone);
        assert!(first.will_wake(&second));
        assert!(matches!(lend(&first), Lent::PassedOn(inner) if inner.same(&foreign)));
        first.wake();
        second.wake_by_ref();
        assert_eq!(count.0.load(Ordering::SeqCst), 2);
        drop((second, cache, foreign, waker));
        assert_eq!(Arc::strong_count(&count), 1);
    }
}
