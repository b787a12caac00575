//! `dovetail.certs/1`: which certificate and key a handshake uses.

use crate::{wire_struct, CallFailure, Secret};

wire_struct! {
    /// A certificate chain with its private key.
    #[derive(Debug, Clone)]
    pub struct Identity => IdentityAbi {
        /// The name it is stored under.
        pub name: String,
        /// The chain, leaf first, X.509 DER.
        pub chain: Vec<Vec<u8>>,
        /// The key, PKCS#8 v1 DER.
        pub key: Secret,
    }
}

wire_struct! {
    /// Why the store has no answer.
    #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
    #[error("{message}")]
    pub struct CertsFailure => CertsFailureAbi {
        /// What happened and what to do.
        pub message: String,
    }
}

impl From<CallFailure> for CertsFailure {
    fn from(failure: CallFailure) -> Self {
        CertsFailure { message: failure.to_string() }
    }
}

crate::interface! {
    /// The certificate store. `resolve` and `load` work on an immutable snapshot: no I/O, no lock held.
    pub interface Certs, provider CertsProvider, table CertsVt = "dovetail.certs/1" {
        /// The identity set for a handshake: by exact server name, by a wildcard of one label, by the listener's
        /// certificate, then the default. `None` if there is none. Ids are never reused; a changed certificate has a new one.
        now fn resolve(certificate: Option<String>, server_name: Option<String>) -> Result<Option<u64>, CertsFailure>;
        /// All identities of a set (say RSA and ECDSA); the provider picks by what the client offers.
        now fn load(set: u64) -> Result<Vec<Identity>, CertsFailure>;
        /// Resolves when the store's generation is newer than `seen`, with the new one. Generations increase, over a reload
        /// too.
        later fn changed(seen: u64) -> Result<u64, CertsFailure>;
    }
}
