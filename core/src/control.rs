//! Administration of a running server over a socket in its data directory.
//!
//! JSON lines, versioned: one request a connection, then progress lines, then one answer. The socket is mode 0600 and
//! serves root and the server's own user only.

pub mod address;
pub mod client;
pub mod explain;
pub mod message;
pub mod server;
pub mod status;

pub use status::Status;
