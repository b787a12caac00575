//! The PROXY header that a trusted proxy puts before its client's octets.

use dovetail::net::proxy::{next, BadHeader, Next, Origin, MAX_BLOCK, MAX_LINE};

/// Whatever the pieces it comes in: a header within its limits, never an octet too far, and an address that goes round.
pub fn proxy(bytes: &[u8]) -> bool {
    let taken = |at_a_time| run(bytes, at_a_time).and_then(Result::ok);
    let whole = taken(usize::MAX);
    // Octet by octet it is the same header, or none either.
    assert_eq!(taken(1), whole);
    let Some((length, origin)) = whole else {
        return false;
    };
    // What stands behind it plays no part.
    assert_eq!(run(&bytes[..length], usize::MAX), Some(Ok((length, origin))));
    let Some(origin) = origin else {
        return true;
    };
    let (client, destination) = (origin.client, origin.destination);
    if client.is_ipv4() == destination.is_ipv4() {
        let family = if client.is_ipv4() { 4 } else { 6 };
        let (ports, to) = (format!("{} {}", client.port(), destination.port()), destination.ip());
        let line = format!("PROXY TCP{family} {} {to} {ports}\r\n", client.ip());
        assert_eq!(run(line.as_bytes(), usize::MAX), Some(Ok((line.len(), Some(origin)))), "{line}");
    }
    true
}

type Outcome = Result<(usize, Option<Origin>), BadHeader>;

/// Reads a header from these octets, at most so many at a time: its length and what it says. `None` if it breaks off.
fn run(bytes: &[u8], at_a_time: usize) -> Option<Outcome> {
    let mut at = 0;
    loop {
        let more = match next(&bytes[..at]) {
            Err(error) => return Some(Err(error)),
            Ok(Next::Whole(origin)) => return Some(Ok((at, origin))),
            Ok(Next::Read(more)) => more,
        };
        assert!(more > 0 && at + more <= MAX_LINE.max(16 + MAX_BLOCK), "{more} more at {at}");
        if at == bytes.len() {
            return None;
        }
        at = bytes.len().min(at + more.min(at_a_time));
    }
}
