//! Sockets: listeners, the stream over a connection, who is behind a proxy, and limits.

pub mod limits;
pub mod listener;
pub mod opening;
pub mod proxy;
pub mod socket;
