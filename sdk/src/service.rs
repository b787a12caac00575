//! Services: what other plugins provide.

use dovetail_abi::{
    handle::{Interface, TypedSlot},
    CallFailure, Slot,
};

/// A bound service. Which provider stands behind it may change while the server runs, so ask for it at each use and don't
/// keep what [`Service::get`] gives for longer than one piece of work.
pub struct Service<I>(TypedSlot<I>);

impl<I: Interface> Service<I> {
    pub(crate) fn new(slot: Slot) -> Self {
        Service(TypedSlot::new(slot))
    }

    /// A service with a fixed provider, for tests.
    pub fn fixed(provider: I) -> Self {
        struct Fixed(dovetail_abi::AnyHandle);
        impl dovetail_abi::handle::SlotProvider for Fixed {
            fn current(&self) -> Result<Option<dovetail_abi::AnyHandle>, CallFailure> {
                Ok(Some(self.0.clone()))
            }
        }
        Service::new(Slot::new(Fixed(provider.erase())))
    }

    /// The provider of this moment.
    ///
    /// # Errors
    /// [`CallFailure::Unavailable`] if there is none now; answer the peer with "try later".
    pub fn get(&self) -> Result<I, CallFailure> {
        self.0.get()
    }
}

impl<I> Clone for Service<I> {
    fn clone(&self) -> Self {
        Service(self.0.clone())
    }
}

impl<I: Interface> std::fmt::Debug for Service<I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Service({})", I::ID)
    }
}
