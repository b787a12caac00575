//! Session tickets (RFC 5077, RFC 8446 §4.6.1): their keys, what they carry, and which of them are good.
//!
//! **What it is for.** Keys come from the host's ring for a context: this provider, which certificates of clients are good,
//! and the leaf certificates that are served. So a ticket is good wherever all of these are equal, and nowhere else; a changed
//! certificate, trust anchor or revocation list ends it. A ticket is AES-256-CBC with HMAC-SHA-256 over it, as RFC 5077 §4
//! recommends. It holds the client's certificate; the time of its making and the rest of the chain ride along ([`Carried`]), so
//! that a resumed connection tells as much as a full one.
//!
//! **How it fails.** Without the host's answer there are no tickets, which is logged; handshakes go on in full.
//!
//! **Bounds.** A ticket is good for the lifetime that the host says, and not after a certificate of the client's chain has
//! expired. At most [`MAX_CHAIN`] bytes of chain ride along; whoever shows more gets no good ticket.

use super::{clock, conversation};
use dovetail_sdk::{
    tls::{HostTickets, TicketKey, NAME_LEN, SECRET_LEN},
    CallFailure, Secret, Service,
};
use openssl::{
    asn1::{Asn1Time, Asn1TimeRef},
    cipher::Cipher,
    cipher_ctx::CipherCtxRef,
    error::ErrorStack,
    rand::rand_bytes,
    ssl::{SslRef, SslSessionRef, SslVersion},
    x509::{X509Ref, X509},
};
use std::sync::{Arc, PoisonError, RwLock};

/// So many bytes of a client's chain ride along in a ticket.
const MAX_CHAIN: usize = 16 * 1024;

/// The host's ring, and how long a ticket is good.
pub(crate) struct Tickets {
    host: Service<HostTickets>,
}

impl Tickets {
    pub(crate) fn new(host: Service<HostTickets>) -> Self {
        Tickets { host }
    }

    /// For so many seconds a ticket is good. Nothing, if the host does not say.
    pub(crate) fn lifetime(&self) -> u32 {
        self.host.get().and_then(|host| host.lifetime()).unwrap_or_else(|failure| {
            missing(&failure);
            0
        })
    }

    /// The keys for a context as of now.
    fn ring(&self, context: &[u8], seen: Option<&Arc<Ring>>) -> Result<Arc<Ring>, CallFailure> {
        let host = self.host.get()?;
        let epoch = host.epoch()?;
        match seen {
            Some(ring) if ring.epoch == epoch => Ok(ring.clone()),
            _ => Ok(Arc::new(Ring::new(epoch, host.derive(context.to_vec())?))),
        }
    }
}

fn missing(failure: &CallFailure) {
    tracing::warn!(%failure, "the host gives no keys for session tickets; clients shake hands in full");
}

/// The keys of one context, kept until the host has others.
pub(crate) struct Keys {
    tickets: Arc<Tickets>,
    context: Vec<u8>,
    ring: RwLock<Option<Arc<Ring>>>,
}

impl Keys {
    pub(crate) fn new(tickets: Arc<Tickets>, context: Vec<u8>) -> Self {
        Keys { tickets, context, ring: RwLock::new(None) }
    }

    /// The keys as of now; `None` if the host has none.
    pub(crate) fn current(&self) -> Option<Arc<Ring>> {
        // A panic while the lock was held leaves either value whole.
        let seen = self.ring.read().unwrap_or_else(PoisonError::into_inner).clone();
        match self.tickets.ring(&self.context, seen.as_ref()) {
            Ok(ring) => {
                if seen.is_none_or(|seen| !Arc::ptr_eq(&seen, &ring)) {
                    *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Some(ring.clone());
                }
                Some(ring)
            }
            Err(failure) => {
                missing(&failure);
                None
            }
        }
    }
}

/// Keys, newest first: the first seals, each opens its own.
pub(crate) struct Ring {
    epoch: u64,
    keys: Vec<Key>,
}

struct Key {
    name: [u8; NAME_LEN],
    /// The cipher's key, then the MAC's.
    secret: Secret,
}

/// By which key a ticket was opened.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Opened {
    Newest,
    Older,
    /// By none.
    Unknown,
}

impl Ring {
    /// Keys of other sizes than agreed are left out.
    pub(crate) fn new(epoch: u64, keys: Vec<TicketKey>) -> Self {
        let whole = |key: TicketKey| {
            let name = <[u8; NAME_LEN]>::try_from(key.name).ok()?;
            (key.secret.expose().len() == SECRET_LEN).then_some(Key { name, secret: key.secret })
        };
        Ring { epoch, keys: keys.into_iter().filter_map(whole).collect() }
    }

    /// Whether there is a key to seal with.
    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Names the newest key, and gets cipher and MAC ready to seal with it.
    pub(crate) fn seal(
        &self,
        name: &mut [u8; NAME_LEN],
        iv: &mut [u8; IV_LEN],
        cipher: &mut CipherCtxRef,
        key_mac: &mut dyn FnMut(&[u8]) -> Result<(), ErrorStack>,
    ) -> Result<(), ErrorStack> {
        let key = self.keys.first().ok_or_else(ErrorStack::get)?;
        let (cipher_key, mac_key) = key.secret.expose().split_at(SECRET_LEN / 2);
        *name = key.name;
        rand_bytes(iv)?;
        cipher.encrypt_init(Some(Cipher::aes_256_cbc()), Some(cipher_key), Some(iv))?;
        key_mac(mac_key)
    }

    /// Finds the key of this name, and gets cipher and MAC ready to open with it.
    pub(crate) fn open(
        &self,
        name: &[u8; NAME_LEN],
        iv: &[u8; IV_LEN],
        cipher: &mut CipherCtxRef,
        key_mac: &mut dyn FnMut(&[u8]) -> Result<(), ErrorStack>,
    ) -> Result<Opened, ErrorStack> {
        let Some((place, key)) = self.keys.iter().enumerate().find(|(_, key)| key.name == *name) else {
            return Ok(Opened::Unknown);
        };
        let (cipher_key, mac_key) = key.secret.expose().split_at(SECRET_LEN / 2);
        cipher.decrypt_init(Some(Cipher::aes_256_cbc()), Some(cipher_key), Some(iv))?;
        key_mac(mac_key)?;
        Ok(if place == 0 { Opened::Newest } else { Opened::Older })
    }
}

/// The ring for a connection, as its ClientHello chose it.
pub(crate) fn ring_of(ssl: &SslRef) -> Option<Arc<Ring>> {
    conversation::of(ssl)?.ring.clone()
}

/// Whether a session from a ticket may be resumed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Usable {
    Yes,
    /// Yes, and the client gets a newer ticket.
    Renew,
    No,
}

/// Judges an opened ticket. `peer` is the leaf of the client's chain.
pub(crate) fn usable(
    ssl: &SslRef,
    session: &SslSessionRef,
    carried: &[u8],
    peer: Option<&X509Ref>,
    older_key: bool,
) -> Usable {
    let lifetime = conversation::of(ssl).map_or(0, |conversation| conversation.lifetime);
    let good = Carried::parse(carried).is_some_and(|carried| {
        // One from the future is from before the clock was set back: its age is unknown.
        let age = clock::now().checked_sub(carried.made);
        age.is_some_and(|age| age < u64::from(lifetime))
            && peer.is_none_or(|leaf| lasts(leaf.not_after()))
            && carried.chain.iter().all(|der| X509::from_der(der).is_ok_and(|issuer| lasts(issuer.not_after())))
    });
    match good {
        false => Usable::No,
        // A TLS 1.3 client uses a ticket once (RFC 8446 §C.4).
        true if older_key || session.protocol_version() == SslVersion::TLS1_3 => Usable::Renew,
        true => Usable::Yes,
    }
}

/// Whether this time is still to come.
pub(crate) fn lasts(until: &Asn1TimeRef) -> bool {
    let now = i64::try_from(clock::now()).unwrap_or(i64::MAX);
    Asn1Time::from_unix(now).is_ok_and(|now| *until >= now)
}

/// What a new ticket of the connection carries.
pub(crate) fn to_carry(ssl: &SslRef, before: &[u8]) -> Option<Vec<u8>> {
    let chain = if ssl.session_reused() {
        Carried::parse(before)?.chain
    } else {
        let shown = ssl.peer_cert_chain().into_iter().flatten();
        shown.map(|certificate| certificate.to_der().ok()).collect::<Option<_>>()?
    };
    Carried { made: clock::now(), chain }.pack()
}

/// What rides along in a ticket.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Carried {
    /// When it was made, in Unix seconds.
    made: u64,
    /// The client's chain without its leaf, each certificate as DER.
    pub(crate) chain: Vec<Vec<u8>>,
}

impl Carried {
    /// `None` if the chain is too long.
    fn pack(&self) -> Option<Vec<u8>> {
        let mut packed = self.made.to_be_bytes().to_vec();
        for der in &self.chain {
            packed.extend(u32::try_from(der.len()).ok()?.to_be_bytes());
            packed.extend(der);
        }
        (packed.len() <= MAX_CHAIN).then_some(packed)
    }

    /// `None` if this was not packed here.
    pub(crate) fn parse(packed: &[u8]) -> Option<Self> {
        let (made, mut rest) = packed.split_first_chunk::<8>()?;
        let mut chain = Vec::new();
        while !rest.is_empty() {
            let (len, tail) = rest.split_first_chunk::<4>()?;
            let (der, tail) = tail.split_at_checked(usize::try_from(u32::from_be_bytes(*len)).ok()?)?;
            chain.push(der.to_vec());
            rest = tail;
        }
        Some(Carried { made: u64::from_be_bytes(*made), chain })
    }
}

/// The length of AES-CBC's initialisation vector.
pub(crate) const IV_LEN: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_packed_can_be_read(made: u64, chain: Vec<Vec<u8>>) {
            let carried = Carried { made, chain };
            let packed = carried.pack();
            prop_assert_eq!(packed.and_then(|packed| Carried::parse(&packed)), Some(carried));
        }

        #[test]
        fn never_panics(bytes: Vec<u8>) {
            Carried::parse(&bytes);
        }
    }

    #[test]
    fn a_long_chain_is_not_carried() {
        let chain = |len| Carried { made: 1, chain: vec![vec![0; len]] }.pack();
        assert!(chain(MAX_CHAIN - 12).is_some());
        assert_eq!(chain(MAX_CHAIN - 11), None);
    }
}
