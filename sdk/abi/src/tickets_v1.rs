//! `dovetail.host.tickets/1`: the keys of TLS session tickets.
//!
//! The host keeps a ring of random secrets for as long as it runs, and begins a new one from time to time. Keys are derived
//! (HKDF, RFC 5869) for a context that the provider names: itself, the identity set, and which client certificates are good.
//! So tickets are good on every listener that agrees in all of that, over a reload and over a new generation of the provider,
//! and nowhere else.

use crate::{wire_struct, CallFailure, Secret};

/// A key's name has so many octets (RFC 5077 section 4).
pub const NAME_LEN: usize = 16;
/// A key's secret has so many octets: enough for an AES-256 key and an HMAC-SHA-256 key, or for one AEAD key.
pub const SECRET_LEN: usize = 64;

wire_struct! {
    /// A key for tickets.
    #[derive(Debug, Clone)]
    pub struct TicketKey => TicketKeyAbi {
        /// What a ticket begins with, so that its key is found: [`NAME_LEN`] octets.
        pub name: Vec<u8>,
        /// What it is sealed with: [`SECRET_LEN`] octets.
        pub secret: Secret,
    }
}

crate::interface! {
    /// The host's ring of ticket keys.
    pub interface HostTickets, provider HostTicketsProvider, table HostTicketsVt = "dovetail.host.tickets/1" {
        /// Which ring this is: another number whenever [`HostTickets::derive`] would answer otherwise than before. Cheap
        /// enough to be asked at each handshake.
        now fn epoch() -> Result<u64, CallFailure>;
        /// The keys for a context, newest first: the first makes tickets, each of them opens its own.
        now fn derive(context: Vec<u8>) -> Result<Vec<TicketKey>, CallFailure>;
        /// For so many seconds from its making a ticket is good.
        now fn lifetime() -> Result<u32, CallFailure>;
    }
}
