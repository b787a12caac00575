//! TLS on rustls and aws-lc: TLS 1.2 and 1.3, server and client side.
//!
//! **What it is for.** Provides `dovetail.tls/1`; certificates and keys come from `dovetail.certs/1` at each handshake, so
//! that a new certificate is served on the next one. `provider` holds all of it; this file only makes it a plugin.
//!
//! **How it fails.** Every failure is a stable [`TlsErrorCode`](dovetail_sdk::tls::TlsErrorCode) with a text for the log
//! (see `errors`). The peer gets an alert or a close, never text. A handshake has no time limit here: the caller drops the
//! future.
//!
//! **Bounds.** [`MAX_SETS`](dovetail_sdk::tls::MAX_SETS) identity sets are kept; a ticket holds `tickets::MAX_STATE` octets; a handshake message is at most 64 KiB (rustls). An idle
//! connection holds no buffer of ours.
//!
//! RFC 8446 (TLS 1.3), RFC 5246 and 7627 (TLS 1.2), RFC 7301 (ALPN), RFC 5077 (tickets), RFC 5280 (certificates of
//! clients), RFC 9266 (channel binding).

mod acceptor;
mod check;
mod clients;
mod clock;
mod connector;
mod driver;
mod errors;
mod facts;
mod hello;
mod identity;
mod policy;
mod provider;
mod tickets;

#[cfg(test)]
mod tests;

use dovetail_sdk::{
    certs::Certs,
    export_plugin,
    tls::{HostTickets, Tls},
    Context, Plugin, StartFailure,
};
use provider::RustlsProvider;

/// The instance's config section: there is nothing to decide here, so that one provider can take another's place. How a
/// listener speaks TLS is among its own options.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {}

impl Plugin for RustlsProvider {
    type Config = Config;

    async fn start(_config: Config, context: Context) -> Result<Self, StartFailure> {
        Ok(RustlsProvider::new(context.service::<Certs>()?, context.service::<HostTickets>()?))
    }
}

export_plugin! {
    plugin: RustlsProvider,
    id: "tls-rustls",
    summary: "TLS 1.2 and 1.3 on rustls and aws-lc",
    provides: [Tls],
    requires: [Certs, HostTickets],
}
