//! Tests of the PROXY header.

use super::*;
use proptest::prelude::*;

fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Reads a header as from a connection on which everything has come already; gives it with what it left unread.
fn run(bytes: &[u8]) -> Result<(Option<Origin>, &[u8]), BadHeader> {
    let mut at = 0;
    loop {
        match next(&bytes[..at])? {
            Next::Whole(origin) => return Ok((origin, &bytes[at..])),
            Next::Read(0) => panic!("it asks for nothing"),
            Next::Read(_) if at == bytes.len() => return Err(BadHeader::CutOff),
            Next::Read(more) => at = bytes.len().min(at + more),
        }
    }
}

fn v2(command: u8, family: u8, block: &[u8]) -> Vec<u8> {
    let length = u16::try_from(block.len()).unwrap().to_be_bytes();
    [v2::SIGNATURE, &[0x20 | command, family], &length, block].concat()
}

fn tlv(kind: u8, value: &[u8]) -> Vec<u8> {
    [&[kind], u16::try_from(value.len()).unwrap().to_be_bytes().as_slice(), value].concat()
}

const V4: [u8; 12] = [192, 0, 2, 1, 198, 51, 100, 1, 0xdc, 4, 0, 25];

fn v4_origin() -> Option<Origin> {
    Some(Origin { client: addr("192.0.2.1:56324"), destination: addr("198.51.100.1:25") })
}

/// A checksum as section 2.2.3 wants it, bit by bit: another way than the one under test.
fn slow_crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0x82f6_3b78 * (crc & 1)))
    })
}

fn with_checksum(before: &[u8], after: &[u8]) -> Vec<u8> {
    let mut header = v2(1, 0x11, &[&V4, before, &tlv(3, &[0; 4]), after].concat());
    let sum = slow_crc(&header).to_be_bytes();
    let at = 16 + 12 + before.len() + 3;
    header[at..at + 4].copy_from_slice(&sum);
    header
}

#[test]
fn lines() {
    let six = "PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n";
    let six_origin = Some(Origin { client: addr("[2001:db8::1]:1"), destination: addr("[2001:db8::2]:65535") });
    let long = "ffff:f...f:ffff ffff:f...f:ffff 65535 65535".replace("f...f", "ffff:ffff:ffff:ffff:ffff:ffff");
    assert_eq!(format!("PROXY TCP6 {long}\r\n").len(), 104);
    run(format!("PROXY TCP6 {long}\r\n").as_bytes()).unwrap();
    for (line, origin) in [
        ("PROXY TCP4 192.0.2.1 198.51.100.1 56324 25\r\n", v4_origin()),
        (six, six_origin),
        ("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.1 56324 25\r\n", v4_origin()),
        ("PROXY UNKNOWN\r\n", None),
        ("PROXY UNKNOWN \r\n", None),
        (&format!("PROXY UNKNOWN {}\r\n", "x".repeat(91)), None),
    ] {
        assert_eq!(run(format!("{line}EHLO\r\n").as_bytes()), Ok((origin, b"EHLO\r\n".as_slice())), "{line}");
    }
}

#[test]
fn what_is_no_line() {
    use BadHeader::{Line, Missing, TooLong};
    let end = "neither TCP4 nor TCP6 nor UNKNOWN";
    for (line, error) in [
        ("EHLO client.example\r\n", Missing),
        ("PROXX", Missing),
        ("proxy UNKNOWN\r\n", Missing),
        ("PROXY\tUNKNOWN\r\n", Missing),
        ("PROXY UNKNOWNX\r\n", Line(end)),
        ("PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n", Line(end)),
        ("PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n", Line(end)),
        ("PROXY TCP4 192.0.2.1 192.0.2.2 111 222\n", Line("it does not end with CRLF")),
        ("PROXY TCP4 2001:db8::1 2001:db8::2 111 222\r\n", Line("an address of its family is missing")),
        ("PROXY TCP6 192.0.2.1 192.0.2.2 111 222\r\n", Line("an address of its family is missing")),
        ("PROXY TCP4 192.0.2.01 192.0.2.2 111 222\r\n", Line("an address of its family is missing")),
        ("PROXY TCP4 192.0.2.1 192.0.2.2 111 65536\r\n", Line("a port is missing")),
        ("PROXY TCP4 192.0.2.1 192.0.2.2 +11 222\r\n", Line("a port is missing")),
        ("PROXY TCP4 192.0.2.1 192.0.2.2 011 222\r\n", Line("a port is missing")),
        ("PROXY TCP4 192.0.2.1 192.0.2.2 111222\r\n", Line("a port is missing")),
        ("PROXY TCP4 192.0.2.1 192.0.2.2 111 222 333\r\n", Line("something stands behind the ports")),
        ("PROXY TCP4 192.0.2.1 192.0.2.2 111 222 \r\n", Line("something stands behind the ports")),
        (&format!("PROXY UNKNOWN {}\r\n", "x".repeat(92)), TooLong(MAX_LINE)),
    ] {
        assert_eq!(run(line.as_bytes()), Err(error), "{line}");
    }
    assert_eq!(run(b"PROXY TCP4 192.0.2.1\xff 192.0.2.2 111 222\r\n"), Err(Line("it is no text")));
}

#[test]
fn binary_headers() {
    let six: Vec<u8> = (0..36).collect();
    let six_origin = Some(Origin {
        client: addr("[1:203:405:607:809:a0b:c0d:e0f]:8225"),
        destination: addr("[1011:1213:1415:1617:1819:1a1b:1c1d:1e1f]:8739"),
    });
    for (header, origin) in [
        (v2(1, 0x11, &V4), v4_origin()),
        (v2(1, 0x11, &[V4.as_slice(), &tlv(2, b"mail.example"), &tlv(4, &[0; 9])].concat()), v4_origin()),
        (v2(1, 0x21, &six), six_origin),
        (v2(1, 0x31, &[b'/'; 216]), None),
        (v2(1, 0x00, b""), None),
        (v2(1, 0x00, b"what is unknown"), None),
        (v2(1, 0x10, &V4), None),
        (v2(0, 0x00, b""), None),
        (v2(0, 0x11, &V4), None),
        (v2(0, 0xff, b"skipped"), None),
        (v2(1, 0x11, &[V4.as_slice(), &tlv(4, &[0; MAX_BLOCK - 15])].concat()), v4_origin()),
    ] {
        let bytes = [header.as_slice(), b"EHLO\r\n"].concat();
        assert_eq!(run(&bytes), Ok((origin, b"EHLO\r\n".as_slice())), "{header:x?}");
    }
}

#[test]
fn what_is_no_binary_header() {
    use BadHeader::{Command, CutOff, Family, Missing, TooLong, Version};
    let mut three = v2(1, 0x11, &V4);
    three[12] = 0x31;
    let mut other = v2(1, 0x11, &V4);
    other[11] = b' ';
    for (header, error) in [
        (three, Version(3)),
        (other, Missing),
        (v2(2, 0x11, &V4), Command(2)),
        (v2(1, 0x12, &V4), Family(0x12)),
        (v2(1, 0x41, &V4), Family(0x41)),
        (v2(1, 0x13, &V4), Family(0x13)),
        (v2(1, 0x11, &V4[..11]), CutOff),
        (v2(1, 0x21, &[0; 35]), CutOff),
        (v2(1, 0x31, &[0; 215]), CutOff),
        (v2(1, 0x11, &[V4.as_slice(), &[2, 0]].concat()), CutOff),
        (v2(1, 0x11, &[V4.as_slice(), &[2, 0, 2, 0]].concat()), CutOff),
        (v2(1, 0x11, &[0; MAX_BLOCK + 1]), TooLong(16 + MAX_BLOCK)),
        (v2(0, 0x00, &[0; MAX_BLOCK + 1]), TooLong(16 + MAX_BLOCK)),
    ] {
        assert_eq!(run(&header), Err(error), "{header:x?}");
    }
}

#[test]
fn a_checksum_is_checked_wherever_it_stands() {
    assert_eq!(slow_crc(b"123456789"), 0xe306_9283);
    for (before, after) in [(vec![], vec![]), (tlv(2, b"a.example"), tlv(4, b"xx")), (vec![], tlv(5, b"id"))] {
        let good = with_checksum(&before, &after);
        assert_eq!(run(&good), Ok((v4_origin(), b"".as_slice())));
        for at in 16..28 {
            let mut damaged = good.clone();
            damaged[at] ^= 1;
            assert_eq!(run(&damaged), Err(BadHeader::Checksum), "{at}");
        }
    }
    let short = v2(1, 0x11, &[V4.as_slice(), &tlv(3, b"abc")].concat());
    assert_eq!(run(&short), Err(BadHeader::Checksum));
}

#[tokio::test]
async fn nothing_behind_the_header_is_read() {
    use tokio::io::AsyncReadExt;
    for header in [b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 25\r\n".to_vec(), v2(1, 0x11, &V4)] {
        let bytes = [header.as_slice(), b"EHLO\r\n"].concat();
        let mut stream = bytes.as_slice();
        assert_eq!(read(&mut stream).await.unwrap(), v4_origin());
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"EHLO\r\n");
        assert!(matches!(read(&mut &header[..header.len() - 1]).await, Err(ReadError::Ended)));
    }
    assert!(matches!(read(&mut b"".as_slice()).await, Err(ReadError::Nothing)));
    assert!(matches!(read(&mut b"E".as_slice()).await, Err(ReadError::Bad(BadHeader::Missing))));
}

proptest! {
    #[test]
    fn good_headers_are_read_to_their_last_octet(
        client: SocketAddr, destination: SocketAddr, rest: Vec<u8>, filler in proptest::collection::vec(any::<u8>(), 0..200)
    ) {
        // A header has addresses of one family.
        let (client, destination) = (SocketAddr::new(client.ip(), client.port()), SocketAddr::new(destination.ip(), destination.port()));
        prop_assume!(client.is_ipv4() == destination.is_ipv4());
        let family = if client.is_ipv4() { 4 } else { 6 };
        let line = format!("PROXY TCP{family} {} {} {} {}\r\n", client.ip(), destination.ip(), client.port(), destination.port());
        let octets = |ip: IpAddr| match ip { IpAddr::V4(ip) => ip.octets().to_vec(), IpAddr::V6(ip) => ip.octets().to_vec() };
        let block = [octets(client.ip()), octets(destination.ip()), client.port().to_be_bytes().into(), destination.port().to_be_bytes().into(), tlv(4, &filler)].concat();
        let expected = Origin::new((client.ip(), client.port()), (destination.ip(), destination.port()));
        for header in [line.into_bytes(), v2(1, if family == 4 { 0x11 } else { 0x21 }, &block)] {
            let bytes = [header, rest.clone()].concat();
            prop_assert_eq!(run(&bytes), Ok((Some(expected), rest.as_slice())));
        }
    }

    #[test]
    fn whatever_comes_is_taken_or_refused(mut bytes: Vec<u8>, kind in 0..3) {
        match kind {
            1 => drop(bytes.splice(..0, b"PROXY TCP".iter().copied())),
            2 => drop(bytes.splice(..0, v2::SIGNATURE.iter().copied())),
            _ => {}
        }
        // No panic, and no end without an outcome.
        let _ = run(&bytes);
    }
}
