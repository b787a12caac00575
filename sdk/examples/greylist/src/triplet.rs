//! Who sends what to whom: the triplet of client, sender and recipient that a greylist knows or does not know.
//!
//! Of the client it takes the network, because large senders try again from another machine of theirs: the first 24 bits of
//! an IPv4 address, the first 64 of an IPv6 address. Sender and recipient are compared without case.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use dovetail_sdk::policy::Question;

/// The part of the internet that a client belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// A /24.
    V4(Ipv4Addr),
    /// A /64.
    V6(Ipv6Addr),
}

impl Network {
    /// The network of a client. An IPv4 address that an IPv6 socket shows (`::ffff:192.0.2.1`) is an IPv4 address.
    pub fn of(client: IpAddr) -> Self {
        match client.to_canonical() {
            IpAddr::V4(address) => Network::V4(Ipv4Addr::from_bits(address.to_bits() & (u32::MAX << 8))),
            IpAddr::V6(address) => Network::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        }
    }

    /// Where it is remembered. Readable, for who looks with `dovetail kv list`.
    pub fn key(&self) -> Vec<u8> {
        format!("network {self}").into_bytes()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Network::V4(address) => write!(f, "{address}/24"),
            Network::V6(address) => write!(f, "{address}/64"),
        }
    }
}

/// Network, sender and recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Triplet {
    /// Where it comes from.
    pub network: Network,
    sender: String,
    recipient: String,
}

impl Triplet {
    /// What a question at RCPT is about; `None` if it names no recipient.
    pub fn of(question: &Question) -> Option<Self> {
        Some(Triplet {
            network: Network::of(question.peer.ip()),
            sender: question.sender.as_deref().unwrap_or_default().to_ascii_lowercase(),
            recipient: question.recipient.as_deref()?.to_ascii_lowercase(),
        })
    }

    /// Where it is remembered. Addresses are at most 254 octets long, so the key is never longer than `kv` takes.
    pub fn key(&self) -> Vec<u8> {
        format!("triplet {} <{}> <{}>", self.network, self.sender, self.recipient).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dovetail_sdk::kv::MAX_KEY;

    fn network(address: &str) -> String {
        Network::of(address.parse().unwrap()).to_string()
    }

    #[test]
    fn a_network_is_a_24_or_a_64() {
        assert_eq!(network("192.0.2.77"), "192.0.2.0/24");
        assert_eq!(network("192.0.3.1"), "192.0.3.0/24");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(network("::ffff:192.0.2.9"), "192.0.2.0/24");
    }

    #[test]
    fn the_longest_triplet_fits_a_key() {
        let network = Network::of("2001:db8:1111:2222::1".parse().unwrap());
        let longest = Triplet { network, sender: "s".repeat(254), recipient: "r".repeat(254) };
        assert!(longest.key().len() <= MAX_KEY);
    }
}
