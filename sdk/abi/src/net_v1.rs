//! `dovetail.host.net/1`: outgoing connections through the host's reactor.

use crate::{stream, wire_struct, CallFailure, Stream};
use std::{io, net::IpAddr};

wire_struct! {
    /// An I/O error: its kind and its text.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct NetFailure => NetFailureAbi {
        /// The kind, as streams number it.
        pub kind: u32,
        /// What happened.
        pub message: String,
    }
}

impl From<io::Error> for NetFailure {
    fn from(error: io::Error) -> Self {
        NetFailure { kind: stream::kind_to_number(error.kind()), message: error.to_string() }
    }
}

impl From<NetFailure> for io::Error {
    fn from(failure: NetFailure) -> Self {
        io::Error::new(stream::kind_from_number(failure.kind), failure.message)
    }
}

impl From<CallFailure> for NetFailure {
    fn from(failure: CallFailure) -> Self {
        NetFailure { kind: 0, message: failure.to_string() }
    }
}

crate::interface! {
    /// Outgoing connections.
    pub interface HostNet, provider HostNetProvider, table HostNetVt = "dovetail.host.net/1" {
        /// Connects by TCP to the first address of `host` that answers, within so many milliseconds.
        later fn connect(host: String, port: u16, milliseconds: u64) -> Result<Stream, NetFailure>;
        /// The addresses of a host name by the system's resolver.
        later fn lookup(host: String) -> Result<Vec<IpAddr>, NetFailure>;
    }
}
