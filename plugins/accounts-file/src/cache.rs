//! Passwords that were right not long ago, so that a client that logs in again and again does not cost a hash each time.
//!
//! Nothing in here is a password: an entry is a keyed hash (BLAKE2s, RFC 7693) of account, stored hash and password, with
//! a key that is made at start and lives in this process only. Since the stored hash is part of it, a changed password
//! makes the entry worthless at once. Only right passwords are remembered; a wrong one costs a hash every time.
//!
//! **Bounds**: one entry an account, a greatest number of entries (an arbitrary one makes room), a time to live.

use crate::{
    name::Name,
    password::{self, HashError},
};
use blake2::{
    digest::{CtOutput, Mac},
    Blake2sMac256,
};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// What stands for an attempt: the same account, stored hash and password give the same ticket.
pub type Ticket = [u8; 32];

/// See the module.
pub struct Cache {
    key: [u8; 32],
    time_to_live: Duration,
    max_entries: usize,
    entries: Mutex<HashMap<Name, Entry>>,
}

struct Entry {
    ticket: Ticket,
    expires: Instant,
}

impl Cache {
    /// An empty cache. A time or number of 0 turns it off.
    ///
    /// # Errors
    /// No random bytes for the key.
    pub fn new(time_to_live: Duration, max_entries: usize) -> Result<Self, HashError> {
        Ok(Cache { key: password::random()?, time_to_live, max_entries, entries: Mutex::default() })
    }

    /// The ticket of an attempt.
    pub fn ticket(&self, name: &str, stored: &str, password: &[u8]) -> Ticket {
        let mut mac = self.mac();
        for part in [name.as_bytes(), stored.as_bytes(), password] {
            // With its length in front, no part can pass for the end of another.
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// Whether this attempt was right not long ago.
    pub fn knows(&self, name: &Name, ticket: &Ticket, now: Instant) -> bool {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.get(name).is_some_and(|entry| entry.expires > now && same(&entry.ticket, ticket))
    }

    /// Remembers a right attempt.
    pub fn remember(&self, name: &Name, ticket: Ticket, now: Instant) {
        if self.max_entries == 0 || self.time_to_live.is_zero() {
            return;
        }
        let Some(expires) = now.checked_add(self.time_to_live) else {
            return;
        };
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= self.max_entries && !entries.contains_key(name) {
            if let Some(victim) = entries.keys().next().cloned() {
                entries.remove(&victim);
            }
        }
        entries.insert(name.clone(), Entry { ticket, expires });
    }

    fn mac(&self) -> Blake2sMac256 {
        Blake2sMac256::new(&self.key.into())
    }
}

/// Compares without telling by the time taken where two tickets differ.
fn same(one: &Ticket, two: &Ticket) -> bool {
    CtOutput::<Blake2sMac256>::new((*one).into()) == CtOutput::new((*two).into())
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cache(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn knows_what_it_was_told_for_so_long() {
        let cache = Cache::new(MINUTE, 10).unwrap();
        let (a, b, now) = (name("a@x.org"), name("b@x.org"), Instant::now());
        let ticket = cache.ticket("a@x.org", "hash", b"secret");
        assert!(!cache.knows(&a, &ticket, now));
        cache.remember(&a, ticket, now);
        assert!(cache.knows(&a, &ticket, now));
        assert!(cache.knows(&a, &ticket, now + MINUTE - Duration::from_millis(1)));
        assert!(!cache.knows(&a, &ticket, now + MINUTE));
        assert!(!cache.knows(&b, &ticket, now));
        assert!(!cache.knows(&a, &cache.ticket("a@x.org", "hash", b"Secret"), now));
        assert!(!cache.knows(&a, &cache.ticket("a@x.org", "new hash", b"secret"), now));
    }

    #[test]
    fn parts_do_not_run_together() {
        let cache = Cache::new(MINUTE, 10).unwrap();
        assert_ne!(cache.ticket("a", "bc", b"d"), cache.ticket("a", "b", b"cd"));
        assert_ne!(cache.ticket("ab", "c", b"d"), cache.ticket("a", "bc", b"d"));
    }

    #[test]
    fn two_processes_have_nothing_in_common() {
        let ticket = || Cache::new(MINUTE, 10).unwrap().ticket("a", "b", b"c");
        assert_ne!(ticket(), ticket());
    }

    #[test]
    fn it_never_grows_beyond_its_bound() {
        let cache = Cache::new(MINUTE, 2).unwrap();
        let now = Instant::now();
        let names: Vec<Name> = (0..5).map(|n| name(&format!("a{n}@x.org"))).collect();
        for name in &names {
            cache.remember(name, [7; 32], now);
        }
        assert_eq!(names.iter().filter(|name| cache.knows(name, &[7; 32], now)).count(), 2);
        assert!(cache.knows(&names[4], &[7; 32], now), "the newest is in");
    }

    #[test]
    fn zero_turns_it_off() {
        for cache in [Cache::new(MINUTE, 0).unwrap(), Cache::new(Duration::ZERO, 9).unwrap()] {
            cache.remember(&name("a@x.org"), [7; 32], Instant::now());
            assert!(!cache.knows(&name("a@x.org"), &[7; 32], Instant::now()));
        }
    }
}
