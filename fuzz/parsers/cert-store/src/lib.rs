//! What the certificate store reads from files that somebody brings.
//!
//! A plugin is a shared library that nobody links, so its modules are compiled in here once more.

// The modules are used in part only; what is unused here is used in the plugin.
#![allow(dead_code, unused_imports)]
// Their own tests are run where they live.
#![cfg(not(test))]

#[path = "../../../../plugins/cert-store/src"]
mod plugin {
    pub(crate) mod ber;
    pub(crate) mod certificate;
    pub(crate) mod encryption;
    pub(crate) mod fingerprint;
    pub(crate) mod folder;
    pub(crate) mod further;
    pub(crate) mod import;
    pub(crate) mod input;
    pub(crate) mod key;
    pub(crate) mod name;
    pub(crate) mod pkcs12;
    pub(crate) mod prove;
    pub(crate) mod publish;
}

mod brought;
mod bundles;
mod der;
mod limits;
mod text;

// The modules know one another as `crate::...`.
use plugin::{
    ber, certificate, encryption, fingerprint, folder, further, import, input, key, name, pkcs12, prove, publish,
};

pub use brought::certs_import;
pub use bundles::{certs_pkcs12, certs_pkcs7};
pub use der::certs_der;
pub use text::certs_pem;
