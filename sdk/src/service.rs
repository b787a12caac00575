//! Services: what other plugins provide.

use dovetail_abi::{
    handle::{Interface, TypedSlot},
    CallFailure, Slot,
};

/// A bound service. Which provider stands behind it may change while the server runs, so ask for it at each use and don't
/// keep what it gives for longer than one piece of work.
///
/// A provider that owns files, such as a store, cannot run beside its successor: at a reload it is restarted in its place.
/// Meanwhile new work waits in [`Service::ready`], and what was begun before is finished by [`Service::finishing`].
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
            fn open(&self) -> Result<Option<dovetail_abi::AnyHandle>, CallFailure> {
                self.current()
            }
            async fn released(&self) -> Result<Option<dovetail_abi::AnyHandle>, CallFailure> {
                self.current()
            }
        }
        Service::new(Slot::new(Fixed(provider.erase())))
    }

    /// The provider for a new piece of work. Waits for one that is just being restarted, for some seconds at most; otherwise it
    /// costs what [`Service::get`] does.
    ///
    /// # Errors
    /// [`CallFailure::Unavailable`] if there is none now, [`CallFailure::Held`] if a restart takes too long; answer the peer
    /// with "try later".
    pub async fn ready(&self) -> Result<I, CallFailure> {
        self.0.ready().await
    }

    /// The provider to finish with it what was begun with it, such as a message that was coming in: the old one of a service
    /// that is being restarted, as long as it runs.
    ///
    /// # Errors
    /// As for [`Service::ready`].
    pub async fn finishing(&self) -> Result<I, CallFailure> {
        match self.0.get() {
            Err(CallFailure::Held) => self.0.ready().await,
            answer => answer,
        }
    }

    /// The provider that runs now, for those who cannot wait. Of a service that is being restarted this is the old one, and it
    /// is counted on not to get new work: use [`Service::ready`] wherever you can.
    ///
    /// # Errors
    /// [`CallFailure::Unavailable`] if there is none now, [`CallFailure::Held`] if there will be one in a moment; answer the
    /// peer with "try later".
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
