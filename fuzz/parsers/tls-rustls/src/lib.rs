//! What the TLS provider looks at itself before and beside rustls: the first octets of a connection.
//!
//! A plugin is a shared library that nobody links, so its modules are compiled in here once more.

// The modules are used in part only; what is unused here is used in the plugin.
#![allow(dead_code, unused_imports)]
// Their own tests are run where they live.
#![cfg(not(test))]

#[path = "../../../../plugins/tls-rustls/src"]
mod plugin {
    pub(crate) mod hello;
}
#[path = "../../pieces.rs"]
mod pieces;

mod first;

use plugin::hello;

pub use first::tls_hello;
