//! From a server name to an identity set, by the certificate store.

use super::{cache::Cache, errors::failure, identity::IdentitySet};
use dovetail_sdk::{
    certs::Certs,
    tls::{TlsError, TlsErrorCode},
    Service,
};
use std::sync::Arc;

/// So many identity sets are kept ready; one more drops the one used longest ago.
pub(crate) const MAX_SETS: usize = 1024;

/// The identity sets that were asked for lately. Shared by all acceptors of an instance.
pub(crate) struct Identities {
    certs: Service<Certs>,
    sets: Cache<IdentitySet>,
}

impl Identities {
    pub(crate) fn new(certs: Service<Certs>) -> Self {
        Identities { certs, sets: Cache::new(MAX_SETS) }
    }

    /// The set that serves `server_name` on a listener with `certificate`; `None` if the store has none for it.
    ///
    /// # Errors
    /// [`TlsErrorCode::BadIdentity`] if the store does not answer or what it gives cannot be used.
    pub(crate) fn find(
        &self,
        certificate: Option<&str>,
        server_name: Option<&str>,
    ) -> Result<Option<Arc<IdentitySet>>, TlsError> {
        let failed = |error: String| failure(TlsErrorCode::BadIdentity, "certificate store", error);
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
                Ok(identities) => return Ok(Some(self.sets.insert(id, IdentitySet::new(id, &identities)?))),
                Err(error) => last = Some(error),
            }
        }
        Err(failed(last.map_or_else(|| "no answer".to_owned(), |error| error.to_string())))
    }
}

const ROUNDS: usize = 2;
