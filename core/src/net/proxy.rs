//! The PROXY protocol: who is behind a proxy, by the header that it puts before the client's bytes.
//!
//! HAProxy's specification (doc/proxy-protocol.txt), versions 1 (a line of text) and 2 (binary, with TLVs). Receiving only.
//!
//! * **Never too far.** What follows the header is the protocol's or TLS's, so [`next`] says how many octets can be read
//!   without reading one of theirs: each header is at least as long as what has been asked for.
//! * **Strict.** What is no header in every octet is refused, and so is a wrong checksum (PP2_TYPE_CRC32C). Headers without
//!   an address that could be used (`UNKNOWN`, LOCAL, AF_UNSPEC, AF_UNIX) are good; the connection's own address stays.
//! * **Limits.** A line has [`MAX_LINE`] octets, a binary header [`MAX_BLOCK`] behind its first 16; the deadline is the
//!   caller's.

mod read;
mod v1;
mod v2;

pub use read::{read, ReadError};
pub use v1::MAX_LINE;
pub use v2::MAX_BLOCK;

use std::net::{IpAddr, SocketAddr};

/// Where a connection comes from, as its proxy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The client.
    pub client: SocketAddr,
    /// The address that the client connected to.
    pub destination: SocketAddr,
}

impl Origin {
    /// IPv4 addresses that are written as IPv6 become what they are, so that limits and blocks meet them.
    fn new((client, client_port): (IpAddr, u16), (destination, destination_port): (IpAddr, u16)) -> Origin {
        Origin {
            client: SocketAddr::new(client.to_canonical(), client_port),
            destination: SocketAddr::new(destination.to_canonical(), destination_port),
        }
    }
}

/// How a header goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It has at least so many octets more.
    Read(usize),
    /// It is whole. `None`: the connection's own address stays.
    Whole(Option<Origin>),
}

/// Why something is no header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadHeader {
    /// It begins with something else.
    #[error("the connection does not begin with a PROXY header (switch it on in the proxy, or take the proxy's address out of `proxy.trusted`)")]
    Missing,
    /// It is longer than allowed.
    #[error("the PROXY header is longer than {0} octets")]
    TooLong(usize),
    /// A line that is not as version 1 has it.
    #[error("the PROXY header is no line of version 1: {0}")]
    Line(&'static str),
    /// A version that came after this was written.
    #[error("the PROXY header has version {0}; 1 and 2 are known")]
    Version(u8),
    /// A command besides LOCAL and PROXY.
    #[error("the PROXY header has the unknown command {0}")]
    Command(u8),
    /// An unknown address family or transport, or datagrams.
    #[error("the PROXY header has the address family and transport {0:#04x}; TCP or a Unix stream is expected")]
    Family(u8),
    /// Addresses or TLVs that are cut off.
    #[error("the PROXY header is shorter than what it holds")]
    CutOff,
    /// The header was damaged on its way.
    #[error("the PROXY header does not match its CRC32c checksum")]
    Checksum,
}

/// What is to be done after these octets, all of which were read as this function asked.
///
/// # Errors
/// If they are no header, as soon as that is certain.
pub fn next(header: &[u8]) -> Result<Next, BadHeader> {
    let begins = |signature: &[u8]| header.iter().zip(signature).all(|(a, b)| a == b);
    if header.is_empty() {
        Ok(Next::Read(v1::SHORTEST.min(v2::FIXED)))
    } else if begins(v1::SIGNATURE) {
        v1::next(header)
    } else if begins(v2::SIGNATURE) {
        v2::next(header)
    } else {
        Err(BadHeader::Missing)
    }
}

#[cfg(test)]
mod tests;
