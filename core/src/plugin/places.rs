//! The places of all services, by the instance that provides and the interface. They outlive the instances: whoever holds a
//! place's slot meets the next generation there.

use super::slot::Place;
use dovetail_abi::AnyHandle;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// See the module.
#[derive(Clone, Default)]
pub struct Places(Arc<Mutex<BTreeMap<(String, String), Place>>>);

impl Places {
    /// The place of what an instance provides; made if need be.
    pub fn place(&self, instance: &str, interface: &str) -> Place {
        self.lock().entry((instance.to_owned(), interface.to_owned())).or_default().clone()
    }

    /// The provider that stands there now.
    pub fn get(&self, instance: &str, interface: &str) -> Option<AnyHandle> {
        self.lock().get(&(instance.to_owned(), interface.to_owned()))?.get()
    }

    /// Empties all places of an instance.
    pub fn clear(&self, instance: &str) {
        self.lock().iter().filter(|((owner, _), _)| owner == instance).for_each(|(_, place)| place.clear());
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, String), Place>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
