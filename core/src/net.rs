//! Sockets: listeners, the stream over a connection, and limits.

pub mod limits;
pub mod listener;
pub mod socket;
