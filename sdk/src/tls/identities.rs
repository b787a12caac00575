//! From a server name to an identity set, by the certificate store.

use super::{Cache, TlsError, TlsErrorCode};
use crate::{
    certs::{Certs, Identity},
    Service,
};
use std::sync::Arc;

/// So many identity sets are kept ready; one more drops the one used longest ago.
pub const MAX_SETS: usize = 1024;

/// The identity sets that were asked for lately, as the provider's TLS library wants them. Shared by all acceptors of an
/// instance: a set's id stays with what is in it, so what was made of one is never stale.
pub struct Identities<S> {
    certs: Service<Certs>,
    make: fn(u64, &[Identity]) -> Result<S, TlsError>,
    sets: Cache<S>,
}

impl<S> Identities<S> {
    /// Asks `certs`; `make` turns the identities of a set into what handshakes use.
    pub fn new(certs: Service<Certs>, make: fn(u64, &[Identity]) -> Result<S, TlsError>) -> Self {
        Identities { certs, make, sets: Cache::new(MAX_SETS) }
    }

    /// The set that serves `server_name` on a listener with `certificate`; `None` if the store has none for it. Does not wait.
    ///
    /// # Errors
    /// [`TlsErrorCode::BadIdentity`] if the store does not answer; else what `make` says.
    pub fn find(&self, certificate: Option<&str>, server_name: Option<&str>) -> Result<Option<Arc<S>>, TlsError> {
        let failed = |error: String| TlsError {
            code: TlsErrorCode::BadIdentity,
            message: format!("certificate store: {error}"),
        };
        let certs = self.certs.get().map_err(|error| failed(error.to_string()))?;
        let mut last = None;
        // The store may be reloaded between its two answers; then the id of the first is gone, and the second round meets
        // the new generation.
        for _ in 0..ROUNDS {
            let answer = certs.resolve(certificate.map(str::to_owned), server_name.map(str::to_owned));
            let Some(id) = answer.map_err(|error| failed(error.to_string()))? else {
                return Ok(None);
            };
            if let Some(set) = self.sets.get(id) {
                return Ok(Some(set));
            }
            match certs.load(id) {
                Ok(identities) => return Ok(Some(self.sets.insert(id, (self.make)(id, &identities)?))),
                Err(error) => last = Some(error),
            }
        }
        Err(failed(last.map_or_else(|| "no answer".to_owned(), |error| error.to_string())))
    }
}

const ROUNDS: usize = 2;
