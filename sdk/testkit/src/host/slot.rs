//! Slots: where the providers of required services stand.

use dovetail_sdk::abi::{
    handle::{AnyHandle, Interface, SlotProvider},
    kernel_v1::Bound,
    CallFailure, Slot,
};
use std::{marker::PhantomData, sync::Arc};
use tokio::sync::watch;

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
    place: Place,
    interface: PhantomData<fn() -> I>,
}

impl<I: Interface> TestSlot<I> {
    /// A slot without a provider: whoever asks is told that the service is not available.
    pub fn empty() -> Self {
        TestSlot { place: Place(Arc::default()), interface: PhantomData }
    }

    /// Puts a provider in, instead of the one before. A slot that was held is open then.
    pub fn put(&self, provider: I) {
        self.set(Some(provider.erase()));
    }

    /// Takes the provider away. A slot that was held is open then.
    pub fn clear(&self) {
        self.set(None);
    }

    /// Holds the slot, as a server does while it restarts a provider that owns files: new work waits for the next one, and what
    /// was begun is finished with the old one.
    pub fn hold(&self) {
        self.place.0.send_modify(|state| state.held = true);
    }

    /// The slot as a plugin gets it.
    pub fn bound(&self) -> Bound {
        self.bound_from("")
    }

    /// The slot as a plugin gets it that asked for the provider by its instance; see `Need::from_instance`.
    pub fn bound_from(&self, instance: &str) -> Bound {
        Bound { id: I::ID.into(), provider: instance.into(), slot: Slot::new(Place(self.place.0.clone())) }
    }

    fn set(&self, provider: Option<AnyHandle>) {
        self.place.0.send_replace(State { provider, held: false });
    }
}

struct Place(Arc<watch::Sender<State>>);

#[derive(Default)]
struct State {
    provider: Option<AnyHandle>,
    held: bool,
}

impl SlotProvider for Place {
    fn current(&self) -> Result<Option<AnyHandle>, CallFailure> {
        Ok(self.0.borrow().provider.clone())
    }

    fn open(&self) -> Result<Option<AnyHandle>, CallFailure> {
        let state = self.0.borrow();
        match state.held {
            true => Err(CallFailure::Held),
            false => Ok(state.provider.clone()),
        }
    }

    async fn released(&self) -> Result<Option<AnyHandle>, CallFailure> {
        let mut watched = self.0.subscribe();
        let state = watched.wait_for(|state| !state.held).await.map_err(|_| CallFailure::Held)?;
        Ok(state.provider.clone())
    }
}
