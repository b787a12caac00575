//! A bounded map from identity set ids to what was made of them.
//!
//! Ids are never reused, so an entry is never stale; when it is full, the entry that was used longest ago goes.

use std::{
    collections::HashMap,
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc, PoisonError, RwLock,
    },
};

/// A bounded map from identity set ids to what was made of them; when it is full, what was used longest ago goes.
pub struct Cache<V> {
    limit: usize,
    clock: AtomicU64,
    entries: RwLock<HashMap<u64, Entry<V>>>,
}

struct Entry<V> {
    value: Arc<V>,
    used: AtomicU64,
}

impl<V> Cache<V> {
    /// One with room for so many.
    pub fn new(limit: usize) -> Self {
        Cache { limit, clock: AtomicU64::new(0), entries: RwLock::new(HashMap::new()) }
    }

    /// What was made of a set.
    pub fn get(&self, id: u64) -> Option<Arc<V>> {
        // A panic while the lock was held leaves a map that is whole: each change is one call.
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get(&id)?;
        entry.used.store(self.tick(), Ordering::Relaxed);
        Some(entry.value.clone())
    }

    /// Keeps `value`, unless another thread was first: all use the one that this gives.
    pub fn insert(&self, id: u64, value: V) -> Arc<V> {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.get(&id) {
            return entry.value.clone();
        }
        if entries.len() >= self.limit {
            let oldest = entries.iter().min_by_key(|(_, entry)| entry.used.load(Ordering::Relaxed));
            if let Some(oldest) = oldest.map(|(id, _)| *id) {
                entries.remove(&oldest);
            }
        }
        let value = Arc::new(value);
        entries.insert(id, Entry { value: value.clone(), used: AtomicU64::new(self.tick()) });
        value
    }

    fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entry_used_longest_ago_goes() {
        let cache = Cache::new(2);
        cache.insert(1, "one");
        cache.insert(2, "two");
        assert_eq!(cache.get(1).as_deref(), Some(&"one"));
        cache.insert(3, "three");
        assert_eq!(cache.get(2), None);
        assert!(cache.get(1).is_some() && cache.get(3).is_some());
    }

    #[test]
    fn the_first_value_of_an_id_stays() {
        let cache = Cache::new(2);
        cache.insert(1, "first");
        assert_eq!(*cache.insert(1, "second"), "first");
    }
}
