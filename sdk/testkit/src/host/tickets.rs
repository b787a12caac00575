//! `dovetail.host.tickets/1` for tests: a ring that the test turns.

use super::bound;
use dovetail_sdk::{
    abi::kernel_v1::Bound,
    tls::{HostTickets, HostTicketsProvider, TicketKey, NAME_LEN, SECRET_LEN},
    CallFailure, Secret, Service,
};
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        atomic::{AtomicU32, AtomicU64, Ordering},
        Arc,
    },
};

/// A ring of ticket keys as the host has it: the newest secret makes tickets, the one before still opens them. Clones are the
/// same ring. Its keys are no secrets: they follow from the ring's number, its turn and the context.
///
/// ```
/// use dovetail_sdk::tls::HostTicketsProvider;
/// use dovetail_testkit::TestTickets;
///
/// let tickets = TestTickets::new();
/// let first = tickets.derive(b"context".to_vec())?;
/// tickets.rotate();
/// let second = tickets.derive(b"context".to_vec())?;
/// assert_eq!((first.len(), second.len()), (1, 2));
/// assert_eq!(second[1].name, first[0].name);
/// # Ok::<(), dovetail_sdk::CallFailure>(())
/// ```
#[derive(Debug, Clone)]
pub struct TestTickets(Arc<Ring>);

#[derive(Debug)]
struct Ring {
    number: u64,
    turn: AtomicU64,
    lifetime: AtomicU32,
    derived: AtomicU64,
}

impl TestTickets {
    /// A ring that no other test has, with a lifetime of six hours.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        TestTickets(Arc::new(Ring {
            number: RINGS.fetch_add(1, Ordering::Relaxed),
            turn: AtomicU64::new(0),
            lifetime: AtomicU32::new(LIFETIME),
            derived: AtomicU64::new(0),
        }))
    }

    /// Begins a new secret: the one before opens tickets until the next turn.
    pub fn rotate(&self) {
        self.0.turn.fetch_add(1, Ordering::SeqCst);
    }

    /// Tickets are good for so many seconds from now on.
    pub fn set_lifetime(&self, seconds: u32) {
        self.0.lifetime.store(seconds, Ordering::SeqCst);
    }

    /// How often keys were asked for.
    pub fn derived(&self) -> u64 {
        self.0.derived.load(Ordering::SeqCst)
    }

    /// The ring as a plugin's required service.
    pub fn bound(&self) -> Bound {
        bound(HostTickets::new(self.clone()))
    }

    /// The ring as a plugin's code holds it.
    pub fn service(&self) -> Service<HostTickets> {
        Service::fixed(HostTickets::new(self.clone()))
    }

    fn key(&self, turn: u64, context: &[u8]) -> TicketKey {
        let octets = |what: &str, count: usize| -> Vec<u8> {
            let eight = |part: usize| {
                let mut hasher = DefaultHasher::new();
                (self.0.number, turn, context, what, part).hash(&mut hasher);
                hasher.finish().to_be_bytes()
            };
            (0..count.div_ceil(8)).flat_map(eight).take(count).collect()
        };
        TicketKey { name: octets("name", NAME_LEN), secret: Secret::new(octets("secret", SECRET_LEN)) }
    }
}

impl HostTicketsProvider for TestTickets {
    fn epoch(&self) -> Result<u64, CallFailure> {
        Ok(self.0.turn.load(Ordering::SeqCst))
    }

    fn derive(&self, context: Vec<u8>) -> Result<Vec<TicketKey>, CallFailure> {
        self.0.derived.fetch_add(1, Ordering::SeqCst);
        let turn = self.0.turn.load(Ordering::SeqCst);
        let turns = [Some(turn), turn.checked_sub(1)];
        Ok(turns.into_iter().flatten().map(|turn| self.key(turn, &context)).collect())
    }

    fn lifetime(&self) -> Result<u32, CallFailure> {
        Ok(self.0.lifetime.load(Ordering::SeqCst))
    }
}

const LIFETIME: u32 = 6 * 3600;
static RINGS: AtomicU64 = AtomicU64::new(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(tickets: &TestTickets, context: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let keys = tickets.derive(context.to_vec()).unwrap();
        keys.into_iter().map(|key| (key.name, key.secret.expose().to_vec())).collect()
    }

    #[test]
    fn it_turns_as_the_hosts_ring_does() {
        let tickets = TestTickets::new();
        let first = keys(&tickets, b"x");
        assert_eq!((first.len(), first[0].0.len(), first[0].1.len()), (1, NAME_LEN, SECRET_LEN));
        assert_ne!(keys(&tickets, b"y"), first);
        assert_ne!(keys(&TestTickets::new(), b"x"), first);
        tickets.rotate();
        let second = keys(&tickets.clone(), b"x");
        assert_eq!((tickets.epoch(), second.len(), &second[1]), (Ok(1), 2, &first[0]));
        assert_ne!(second[0], first[0]);
        tickets.rotate();
        assert_eq!(keys(&tickets, b"x")[1], second[0]);
        assert_eq!(tickets.derived(), 4);
    }
}
