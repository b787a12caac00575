//! Where a server can be reached: what its listeners are bound to, what this machine is called on the network, and what DNS
//! says of it already.

use super::records;
use crate::config::Config;
use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket},
};

/// Addresses of a server.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// Those to publish.
    pub public: BTreeSet<IpAddr>,
    /// Those that only the neighbours can use, if there are no others.
    pub private: BTreeSet<IpAddr>,
}

/// Finds them. The operator's own words count first; then the machine's addresses; then the resolver's, which knows more
/// than a machine behind a translating router.
pub fn of(config: &Config) -> Addresses {
    let bound: BTreeSet<IpAddr> = records::exchangers(config)
        .flat_map(|listener| &listener.options.bind)
        .map(SocketAddr::ip)
        .filter(|ip| !ip.is_loopback())
        .collect();
    let named: BTreeSet<IpAddr> = bound.iter().copied().filter(|ip| !ip.is_unspecified()).collect();
    if !named.is_empty() || bound.is_empty() {
        return Addresses { public: named, private: BTreeSet::new() };
    }
    let mut found: BTreeSet<IpAddr> = bound.iter().filter_map(|any| own(*any)).collect();
    if !found.iter().any(is_public) {
        found.extend((config.hostname.as_str(), 0).to_socket_addrs().into_iter().flatten().map(|address| address.ip()));
    }
    found.retain(|ip| !ip.is_loopback() && bound.iter().any(|any| any.is_ipv4() == ip.is_ipv4()));
    let (public, private) = found.into_iter().partition(is_public);
    Addresses { public, private }
}

/// The address from which this machine would speak to the world. Connecting a datagram socket sends nothing.
fn own(any: IpAddr) -> Option<IpAddr> {
    let world: IpAddr = match any {
        IpAddr::V4(_) => Ipv4Addr::new(192, 0, 2, 1).into(),
        IpAddr::V6(_) => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((world, 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip()).filter(|ip| !ip.is_unspecified())
}

/// Whether the whole internet may use an address (the IANA registries of special addresses, as far as machines have such).
fn is_public(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            let shared = a == 100 && b & 0xc0 == 64;
            let special = ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_documentation();
            !(special
                || shared
                || a == 0
                || a >= 224
                || ip.octets().starts_with(&[192, 0, 0])
                || a == 198 && b & 0xfe == 18)
        }
        // 2000::/3 but for 2001:db8::/32.
        IpAddr::V6(ip) => ip.segments()[0] & 0xe000 == 0x2000 && !ip.octets().starts_with(&[0x20, 0x01, 0x0d, 0xb8]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn public_and_other_addresses() {
        for public in ["1.1.1.1", "100.63.0.1", "172.15.0.1", "198.20.0.1", "2a01:4f8::1", "2001:4860::8888"] {
            assert!(is_public(&public.parse().unwrap()), "{public}");
        }
        for other in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.1.1",
            "172.16.0.1",
            "192.168.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fd00::1",
            "2001:db8::1",
            "ff02::1",
        ] {
            assert!(!is_public(&other.parse().unwrap()), "{other}");
        }
    }

    #[test]
    fn what_the_operator_has_bound_is_what_is_published() {
        let config = |bind: &str| {
            let text = format!(
                "(hostname: \"h.example\", data_dir: \"d\", plugins: {{\"smtp\": ()}}, \
                 listeners: {{\"mx\": (protocol: \"smtp\", bind: [{bind}])}})"
            );
            Config::parse("test", text, Path::new("/")).unwrap()
        };
        let found = of(&config("\"192.168.1.5:25\", \"127.0.0.1:25\", \"[2001:db8::1]:25\""));
        let named = ["192.168.1.5", "2001:db8::1"].map(|ip| ip.parse().unwrap());
        assert_eq!(found, Addresses { public: named.into(), private: BTreeSet::new() });
        assert_eq!(of(&config("\"127.0.0.1:25\"")), Addresses::default());
        assert_eq!(of(&config("\"192.0.2.1:2525\"")), Addresses::default(), "not where other servers look");
    }
}
