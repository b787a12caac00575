//! Session tickets (RFC 5077, RFC 8446 section 4.6.1) under keys that the host derives.
//!
//! A ticket is the key's name (16 octets), a nonce (12), and by AES-256-GCM the time of its making (8 octets, Unix seconds)
//! with rustls' state, and the tag (16). The name is authenticated with it. Nonces are random: a key makes tickets for hours,
//! far fewer than the 2^32 that they are good for.
//!
//! **How it fails.** A ticket that is too old, too long, of another key or forged is none: the client shakes hands in full.
//! Without keys of the host there are no tickets. **Bounds.** [`MAX_STATE`] octets of state, which a long chain of a client's
//! certificates may exceed: such a client gets no ticket.

use super::{clients::digest_of, clock};
use aws_lc_rs::aead::{Aad, Nonce, RandomizedNonceKey, AES_256_GCM, NONCE_LEN};
use dovetail_sdk::{
    tls::{HostTickets, NAME_LEN},
    CallFailure, Service,
};
use rustls::{pki_types::CertificateDer, server::ProducesTickets};
use std::sync::{
    atomic::{AtomicBool, Ordering},
    Arc, PoisonError, RwLock,
};

/// See the module.
pub(crate) const MAX_STATE: usize = 16 * 1024;
const KEY_LEN: usize = 32;
const TIME_LEN: usize = 8;
const TAG_LEN: usize = 16;

/// Makes and opens the tickets of an identity set under a policy for clients' certificates.
pub(crate) struct Ticketer {
    ring: Service<HostTickets>,
    context: Vec<u8>,
    keys: RwLock<Option<Arc<Keys>>>,
    complained: AtomicBool,
}

struct Keys {
    epoch: u64,
    /// Newest first.
    keys: Vec<([u8; NAME_LEN], RandomizedNonceKey)>,
}

impl Ticketer {
    /// `leaves` are the certificates of the set, `clients` stands for the policy.
    pub(crate) fn new<'a>(
        ring: Service<HostTickets>,
        clients: &[u8; 32],
        leaves: impl Iterator<Item = &'a CertificateDer<'a>>,
    ) -> Self {
        let mut leaves: Vec<&[u8]> = leaves.map(AsRef::as_ref).collect();
        leaves.sort_unstable();
        let context = [PROVIDER, clients, &digest_of(b"leaves", leaves)].concat();
        Ticketer { ring, context, keys: RwLock::default(), complained: AtomicBool::new(false) }
    }

    /// The keys of the ring as it is now.
    fn keys(&self) -> Option<Arc<Keys>> {
        match self.fresh() {
            Ok(keys) => Some(keys),
            Err(error) => {
                if !self.complained.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, "the host gives no ticket keys, so every handshake is a full one");
                }
                None
            }
        }
    }

    fn fresh(&self) -> Result<Arc<Keys>, CallFailure> {
        let ring = self.ring.get()?;
        let epoch = ring.epoch()?;
        {
            // A panic while the lock was held leaves the old keys or the new ones.
            let known = self.keys.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(keys) = known.as_ref().filter(|keys| keys.epoch == epoch) {
                return Ok(keys.clone());
            }
        }
        let mut keys = Vec::new();
        for key in ring.derive(self.context.clone())? {
            let name = <[u8; NAME_LEN]>::try_from(key.name.as_slice());
            let secret = key.secret.expose().get(..KEY_LEN).map(|secret| RandomizedNonceKey::new(&AES_256_GCM, secret));
            match (name, secret) {
                (Ok(name), Some(Ok(secret))) => keys.push((name, secret)),
                _ => return Err(CallFailure::Unavailable),
            }
        }
        // Should the ring have turned in between, the next use finds another epoch and asks again.
        let keys = Arc::new(Keys { epoch, keys });
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Some(keys.clone());
        Ok(keys)
    }

    fn lifetime(&self) -> Option<u32> {
        self.ring.get().and_then(|ring| ring.lifetime()).ok()
    }

    fn seal(&self, state: &[u8]) -> Option<Vec<u8>> {
        if state.len() > MAX_STATE {
            return None;
        }
        let keys = self.keys()?;
        let (name, key) = keys.keys.first()?;
        let mut sealed = Vec::with_capacity(TIME_LEN + state.len() + TAG_LEN);
        sealed.extend(clock::now().as_secs().to_be_bytes());
        sealed.extend(state);
        let nonce = key.seal_in_place_append_tag(Aad::from(name), &mut sealed).ok()?;
        Some([name, nonce.as_ref().as_slice(), &sealed].concat())
    }

    fn open(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        if ticket.len() > NAME_LEN + NONCE_LEN + TIME_LEN + MAX_STATE + TAG_LEN {
            return None;
        }
        let (name, rest) = ticket.split_first_chunk::<NAME_LEN>()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
        let keys = self.keys()?;
        let (_, key) = keys.keys.iter().find(|(known, _)| known == name)?;
        let mut opened = sealed.to_vec();
        let len = key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(name), &mut opened).ok()?.len();
        opened.truncate(len);
        let made = u64::from_be_bytes(*opened.first_chunk::<TIME_LEN>()?);
        opened.drain(..TIME_LEN);
        // One from the future is from before the clock was set back: its age is unknown.
        let age = clock::now().as_secs().checked_sub(made)?;
        (age < u64::from(self.lifetime()?)).then_some(opened)
    }
}

impl ProducesTickets for Ticketer {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        Ticketer::lifetime(self).unwrap_or_default()
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.seal(plain)
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        self.open(cipher)
    }
}

impl std::fmt::Debug for Ticketer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ticketer")
    }
}

/// Another version may hold another rustls, which writes its state in another way.
const PROVIDER: &[u8] = concat!("tls-rustls ", env!("CARGO_PKG_VERSION"), "\0").as_bytes();

#[cfg(test)]
mod tests {
    use super::*;
    use dovetail_sdk::{
        tls::{HostTicketsProvider, TicketKey},
        Secret,
    };
    use dovetail_testkit::{TestHost, TestTickets};
    use proptest::prelude::*;

    fn ticketer(ring: &TestTickets, clients: u8, leaves: &[&'static [u8]]) -> Ticketer {
        let leaves: Vec<CertificateDer<'static>> = leaves.iter().map(|leaf| CertificateDer::from(*leaf)).collect();
        Ticketer::new(ring.service(), &[clients; 32], leaves.iter())
    }

    #[test]
    fn who_agrees_in_all_opens_the_others_tickets() {
        let ring = TestTickets::new();
        let ticket = ticketer(&ring, 1, &[b"rsa", b"ecdsa"]).encrypt(b"state").unwrap();
        assert_eq!(ticketer(&ring, 1, &[b"ecdsa", b"rsa"]).decrypt(&ticket).as_deref(), Some(&b"state"[..]));
        let others = [
            ticketer(&ring, 2, &[b"rsa", b"ecdsa"]),
            ticketer(&ring, 1, &[b"rsa"]),
            ticketer(&ring, 1, &[b"rsaecdsa"]),
            ticketer(&TestTickets::new(), 1, &[b"rsa", b"ecdsa"]),
        ];
        for other in others {
            assert_eq!(other.decrypt(&ticket), None);
        }
    }

    #[tokio::test]
    async fn a_ticket_has_its_time() {
        let host = TestHost::new();
        let ring = TestTickets::new();
        let ticketer = ticketer(&ring, 1, &[b"leaf"]);
        host.set_unix_milliseconds(2_000_000_000_000);
        let ticket = host.enter(|| ticketer.encrypt(b"state")).unwrap();
        assert_eq!(ProducesTickets::lifetime(&ticketer), 6 * 3600);
        for (seconds, good) in [(0, true), (6 * 3600 - 1, true), (6 * 3600, false), (1 << 40, false)] {
            host.set_unix_milliseconds(2_000_000_000_000 + seconds * 1000);
            assert_eq!(host.enter(|| ticketer.decrypt(&ticket)).is_some(), good, "{seconds}");
        }
        host.set_unix_milliseconds(2_000_000_000_000 - 1000);
        assert_eq!(host.enter(|| ticketer.decrypt(&ticket)), None, "from the future");
        host.set_unix_milliseconds(2_000_000_000_000 + 60_000);
        ring.set_lifetime(60);
        assert_eq!(host.enter(|| ticketer.decrypt(&ticket)), None, "the host has less patience now");
    }

    #[test]
    fn a_state_that_is_too_long_has_no_ticket() {
        let ticketer = ticketer(&TestTickets::new(), 1, &[b"leaf"]);
        let longest = ticketer.encrypt(&[7; MAX_STATE]).unwrap();
        assert_eq!(ticketer.decrypt(&longest).map(|state| state.len()), Some(MAX_STATE));
        assert_eq!(ticketer.encrypt(&[7; MAX_STATE + 1]), None);
    }

    /// A host that gives no keys, or such as nobody can use.
    struct Poor(Option<TicketKey>);

    impl HostTicketsProvider for Poor {
        fn epoch(&self) -> Result<u64, CallFailure> {
            Ok(0)
        }
        fn derive(&self, _: Vec<u8>) -> Result<Vec<TicketKey>, CallFailure> {
            self.0.clone().map(|key| vec![key]).ok_or(CallFailure::Unavailable)
        }
        fn lifetime(&self) -> Result<u32, CallFailure> {
            Ok(60)
        }
    }

    #[test]
    fn without_keys_there_are_no_tickets() {
        let key = |name: usize, secret: usize| TicketKey { name: vec![1; name], secret: Secret::new(vec![2; secret]) };
        for (key, good) in
            [(None, false), (Some(key(15, 64)), false), (Some(key(16, 31)), false), (Some(key(16, 64)), true)]
        {
            let ring = Service::fixed(HostTickets::new(Poor(key)));
            let ticketer = Ticketer::new(ring, &[1; 32], std::iter::empty());
            assert_eq!(ticketer.encrypt(b"state").is_some(), good);
        }
    }

    proptest! {
        #[test]
        fn a_forged_ticket_is_none(at in 0_usize..66, bit in 0_u8..8, cut in 0_usize..66, other: Vec<u8>) {
            let ticketer = ticketer(&TestTickets::new(), 1, &[b"leaf"]);
            let ticket = ticketer.encrypt(b"a state, such").unwrap();
            prop_assert_eq!(ticket.len(), 65);
            prop_assert_eq!(ticketer.decrypt(&ticket[..cut.min(64)]), None);
            prop_assert_eq!(ticketer.decrypt(&other), None);
            let mut forged = ticket;
            forged[at.min(64)] ^= 1 << bit;
            prop_assert_eq!(ticketer.decrypt(&forged), None);
        }
    }
}
