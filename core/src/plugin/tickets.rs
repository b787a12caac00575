//! The ring of TLS ticket keys: random secrets in memory, a new one every [`PERIOD`], the one before still good for opening.
//!
//! It belongs to the process, so tickets outlive reloads and generations of a provider. Nothing of it is on disk: after a
//! restart clients shake hands in full. RFC 8446 section 4.6.1 allows a lifetime of seven days; this is hours, since whoever
//! learns a secret can read what was resumed with it before.

use dovetail_abi::{
    tickets_v1::{HostTicketsProvider, TicketKey, NAME_LEN, SECRET_LEN},
    CallFailure, Secret,
};
use hkdf::Hkdf;
use sha2::Sha256;
use std::{
    sync::{Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};
use zeroize::Zeroizing;

/// A secret makes tickets for so long, and opens them for as long again.
const PERIOD: Duration = Duration::from_secs(6 * 3600);
/// A secret has so many octets.
const LEN: usize = 32;

/// The ring as an instance gets it.
pub struct Tickets;

impl HostTicketsProvider for Tickets {
    fn epoch(&self) -> Result<u64, CallFailure> {
        Ok(RING.get_or_init(Ring::new).epoch(Instant::now()))
    }

    fn derive(&self, context: Vec<u8>) -> Result<Vec<TicketKey>, CallFailure> {
        RING.get_or_init(Ring::new).derive(Instant::now(), &context).ok_or(CallFailure::Unavailable)
    }

    fn lifetime(&self) -> Result<u32, CallFailure> {
        Ok(u32::try_from(PERIOD.as_secs()).unwrap_or(u32::MAX))
    }
}

static RING: OnceLock<Ring> = OnceLock::new();

struct Ring {
    began: Instant,
    /// With the epoch that they began in, newest first; two at most.
    secrets: Mutex<Vec<(u64, Zeroizing<[u8; LEN]>)>>,
}

impl Ring {
    fn new() -> Self {
        Ring { began: Instant::now(), secrets: Mutex::default() }
    }

    fn epoch(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.began).as_secs() / PERIOD.as_secs()
    }

    /// The keys for a context; `None` if the system gives no random numbers.
    fn derive(&self, now: Instant, context: &[u8]) -> Option<Vec<TicketKey>> {
        let epoch = self.epoch(now);
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.retain(|(began, _)| began + 1 >= epoch);
        if secrets.first().is_none_or(|(began, _)| *began < epoch) {
            let mut secret = Zeroizing::new([0; LEN]);
            getrandom::fill(secret.as_mut_slice()).ok()?;
            secrets.insert(0, (epoch, secret));
        }
        secrets.iter().map(|(_, secret)| key(secret.as_slice(), context)).collect()
    }
}

fn key(secret: &[u8], context: &[u8]) -> Option<TicketKey> {
    let derived = Hkdf::<Sha256>::new(None, secret);
    let mut octets = Zeroizing::new([0; NAME_LEN + SECRET_LEN]);
    // Fails only for lengths that HKDF cannot give.
    derived.expand_multi_info(&[b"dovetail ticket key 1", context], octets.as_mut_slice()).ok()?;
    let (name, secret) = octets.split_at(NAME_LEN);
    Some(TicketKey { name: name.to_vec(), secret: Secret::new(secret.to_vec()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ring: &Ring, now: Instant, context: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let keys = ring.derive(now, context).unwrap();
        keys.into_iter().map(|key| (key.name, key.secret.expose().to_vec())).collect()
    }

    #[test]
    fn contexts_have_keys_of_their_own_and_the_same_each_time() {
        let ring = Ring::new();
        let one = at(&ring, ring.began, b"one");
        assert_eq!((one.len(), one[0].0.len(), one[0].1.len()), (1, NAME_LEN, SECRET_LEN));
        assert_eq!(at(&ring, ring.began, b"one"), one);
        assert_ne!(at(&ring, ring.began, b"two"), one);
        assert_ne!(at(&Ring::new(), Instant::now(), b"one"), one);
    }

    #[test]
    fn the_key_before_still_opens_and_the_one_before_that_is_gone() {
        let ring = Ring::new();
        let periods = |count: u32| ring.began + PERIOD * count;
        let first = at(&ring, periods(0), b"x");
        assert_eq!(ring.epoch(periods(0) + PERIOD / 2), 0);
        let second = at(&ring, periods(1), b"x");
        assert_eq!((ring.epoch(periods(1)), second.len(), &second[1]), (1, 2, &first[0]));
        let third = at(&ring, periods(2), b"x");
        assert_eq!((third.len(), &third[1]), (2, &second[0]));
        // Nobody came for long.
        assert_eq!(at(&ring, periods(9), b"x").len(), 1);
    }
}
