//! What the certificate store reads from files that somebody brings.
//!
//! A plugin is a shared library that nobody links, so its modules are compiled in here once more.

// The modules are used in part only; what is unused here is used in the plugin.
#![allow(dead_code, unused_imports)]

#[path = "../../../../plugins/cert-store/src/certificate.rs"]
mod certificate;
#[path = "../../../../plugins/cert-store/src/fingerprint.rs"]
mod fingerprint;
#[path = "../../../../plugins/cert-store/src/folder.rs"]
mod folder;
#[path = "../../../../plugins/cert-store/src/import/mod.rs"]
mod import;
#[path = "../../../../plugins/cert-store/src/input.rs"]
mod input;
#[path = "../../../../plugins/cert-store/src/key/mod.rs"]
mod key;
#[path = "../../../../plugins/cert-store/src/name.rs"]
mod name;
#[path = "../../../../plugins/cert-store/src/prove.rs"]
mod prove;
#[path = "../../../../plugins/cert-store/src/publish/mod.rs"]
mod publish;

mod brought;
mod text;

pub use brought::certs_import;
pub use text::certs_pem;
