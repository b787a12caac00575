//! The certificate store: keys and certificates in a folder, made, imported, and chosen for each handshake.
//!
//! The folder holds one pair a name: `NAME.key` (PKCS#8, mode 0600), `NAME.crt` (the chain, leaf first) and, where a
//! certificate was created here, `NAME.csr` for an authority. Pairs with other kinds of keys for the same identity are called
//! `NAME+rsa`, `NAME+ecdsa`, `NAME+ed25519`, and are served with it. Everything that gets in is proved by signature, and
//! appears whole or not at all; what the server serves is an immutable snapshot that is swapped when the folder changes.
//!
//! Provides `dovetail.certs/1` and the `certs` operations, which also work on a folder alone (`--dir`).

mod attend;
mod auto_renew;
mod ber;
mod certificate;
mod check;
mod choice;
mod clock;
mod config;
mod create;
mod elsewhere;
mod encryption;
mod expiry;
mod figures;
mod fingerprint;
mod folder;
mod follow;
mod further;
mod identity;
mod import;
mod input;
mod key;
mod live;
mod name;
mod operations;
mod pkcs12;
mod prove;
mod publish;
mod reading;
mod service;
mod serving;
mod show;
mod snapshot;
#[cfg(test)]
mod testing;
mod turn;
mod watch;

use dovetail_sdk::certs::{Certs, CertsAdmin};
use dovetail_sdk::export_plugin;
use dovetail_sdk::listeners::HostListeners;
use dovetail_sdk::operations::Operations;

use service::CertStore;

export_plugin! {
    plugin: CertStore,
    id: "cert-store",
    summary: "Keeps certificates and keys in a folder",
    command: "certs",
    provides: [Certs, CertsAdmin, Operations],
    requires: [HostListeners],
}
