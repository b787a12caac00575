//! The provider: makes acceptors and connectors of policies, and checks identities.

use super::{acceptor::Acceptor, check, connector::Connector, identity::IdentitySet, tickets::Tickets};
use dovetail_sdk::{
    certs::{Certs, Identity},
    tls::{ClientPolicy, HostTickets, Identities, ServerPolicy, TlsAcceptor, TlsConnector, TlsError, TlsProvider},
    Service,
};
use std::sync::Arc;

/// One instance of this plugin. Acceptors share its loaded keys.
pub(crate) struct OpensslProvider {
    identities: Arc<Identities<IdentitySet>>,
    tickets: Arc<Tickets>,
}

impl OpensslProvider {
    /// A provider that asks `certs` for identities, and `tickets` for the keys of session tickets.
    pub(crate) fn new(certs: Service<Certs>, tickets: Service<HostTickets>) -> Self {
        OpensslProvider {
            identities: Arc::new(Identities::new(certs, IdentitySet::new)),
            tickets: Arc::new(Tickets::new(tickets)),
        }
    }
}

impl TlsProvider for OpensslProvider {
    fn acceptor(&self, policy: ServerPolicy) -> Result<TlsAcceptor, TlsError> {
        Ok(TlsAcceptor::new(Acceptor::new(policy, self.identities.clone(), self.tickets.clone())?))
    }

    fn connector(&self, policy: ClientPolicy) -> Result<TlsConnector, TlsError> {
        Ok(TlsConnector::new(Connector::new(&policy)?))
    }

    async fn check_identity(&self, identity: Identity) -> Result<(), TlsError> {
        check::identity(&identity)
    }
}
