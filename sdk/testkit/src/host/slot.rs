//! Slots: where the providers of required services stand.

use dovetail_sdk::abi::{
    handle::{AnyHandle, Interface, SlotProvider},
    kernel_v1::Bound,
    CallFailure, Slot,
};
use std::{
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
};

/// A required service whose provider stays the same.
///
/// ```
/// use dovetail_sdk::operations::{FieldValue, OperationFailure, Operations, OperationsProvider, Progress, Report};
///
/// struct Fake;
/// impl OperationsProvider for Fake {
///     async fn run(&self, name: String, _: Vec<FieldValue>, _: Progress) -> Result<Report, OperationFailure> {
///         Ok(Report::line(name))
///     }
/// }
/// let services = [dovetail_testkit::bound(Operations::new(Fake))];
/// assert_eq!(services[0].id, "dovetail.operations/1");
/// ```
pub fn bound<I: Interface>(provider: I) -> Bound {
    let slot = TestSlot::empty();
    slot.put(provider);
    slot.bound()
}

/// A slot whose provider the test can change while the plugin runs, or take away.
pub struct TestSlot<I> {
    provider: Arc<Mutex<Option<AnyHandle>>>,
    interface: PhantomData<fn() -> I>,
}

impl<I: Interface> TestSlot<I> {
    /// A slot without a provider: whoever asks is told that the service is not available.
    pub fn empty() -> Self {
        TestSlot { provider: Arc::default(), interface: PhantomData }
    }

    /// Puts a provider in, instead of the one before.
    pub fn put(&self, provider: I) {
        self.set(Some(provider.erase()));
    }

    /// Takes the provider away.
    pub fn clear(&self) {
        self.set(None);
    }

    /// The slot as a plugin gets it.
    pub fn bound(&self) -> Bound {
        Bound { id: I::ID.into(), slot: Slot::new(Place(self.provider.clone())) }
    }

    fn set(&self, provider: Option<AnyHandle>) {
        *self.provider.lock().unwrap_or_else(PoisonError::into_inner) = provider;
    }
}

struct Place(Arc<Mutex<Option<AnyHandle>>>);

impl SlotProvider for Place {
    fn current(&self) -> Result<Option<AnyHandle>, CallFailure> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}
