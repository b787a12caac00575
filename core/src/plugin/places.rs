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
        self.all_of(instance).iter().for_each(Place::clear);
    }

    /// Empties the places of an instance, but that of one interface.
    pub fn clear_but(&self, instance: &str, interface: &str) {
        let places = self.lock();
        places
            .iter()
            .filter(|((owner, id), _)| owner == instance && id != interface)
            .for_each(|(_, place)| place.clear());
    }

    /// Holds all places of an instance, until what this gives is dropped.
    pub fn hold(&self, instance: &str) -> Held {
        let places = self.all_of(instance);
        places.iter().for_each(Place::hold);
        Held(places)
    }

    fn all_of(&self, instance: &str) -> Vec<Place> {
        let of_instance = |((owner, _), place): (&(String, String), &Place)| (owner == instance).then(|| place.clone());
        self.lock().iter().filter_map(of_instance).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, String), Place>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Held places. Dropped, those that nobody has filled meanwhile are open with what still stands there.
pub struct Held(Vec<Place>);

impl Held {
    /// How many providers stand there to finish with them what was begun.
    pub fn providers(&self) -> u64 {
        self.0.iter().filter(|place| place.get().is_some()).count() as u64
    }

    /// Takes the providers away.
    pub fn cease(&self) {
        self.0.iter().for_each(Place::cease);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.iter().for_each(Place::resume);
    }
}
