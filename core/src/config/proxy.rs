//! `proxy` of a listener: which proxies are believed when they say who is behind them.

use ipnet::IpNet;
use serde::{de::Error as _, Deserialize, Deserializer};
use std::{net::IpAddr, str::FromStr};

/// The option's group.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default, rename = "proxy")]
pub struct ProxyOptions {
    /// Networks or addresses, at most 100, whose connections must begin with a PROXY header. Nobody else's header is read.
    pub trusted: Vec<Network>,
    /// The header must have come within so many seconds: 1 to 31536000.
    pub timeout_seconds: u64,
}

impl Default for ProxyOptions {
    fn default() -> Self {
        ProxyOptions { trusted: Vec::new(), timeout_seconds: 5 }
    }
}

impl ProxyOptions {
    /// Whether connections from this address begin with a header.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted.iter().any(|network| network.0.contains(&address))
    }
}

/// A network, such as `10.0.0.0/8`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(IpNet);

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Network, String> {
        let network = text
            .parse::<IpNet>()
            .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
            .map_err(|_| format!("`{text}` is no network (write it like 10.0.0.0/8, ::1/128 or 192.0.2.1)"))?;
        if network.prefix_len() == 0 {
            return Err(format!("`{text}` is everybody, and everybody could claim any address (name your proxies)"));
        }
        if network.trunc() != network {
            return Err(format!(
                "`{text}` has bits behind its prefix (write {}, or the address alone)",
                network.trunc()
            ));
        }
        Ok(Network(network))
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Network, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_what_they_say() {
        let trusted = ["10.0.0.0/8", "192.0.2.1", "::1/128", "2001:db8::/32"].map(|text| text.parse().unwrap());
        let options = ProxyOptions { trusted: trusted.into(), ..ProxyOptions::default() };
        for inside in ["10.255.0.1", "::ffff:10.0.0.1", "192.0.2.1", "::1", "2001:db8:ffff::1"] {
            assert!(options.trusts(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["11.0.0.1", "192.0.2.2", "::2", "2001:db9::1", "::10.0.0.1"] {
            assert!(!options.trusts(outside.parse().unwrap()), "{outside}");
        }
        assert!(!ProxyOptions::default().trusts("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn what_is_no_network_is_said() {
        for (text, expected) in [
            ("proxy.example", "is no network"),
            ("10.0.0.0/33", "is no network"),
            ("", "is no network"),
            ("0.0.0.0/0", "is everybody"),
            ("::/0", "is everybody"),
            ("10.0.0.1/8", "(write 10.0.0.0/8, or the address alone)"),
        ] {
            let error = text.parse::<Network>().unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
