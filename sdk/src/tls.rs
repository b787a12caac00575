//! `dovetail.tls/1`: TLS providers, and what each of them needs beside its TLS library.
//!
//! * [`Identities`] finds the certificates for a handshake and keeps what a provider has made of them, in a bounded [`Cache`].
//! * [`guess`] says what a peer speaks that does not speak TLS.

mod cache;
mod guess;
mod identities;

pub use cache::Cache;
pub use dovetail_abi::tickets_v1::{HostTickets, HostTicketsProvider, TicketKey, NAME_LEN, SECRET_LEN};
pub use dovetail_abi::tls_v1::{
    ClientAuth, ClientCertificates, ClientPolicy, ServerPolicy, Tls, TlsAcceptor, TlsAcceptorProvider, TlsConnection,
    TlsConnector, TlsConnectorProvider, TlsError, TlsErrorCode, TlsFacts, TlsProfile, TlsProvider, TlsVersion,
};
pub use guess::{guess, Guess};
pub use identities::{Identities, MAX_SETS};
