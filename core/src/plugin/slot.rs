//! Late-bound places for providers.

use arc_swap::ArcSwapOption;
use dovetail_abi::{handle::SlotProvider, AnyHandle, CallFailure, Slot};
use std::sync::Arc;

/// A place for the provider of one interface. Filling it again replaces the provider for every user at its next use.
#[derive(Clone, Default)]
pub struct Place(Arc<ArcSwapOption<AnyHandle>>);

impl Place {
    /// Puts a provider in.
    pub fn fill(&self, provider: AnyHandle) {
        self.0.store(Some(Arc::new(provider)));
    }

    /// Takes the provider out.
    pub fn clear(&self) {
        self.0.store(None);
    }

    /// The place as an instance gets it.
    pub fn slot(&self) -> Slot {
        Slot::new(self.clone())
    }

    /// The provider.
    pub fn get(&self) -> Option<AnyHandle> {
        self.0.load().as_deref().cloned()
    }
}

impl SlotProvider for Place {
    fn current(&self) -> Result<Option<AnyHandle>, CallFailure> {
        Ok(self.get())
    }
}
