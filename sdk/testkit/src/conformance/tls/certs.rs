//! `dovetail.certs/1` in memory: the certificate store of the cases.

use dovetail_sdk::certs::{Certs, CertsFailure, CertsProvider, Identity};
use std::{
    collections::HashMap,
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A store that the case fills and changes. Clones are the same store. It answers as `dovetail.certs/1` asks: by exact name,
/// by a wildcard of one label, by the listener's certificate, then by the default.
#[derive(Clone, Default)]
pub(super) struct TestCerts(Arc<Mutex<Held>>);

#[derive(Default)]
struct Held {
    names: HashMap<String, u64>,
    default: Option<u64>,
    sets: HashMap<u64, Vec<Identity>>,
    last: u64,
    /// So many of the next loads fail, as if the store had been read anew since the set was chosen.
    forget: usize,
    /// The listener's certificate of each question.
    asked: Vec<Option<String>>,
}

impl TestCerts {
    /// Serves a set for a name (`mail.example.org`, `*.example.org`, or a listener's certificate), instead of the one before.
    pub(super) fn put(&self, name: &str, identities: Vec<Identity>) {
        let mut held = self.held();
        held.last += 1;
        let id = held.last;
        held.sets.insert(id, identities);
        held.names.insert(name.to_ascii_lowercase(), id);
    }

    /// Serves the set of this name where nothing else fits.
    pub(super) fn set_default(&self, name: &str) {
        let mut held = self.held();
        held.default = held.names.get(name).copied();
    }

    /// Lets the next load fail.
    pub(super) fn forget_once(&self) {
        self.held().forget = 1;
    }

    /// The listeners' certificates that were asked for.
    pub(super) fn asked(&self) -> Vec<Option<String>> {
        self.held().asked.clone()
    }

    pub(super) fn service(&self) -> Certs {
        Certs::new(self.clone())
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CertsProvider for TestCerts {
    fn resolve(&self, certificate: Option<String>, server_name: Option<String>) -> Result<Option<u64>, CertsFailure> {
        let mut held = self.held();
        held.asked.push(certificate.clone());
        let of = |name: &str| held.names.get(name).copied();
        let by_name = server_name.map(|name| name.to_ascii_lowercase()).and_then(|name| {
            of(&name).or_else(|| name.split_once('.').and_then(|(_, parent)| of(&format!("*.{parent}"))))
        });
        match certificate {
            Some(certificate) => Ok(by_name.or_else(|| of(&certificate))),
            None => Ok(by_name.or(held.default)),
        }
    }

    fn load(&self, set: u64) -> Result<Vec<Identity>, CertsFailure> {
        let mut held = self.held();
        if held.forget > 0 {
            held.forget -= 1;
            return Err(CertsFailure { message: "the set is gone".into() });
        }
        held.sets.get(&set).cloned().ok_or_else(|| CertsFailure { message: "no such set".into() })
    }

    async fn changed(&self, _seen: u64) -> Result<u64, CertsFailure> {
        pending().await
    }
}
