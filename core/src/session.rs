//! Sessions: from an accepted connection to its end.
//!
//! accept -> limits -> [PROXY header] -> [implicit TLS] -> protocol. Core counts sessions, ends them when it drains, and keeps their handshakes
//! and idle times within limits; what is spoken is the protocol plugin's.

pub mod control;
pub mod id;
pub mod proxied;
mod put_off;
pub mod serve;
pub mod table;
mod wrong_port;

pub use serve::Listener;
