//! The provider: makes acceptors and connectors of policies, and checks identities.

use super::{acceptor::Acceptor, check, connector::Connector, identity::IdentitySet};
use dovetail_sdk::{
    certs::{Certs, Identity},
    tls::{ClientPolicy, HostTickets, Identities, ServerPolicy, TlsAcceptor, TlsConnector, TlsError, TlsProvider},
    Service,
};
use rustls::crypto::{aws_lc_rs, CryptoProvider};
use std::sync::Arc;

/// One instance of this plugin. Acceptors share its loaded keys and its ticketers.
pub(crate) struct RustlsProvider {
    crypto: Arc<CryptoProvider>,
    identities: Arc<Identities<IdentitySet>>,
    ring: Service<HostTickets>,
}

impl RustlsProvider {
    /// A provider that asks `certs` for identities and `ring` for the keys of tickets.
    pub(crate) fn new(certs: Service<Certs>, ring: Service<HostTickets>) -> Self {
        // Passed on explicitly, never installed: the process may hold several rustls users.
        let crypto = Arc::new(aws_lc_rs::default_provider());
        RustlsProvider { crypto, identities: Arc::new(Identities::new(certs, IdentitySet::new)), ring }
    }
}

impl TlsProvider for RustlsProvider {
    fn acceptor(&self, policy: ServerPolicy) -> Result<TlsAcceptor, TlsError> {
        Ok(TlsAcceptor::new(Acceptor::new(policy, self.crypto.clone(), self.identities.clone(), self.ring.clone())?))
    }

    fn connector(&self, policy: ClientPolicy) -> Result<TlsConnector, TlsError> {
        Ok(TlsConnector::new(Connector::new(policy, self.crypto.clone())?))
    }

    async fn check_identity(&self, identity: Identity) -> Result<(), TlsError> {
        check::identity(&identity, &self.crypto)
    }
}
