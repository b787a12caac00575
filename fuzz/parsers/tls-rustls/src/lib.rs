//! What the TLS provider looks at itself before and beside rustls: the first octets of a connection.
//!
//! A plugin is a shared library that nobody links, so its modules are compiled in here once more.

// The modules are used in part only; what is unused here is used in the plugin.
#![allow(dead_code, unused_imports)]

#[path = "../../../../plugins/tls-rustls/src/hello.rs"]
mod hello;
#[path = "../../../../plugins/tls-rustls/src/plaintext.rs"]
mod plaintext;
#[path = "../../pieces.rs"]
mod pieces;

mod first;

pub use first::tls_hello;
