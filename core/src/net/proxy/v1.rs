//! Version 1: `PROXY TCP4 192.0.2.1 198.51.100.1 56324 25` and CRLF (section 2.1).

use super::{BadHeader, Next, Origin};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest line, with its end.
pub const MAX_LINE: usize = 107;
/// How each line begins.
pub const SIGNATURE: &[u8] = b"PROXY ";
/// `PROXY UNKNOWN` and CRLF.
pub const SHORTEST: usize = 15;
/// The shortest lines that begin like this.
const SHORTEST_TCP: [(&[u8], usize); 2] = [(b"PROXY TCP4 ", 32), (b"PROXY TCP6 ", 22)];

/// As [`super::next`], for a line.
pub fn next(header: &[u8]) -> Result<Next, BadHeader> {
    if let Some(at) = header.iter().position(|&b| b == b'\n') {
        let line = header.get(..at).and_then(|line| line.strip_suffix(b"\r"));
        let line = line.ok_or(BadHeader::Line("it does not end with CRLF"))?;
        return parse(line).map(Next::Whole);
    }
    let begun = SHORTEST_TCP.iter().find(|(begin, _)| header.starts_with(begin));
    let shortest = begun.map_or(SHORTEST, |(_, shortest)| *shortest);
    let end = if header.ends_with(b"\r") { 1 } else { 2 };
    let more = shortest.saturating_sub(header.len()).max(end);
    if header.len() + more > MAX_LINE {
        return Err(BadHeader::TooLong(MAX_LINE));
    }
    Ok(Next::Read(more))
}

fn parse(line: &[u8]) -> Result<Option<Origin>, BadHeader> {
    let text = std::str::from_utf8(line).map_err(|_| BadHeader::Line("it is no text"))?;
    let mut words = text.split(' ').skip(1);
    let v4: fn(&str) -> Option<IpAddr> = |word| word.parse::<Ipv4Addr>().ok().map(IpAddr::V4);
    let v6: fn(&str) -> Option<IpAddr> = |word| word.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    let address = match words.next() {
        // Whatever stands behind it is to be ignored.
        Some("UNKNOWN") => return Ok(None),
        Some("TCP4") => v4,
        Some("TCP6") => v6,
        _ => return Err(BadHeader::Line("neither TCP4 nor TCP6 nor UNKNOWN")),
    };
    let mut addresses = || words.next().and_then(address).ok_or(BadHeader::Line("an address of its family is missing"));
    let (client, destination) = (addresses()?, addresses()?);
    let mut ports = || words.next().and_then(port).ok_or(BadHeader::Line("a port is missing"));
    let (client_port, destination_port) = (ports()?, ports()?);
    if words.next().is_some() {
        return Err(BadHeader::Line("something stands behind the ports"));
    }
    Ok(Some(Origin::new((client, client_port), (destination, destination_port))))
}

/// Decimal digits without zeros in front.
fn port(word: &str) -> Option<u16> {
    let plain = word.bytes().all(|b| b.is_ascii_digit()) && (word == "0" || !word.starts_with('0'));
    plain.then(|| word.parse().ok()).flatten()
}
