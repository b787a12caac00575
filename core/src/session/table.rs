//! The sessions that are open, for whoever asks how the server is.
//!
//! A session is in the table from its acceptance to its end, so the limits on connections bound it too. Its octets are counted
//! where they cross the socket: with TLS, as they are on the wire.

use crate::plugin::{account::Account, generation::Generation};
use dovetail_abi::tls_v1::TlsFacts;
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        atomic::{AtomicBool, AtomicU64, Ordering},
        Arc, Mutex, MutexGuard, PoisonError,
    },
    time::Instant,
};

/// Octets of a connection, as they are on the wire.
#[derive(Debug, Default)]
pub struct Octets {
    received: AtomicU64,
    sent: AtomicU64,
    began_with_tls: AtomicBool,
    account: Option<Arc<Account>>,
}

impl Octets {
    /// None yet; they count to an account, too.
    pub fn of(account: &Arc<Account>) -> Self {
        Octets { account: Some(account.clone()), ..Octets::default() }
    }

    /// So many more came in.
    pub fn received(&self, count: usize) {
        self.received.fetch_add(count as u64, Ordering::Relaxed);
        if let Some(account) = &self.account {
            account.received(count);
        }
    }

    /// So many more went out.
    pub fn sent(&self, count: usize) {
        self.sent.fetch_add(count as u64, Ordering::Relaxed);
        if let Some(account) = &self.account {
            account.sent(count);
        }
    }

    /// The first that came in were TLS's, where text is expected.
    pub fn tls_came(&self) {
        self.began_with_tls.store(true, Ordering::Relaxed);
    }

    /// Whether the first that came in were TLS's, where text is expected.
    pub fn began_with_tls(&self) -> bool {
        self.began_with_tls.load(Ordering::Relaxed)
    }

    /// What came in and went out so far.
    pub fn so_far(&self) -> (u64, u64) {
        (self.received.load(Ordering::Relaxed), self.sent.load(Ordering::Relaxed))
    }
}

/// An open session.
#[derive(Debug)]
pub struct Entry {
    /// Its id.
    pub id: String,
    /// Its listener.
    pub listener: String,
    /// The generation that serves it.
    pub served_by: Arc<Generation>,
    /// Its client.
    pub peer: SocketAddr,
    /// Since when.
    pub since: Instant,
    /// What went over its connection.
    pub octets: Arc<Octets>,
    /// What became known later.
    known: Mutex<Known>,
}

/// What becomes known about a session while it goes on.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Whose login was right, the last if there were several. With SCRAM that counts before the client has heard of it: one that
    /// gives up at that moment is named here, though its protocol has not let it in.
    pub account: Option<String>,
    /// The version and the cipher suite of TLS.
    pub tls: Option<(String, String)>,
    /// The generation that does its TLS.
    pub tls_by: Option<Arc<Generation>>,
}

impl Entry {
    /// TLS began.
    pub fn secured(&self, facts: &TlsFacts, by: Option<Arc<Generation>>) {
        let mut known = self.lock();
        known.tls = Some((facts.version.clone(), facts.cipher.clone()));
        known.tls_by = by;
        drop(known);
        if let Some(leaf) = facts.peer_chain.first() {
            let certificate = fingerprint(leaf);
            tracing::info!(session = %self.id, listener = %self.listener, peer = %self.peer, certificate, "the client's certificate is verified");
        }
    }

    /// A login was right.
    pub fn logged_in(&self, account: &str) {
        self.lock().account = Some(account.to_owned());
    }

    /// What is known by now.
    pub fn known(&self) -> Known {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The SHA-256 of a certificate, as `openssl x509 -fingerprint -sha256` writes it.
fn fingerprint(certificate: &[u8]) -> String {
    Sha256::digest(certificate).iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

/// The open sessions, by id.
#[derive(Debug, Default)]
pub struct Sessions(Mutex<BTreeMap<String, Arc<Entry>>>);

impl Sessions {
    /// Enters a session; it stays until what this gives is dropped.
    pub fn enter(
        self: &Arc<Self>,
        id: &str,
        listener: &str,
        served_by: Arc<Generation>,
        peer: SocketAddr,
        octets: Octets,
    ) -> Present {
        let entry = Arc::new(Entry {
            id: id.to_owned(),
            listener: listener.to_owned(),
            served_by,
            peer,
            since: Instant::now(),
            octets: Arc::new(octets),
            known: Mutex::default(),
        });
        self.lock().insert(id.to_owned(), entry.clone());
        Present { sessions: self.clone(), entry }
    }

    /// The oldest `max` sessions, in the order they came.
    pub fn list(&self, max: usize) -> Vec<Arc<Entry>> {
        self.lock().values().take(max).cloned().collect()
    }

    /// How many there are by TLS version; `none` without TLS.
    pub fn by_tls(&self) -> BTreeMap<String, u64> {
        let mut versions = BTreeMap::new();
        for entry in self.lock().values() {
            let version = entry.lock().tls.as_ref().map_or_else(|| "none".to_owned(), |(version, _)| version.clone());
            *versions.entry(version).or_default() += 1;
        }
        versions
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Entry>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session's place in the table.
#[derive(Debug)]
pub struct Present {
    sessions: Arc<Sessions>,
    /// What is known of it.
    pub entry: Arc<Entry>,
}

impl Drop for Present {
    fn drop(&mut self) {
        self.sessions.lock().remove(&self.entry.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_there_until_it_ends() {
        let sessions = Arc::new(Sessions::default());
        let peer = "192.0.2.1:5".parse().unwrap();
        let account = Account::open("table-test");
        let by = Arc::new(Generation {
            instance: "mx".into(),
            plugin: "smtp".into(),
            version: "0.1.0".into(),
            build: "0123456789abcdef".into(),
            generation: 2,
        });
        let first = sessions.enter("01", "pop3", by.clone(), peer, Octets::of(&account));
        let _second = sessions.enter("02", "smtp", by, peer, Octets::default());
        first.entry.logged_in("ann@example.org");
        first.entry.octets.received(3);
        first.entry.octets.sent(4);
        let list = sessions.list(1);
        assert_eq!((list.len(), list[0].id.as_str(), sessions.count()), (1, "01", 2));
        assert_eq!(list[0].known().account.as_deref(), Some("ann@example.org"));
        assert_eq!(list[0].octets.so_far(), (3, 4));
        assert_eq!((account.own().octets_in, account.own().octets_out), (3, 4));
        drop(first);
        assert_eq!(sessions.list(9).iter().map(|entry| entry.id.as_str()).collect::<Vec<_>>(), ["02"]);
    }
}
