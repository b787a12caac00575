//! TLS on the system's OpenSSL: TLS 1.2 and 1.3, server and client side.
//!
//! **What it is for.** Provides `dovetail.tls/1`, in all that a peer or an operator can tell like `tls-rustls`, for those whose
//! rules name OpenSSL or who want its fixes from their distribution. Certificates and keys come from `dovetail.certs/1` at each
//! handshake, so that a new certificate is served on the next one. `provider` holds all of it; this file only makes it a
//! plugin.
//!
//! **How it fails.** Every failure is a stable [`TlsErrorCode`](dovetail_sdk::tls::TlsErrorCode) with a text for the log
//! (see `errors`). The peer gets an alert or a close, never text. A handshake has no time limit here: the caller drops the
//! future. A panic within one of OpenSSL's calls ends the handshake (see `guard`).
//!
//! **Bounds.** [`MAX_SETS`](dovetail_sdk::tls::MAX_SETS) identity sets are kept; a chain that a peer shows is at most 100 kB (OpenSSL). An idle
//! connection holds no buffer, neither ours nor OpenSSL's; `wires` and `stream` name the others.
//!
//! OpenSSL's state is in the objects of an instance; the process shares with it only what OpenSSL itself keeps: two numbers
//! for what is kept with connections, and what `openssl.cnf` loads.
//!
//! RFC 8446 (TLS 1.3), RFC 5246 and 7627 (TLS 1.2), RFC 5077 (tickets), RFC 7301 (ALPN), RFC 9266 (channel binding).

mod acceptor;
mod check;
mod clients;
mod clock;
mod connector;
mod context;
mod conversation;
mod errors;
mod facts;
mod ffi;
mod guard;
mod hello;
mod identity;
mod policy;
mod provider;
mod sessions;
mod shake;
mod stream;
mod tickets;
mod wires;

#[cfg(test)]
mod tests;

use dovetail_sdk::{
    certs::Certs,
    export_plugin,
    tls::{HostTickets, Tls},
    Context, Plugin, StartFailure,
};
use provider::OpensslProvider;

/// The instance's config section: there is nothing to decide here, so that one provider can take another's place. How a
/// listener speaks TLS is among its own options.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {}

impl Plugin for OpensslProvider {
    type Config = Config;

    async fn start(_config: Config, context: Context) -> Result<Self, StartFailure> {
        Ok(OpensslProvider::new(context.service::<Certs>()?, context.service::<HostTickets>()?))
    }
}

export_plugin! {
    plugin: OpensslProvider,
    id: "tls-openssl",
    summary: "TLS 1.2 and 1.3 on the system's OpenSSL",
    provides: [Tls],
    requires: [Certs, HostTickets],
}
