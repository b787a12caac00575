//! Outgoing connections through the host.

use crate::host;
use dovetail_abi::Stream;
use std::{io, net::IpAddr, time::Duration};

/// Connects by TCP to the first address of `host` that answers.
///
/// # Errors
/// As `connect` and the resolver give them; `TimedOut` after `limit`.
pub async fn connect(host: &str, port: u16, limit: Duration) -> io::Result<Stream> {
    let here = host::current().ok_or(io::ErrorKind::NotConnected)?;
    let milliseconds = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
    Ok(here.net.connect(host.to_owned(), port, milliseconds).await?)
}

/// The addresses of a host name by the system's resolver.
///
/// # Errors
/// As the resolver gives them.
pub async fn lookup(host: &str) -> io::Result<Vec<IpAddr>> {
    let here = host::current().ok_or(io::ErrorKind::NotConnected)?;
    Ok(here.net.lookup(host.to_owned()).await?)
}
