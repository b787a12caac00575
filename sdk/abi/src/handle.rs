//! Handles: shared references to objects that live on the other side.

use crate::{
    contained::{guard, Contained},
    failure::CallFailure,
    wire_as_is,
};
use abi_stable::{std_types::RString, type_layout::TypeLayout, StableAbi};
use std::{
    marker::PhantomData,
    sync::{
        atomic::{AtomicPtr, Ordering},
        Arc,
    },
};

/// How a handle is copied and given up.
#[repr(C)]
#[derive(StableAbi)]
pub struct HandleLife {
    retain: unsafe extern "C" fn(*const ()),
    release: unsafe extern "C" fn(*const ()),
}

/// A counted reference to an object with the method table `V`.
#[repr(C)]
#[derive(StableAbi)]
pub struct AbiHandle<V: 'static> {
    data: *const (),
    vt: &'static V,
    life: &'static HandleLife,
}

// SAFETY: made only by `AbiHandle::export`, which demands Send + Sync of the object; tables are immutable.
unsafe impl<V> Send for AbiHandle<V> {}
// SAFETY: as above.
unsafe impl<V> Sync for AbiHandle<V> {}

struct Life<T>(std::marker::PhantomData<T>);
impl<T: Send + Sync + 'static> Life<T> {
    const LIFE: HandleLife = HandleLife { retain: retain::<T>, release: release::<T> };
}

unsafe extern "C" fn retain<T>(data: *const ()) {
    // SAFETY: `data` is a live `Arc<Contained<T>>`.
    unsafe { Arc::increment_strong_count(data.cast::<Contained<T>>()) }
}

unsafe extern "C" fn release<T>(data: *const ()) {
    // SAFETY: `data` is a live `Arc<Contained<T>>` whose reference the caller gives up.
    let last = unsafe { Arc::from_raw(data.cast::<Contained<T>>()) };
    guard(move || drop(last));
}

impl<V> AbiHandle<V> {
    /// Exports an object with its table.
    ///
    /// # Safety
    /// The table's functions must treat their first argument as `*const Contained<T>`; [`crate::interface!`] sees to it.
    #[doc(hidden)]
    pub unsafe fn export<T: Send + Sync + 'static>(object: Arc<Contained<T>>, vt: &'static V) -> Self {
        AbiHandle { data: Arc::into_raw(object).cast(), vt, life: &Life::<T>::LIFE }
    }

    /// The table.
    #[doc(hidden)]
    pub fn vt(&self) -> &'static V {
        self.vt
    }

    /// The object, for the table's functions.
    #[doc(hidden)]
    pub fn data(&self) -> *const () {
        self.data
    }
}

impl<V> Clone for AbiHandle<V> {
    fn clone(&self) -> Self {
        // SAFETY: the object is alive while this handle is.
        unsafe { (self.life.retain)(self.data) };
        AbiHandle { data: self.data, vt: self.vt, life: self.life }
    }
}

impl<V> Drop for AbiHandle<V> {
    fn drop(&mut self) {
        // SAFETY: this handle's reference is given up once.
        unsafe { (self.life.release)(self.data) }
    }
}

/// Borrows the object behind a handle for a call of its table.
///
/// # Safety
/// `data` must come from [`AbiHandle::export`] with the same `T`, and be alive.
#[doc(hidden)]
pub unsafe fn object<'a, T>(data: *const ()) -> &'a Contained<T> {
    // SAFETY: by contract.
    unsafe { &*data.cast::<Contained<T>>() }
}

/// Takes a further reference to the object behind a handle, for work that outlives the call.
///
/// # Safety
/// As for [`object`].
#[doc(hidden)]
pub unsafe fn shared<T>(data: *const ()) -> Arc<Contained<T>> {
    // SAFETY: by contract.
    unsafe {
        Arc::increment_strong_count(data.cast::<Contained<T>>());
        Arc::from_raw(data.cast::<Contained<T>>())
    }
}

/// An interface: a method table with an id and a revision. Implemented by [`crate::interface!`].
///
/// # Safety
/// `Vt` must be a `repr(C)` table of functions that treat their first argument as the handle's object, and `into_handle` must
/// give back what `from_handle` took.
pub unsafe trait Interface: Sized + Clone + Send + Sync + 'static {
    /// Id and revision, such as `dovetail.tls/1`.
    const ID: &'static str;
    /// The method table.
    type Vt: StableAbi + 'static;
    /// Wraps a handle.
    fn from_handle(handle: AbiHandle<Self::Vt>) -> Self;
    /// Unwraps the handle.
    fn into_handle(self) -> AbiHandle<Self::Vt>;

    /// Forgets the type, for a query.
    fn erase(self) -> AnyHandle {
        let handle = std::mem::ManuallyDrop::new(self.into_handle());
        AnyHandle {
            id: RString::from(Self::ID),
            layout: layout_of::<Self>(),
            data: handle.data,
            vt: std::ptr::from_ref(handle.vt).cast(),
            life: handle.life,
        }
    }
}

/// The layout of an interface's table as this side knows it.
pub fn layout_of<I: Interface>() -> &'static TypeLayout {
    <I::Vt as StableAbi>::LAYOUT
}

/// What a plugin lists as provided or required: an interface by id and layout. It promises nothing about handles; those are
/// checked for themselves.
pub trait Described {
    /// Id and revision.
    const INTERFACE: &'static str;
    /// The layout of the table as this side knows it.
    fn layout() -> &'static TypeLayout;
}

/// An interface that a `T` can provide.
pub trait Offer<T>: Described {
    /// A handle to an object that already stands.
    fn offer(provider: &Arc<Contained<T>>) -> AnyHandle;
}

/// A handle whose interface is known by id and layout only: what a query answers.
#[repr(C)]
#[derive(StableAbi)]
pub struct AnyHandle {
    id: RString,
    layout: &'static TypeLayout,
    data: *const (),
    vt: *const (),
    life: &'static HandleLife,
}

// SAFETY: as for `AbiHandle`.
unsafe impl Send for AnyHandle {}
// SAFETY: as for `AbiHandle`.
unsafe impl Sync for AnyHandle {}
wire_as_is!(AnyHandle);

impl AnyHandle {
    /// The interface's id and revision.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The layout of the table as the provider knows it.
    pub fn layout(&self) -> &'static TypeLayout {
        self.layout
    }

    /// Takes the handle as interface `I`, or gives `None` if it is another one.
    ///
    /// # Safety
    /// The layouts of the provider's and this side's table must have been found compatible, in both directions (the host
    /// does this when it wires services; see [`crate::layout::compatible`]).
    pub unsafe fn assume<I: Interface>(self) -> Option<I> {
        if self.id.as_str() != I::ID {
            return None;
        }
        let me = std::mem::ManuallyDrop::new(self);
        // SAFETY: the id was read above; the string's memory is not used again.
        drop(unsafe { std::ptr::read(&me.id) });
        // SAFETY: the table is an `I::Vt` by the id and the caller's layout check.
        let vt = unsafe { &*me.vt.cast::<I::Vt>() };
        Some(I::from_handle(AbiHandle { data: me.data, vt, life: me.life }))
    }

    /// Takes the handle as interface `I` after checking the layouts here and now. For the host and for tests; a plugin
    /// gets handles that the host has checked.
    pub fn checked<I: Interface>(self) -> Result<I, String> {
        if self.id.as_str() != I::ID {
            return Err(format!("the provider answered {} when asked for {}", self.id, I::ID));
        }
        crate::layout::compatible(layout_of::<I>(), self.layout)?;
        // SAFETY: checked just now.
        unsafe { self.assume::<I>() }.ok_or_else(|| "the interface's id changed".to_owned())
    }
}

impl Clone for AnyHandle {
    fn clone(&self) -> Self {
        // SAFETY: the object is alive while this handle is.
        unsafe { (self.life.retain)(self.data) };
        AnyHandle { id: self.id.clone(), layout: self.layout, data: self.data, vt: self.vt, life: self.life }
    }
}

impl Drop for AnyHandle {
    fn drop(&mut self) {
        // SAFETY: this handle's reference is given up once.
        unsafe { (self.life.release)(self.data) }
    }
}

crate::interface! {
    /// A late-bound place for a provider. The host owns it and may put a new provider into it at any time.
    ///
    /// A provider that owns files cannot run beside its successor. While it is restarted in its place the place is *held*: what
    /// was begun is finished with the old one, as long as that runs; what is new waits for the next one.
    pub interface Slot, provider SlotProvider, table SlotVt = "dovetail.slot/1" {
        /// The provider that runs now, checked by the host against the layout that the slot's owner declared. Of a held place
        /// the old one, to finish with it what was begun; `Held` once that is stopped.
        now fn current() -> Result<Option<AnyHandle>, CallFailure>;
        /// The provider for new work; `Held` if the place is.
        now fn open() -> Result<Option<AnyHandle>, CallFailure>;
        /// The same, waiting while the place is held: `Held` if that takes too long, or if too many wait.
        later fn released() -> Result<Option<AnyHandle>, CallFailure>;
    }
}

/// A slot for one interface: what it holds is checked against this side's layout when it is first seen.
#[derive(Debug)]
pub struct TypedSlot<I> {
    slot: Slot,
    /// The provider's layout that was found good last; providers rarely change.
    good: AtomicPtr<TypeLayout>,
    interface: PhantomData<fn() -> I>,
}

impl<I: Interface> TypedSlot<I> {
    /// Takes a slot that holds providers of `I`.
    pub fn new(slot: Slot) -> Self {
        TypedSlot { slot, good: AtomicPtr::default(), interface: PhantomData }
    }

    /// The provider that runs now; see [`Slot::current`].
    ///
    /// # Errors
    /// If there is none, or one of another shape.
    pub fn get(&self) -> Result<I, CallFailure> {
        self.take(self.slot.current()?)
    }

    /// The provider for new work. Waits, for a bounded time, while the place is held; otherwise this costs what
    /// [`TypedSlot::get`] does.
    ///
    /// # Errors
    /// If there is none, or one of another shape, or if the place was held for too long.
    pub async fn ready(&self) -> Result<I, CallFailure> {
        match self.slot.open() {
            Err(CallFailure::Held) => self.take(self.slot.released().await?),
            answer => self.take(answer?),
        }
    }

    fn take(&self, provider: Option<AnyHandle>) -> Result<I, CallFailure> {
        let any = provider.ok_or(CallFailure::Unavailable)?;
        let layout = std::ptr::from_ref(any.layout()).cast_mut();
        if layout == self.good.load(Ordering::Acquire) {
            // SAFETY: this very layout was found compatible with this side's below; layouts live for ever.
            return unsafe { any.assume::<I>() }.ok_or(CallFailure::Unavailable);
        }
        let provider = any.checked::<I>().map_err(|_| CallFailure::Unavailable)?;
        self.good.store(layout, Ordering::Release);
        Ok(provider)
    }
}

impl<I> Clone for TypedSlot<I> {
    fn clone(&self) -> Self {
        let good = AtomicPtr::new(self.good.load(Ordering::Acquire));
        TypedSlot { slot: self.slot.clone(), good, interface: PhantomData }
    }
}
