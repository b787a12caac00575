//! The server's side of `plugins/tls-rustls`.
#![allow(dead_code)] // the plugin's other half: clients, and the proof of a new identity

#[path = "../../../../plugins/tls-rustls/src/clients.rs"]
mod clients;
#[path = "../../../../plugins/tls-rustls/src/clock.rs"]
mod clock;
#[path = "../../../../plugins/tls-rustls/src/driver.rs"]
mod driver;
#[path = "../../../../plugins/tls-rustls/src/errors.rs"]
mod errors;
#[path = "../../../../plugins/tls-rustls/src/facts.rs"]
mod facts;
#[path = "../../../../plugins/tls-rustls/src/hello.rs"]
mod hello;
#[path = "../../../../plugins/tls-rustls/src/identity.rs"]
mod identity;
#[path = "../../../../plugins/tls-rustls/src/policy.rs"]
mod policy;
#[path = "../../../../plugins/tls-rustls/src/acceptor.rs"]
mod rustls_acceptor;
#[path = "../../../../plugins/tls-rustls/src/tickets.rs"]
mod tickets;

use dovetail_sdk::{
    certs::Certs,
    tls::{HostTickets, Identities, ServerPolicy, TlsAcceptorProvider, TlsError},
    Service,
};
use std::sync::Arc;

/// What the plugin puts behind a `TlsAcceptor`, made as its provider makes it.
///
/// # Errors
/// If the policy asks for what cannot be.
pub fn acceptor(policy: ServerPolicy, certs: Certs, ring: HostTickets) -> Result<impl TlsAcceptorProvider, TlsError> {
    let crypto = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let identities = Arc::new(Identities::new(Service::fixed(certs), identity::IdentitySet::new));
    rustls_acceptor::Acceptor::new(policy, crypto, identities, Service::fixed(ring))
}
