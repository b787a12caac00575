//! Clients behind proxies: the PROXY header, from trusted networks and from others, on listeners of each kind.

use crate::{
    abuse::{connect_from, ends, greeted, server_with, GREETINGS},
    harness::{have, run_ok, Client, Server, DEADLINE, PASSWORD, USER},
    mail::plain,
    starttls::assert_no_text,
    tls::{connection, Tls, HOST},
};
use std::{
    io::{BufReader, ErrorKind, Read},
    process::Command,
    time::{Duration, Instant},
};

/// The last octets of proxies' addresses: 127.0.0.8 to 127.0.0.11.
const PROXY: u8 = 9;
const TRUSTED: &str = "trusted: [\"127.0.0.8/30\"]";
const DEBUG: &str = "login_blocking: (failures: 0), log: (levels: {\"core\": Debug}),";
const CLIENT: &str = "203.0.113.7:4711";

const PLAIN: [&str; 4] = ["smtp", "submission", "pop3", "imap"];
const IMPLICIT: [&str; 3] = ["submissions", "pop3s", "imaps"];

fn server(options: &str) -> Server {
    server_with(&format!(", proxy: ({TRUSTED}){options}"), DEBUG)
}

fn line_for(client: &str) -> Vec<u8> {
    let (address, port) = client.rsplit_once(':').unwrap();
    format!("PROXY TCP4 {address} 198.51.100.1 {port} 25\r\n").into_bytes()
}

fn binary(command: u8, family: u8, block: &[u8]) -> Vec<u8> {
    let length = u16::try_from(block.len()).unwrap().to_be_bytes();
    [b"\r\n\r\n\0\r\nQUIT\n".as_slice(), &[0x20 | command, family], &length, block].concat()
}

/// Version 2 with a name, padding and the checksum.
fn binary_for_client() -> Vec<u8> {
    let addresses = [203, 0, 113, 7, 198, 51, 100, 1, 0x12, 0x67, 0, 25];
    let block = [&addresses, b"\x02\x00\x04mail".as_slice(), b"\x03\x00\x04\0\0\0\0", b"\x04\x00\x02xx"].concat();
    let mut header = binary(1, 0x11, &block);
    let sum = crc32c(&header).to_be_bytes();
    let at = 16 + addresses.len() + 7 + 3;
    header[at..at + 4].copy_from_slice(&sum);
    header
}

fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0x82f6_3b78 * (crc & 1)))
    })
}

fn from_proxy(server: &Server, listener: &str) -> Client {
    connect_from(PROXY, server.address(listener))
}

/// A client that a proxy brings, before the greeting.
fn brought(server: &Server, listener: &str, client: &str) -> Client {
    let mut connection = from_proxy(server, listener);
    connection.send(line_for(client));
    connection
}

#[track_caller]
fn assert_greets(line: &str, server: &Server) {
    assert!(GREETINGS.iter().any(|words| line.starts_with(words)), "{line:?}\n{}", server.log());
}

/// Nothing has come for a moment.
#[track_caller]
fn assert_silent(client: &mut Client) {
    client.stream.get_ref().set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let got = client.stream.read(&mut [0]);
    assert!(got.as_ref().is_err_and(|error| error.kind() == ErrorKind::WouldBlock), "{got:?}");
    client.stream.get_ref().set_read_timeout(Some(DEADLINE)).unwrap();
}

/// Sends the header and the first flight of TLS in one piece, and goes on with TLS.
fn tls_in_one_piece(server: &Server, listener: &str, header: &[u8]) -> Client<Tls> {
    let mut client = from_proxy(server, listener);
    let mut tls = connection(&server.setup, HOST);
    let mut piece = header.to_vec();
    tls.write_tls(&mut piece).unwrap();
    client.send(piece);
    Client { stream: BufReader::new(Tls::new(tls, client.stream.into_inner())) }
}

#[test]
fn every_protocol_learns_who_the_client_is() {
    let server = server("");
    for header in [line_for(CLIENT), binary_for_client()] {
        for listener in PLAIN {
            let mut client = from_proxy(&server, listener);
            let proxy = client.stream.get_ref().local_addr().unwrap();
            assert_silent(&mut client);
            client.send(&header);
            assert_greets(&client.line(), &server);
            let (command, answer) = match listener {
                "pop3" => ("QUIT", "+OK"),
                "imap" => ("a LOGOUT", "* BYE "),
                _ => ("QUIT", "221 "),
            };
            client.expect(command, answer);
            server.wait_for_line("the client and its proxy", |line| {
                line.contains(": connected ")
                    && line.contains(&format!("listener={listener} peer={CLIENT} proxy={proxy}"))
            });
        }
        for listener in IMPLICIT {
            let mut client = from_proxy(&server, listener);
            assert_silent(&mut client);
            client.send(&header);
            assert_greets(&client.start_tls(&server.setup, HOST).line(), &server);
            assert_greets(&tls_in_one_piece(&server, listener, &header).line(), &server);
        }
    }
    // Who logs in, and where mail comes from, is the client.
    let mut client = brought(&server, "smtp", CLIENT);
    client.line();
    client.ehlo();
    assert!(client.mail("x@remote.test", &[USER], b"Subject: brought\r\n\r\n").starts_with("250 "));
    let message = String::from_utf8(server.mailbox(USER, PASSWORD).remove(0)).unwrap();
    assert!(message.contains("[203.0.113.7]"), "{message}");
}

#[test]
fn what_follows_the_header_is_left_to_the_protocol() {
    let server = server("");
    for header in [line_for(CLIENT), binary_for_client(), b"PROXY UNKNOWN\r\n".to_vec(), binary(0, 0, b"")] {
        let mut client = from_proxy(&server, "pop3");
        client.send([header.as_slice(), b"CAPA\r\nQUIT\r\n"].concat());
        let said = String::from_utf8(client.rest()).unwrap();
        assert!(
            said.contains("\r\nUIDL\r\n") && said.lines().filter(|line| line.starts_with("+OK")).count() == 3,
            "{said}"
        );
        // One octet at a time.
        let mut client = from_proxy(&server, "pop3");
        for octet in [header.as_slice(), b"QUIT\r\n"].concat() {
            client.send([octet]);
        }
        assert_eq!(String::from_utf8(client.rest()).unwrap().lines().count(), 2);
    }
    let mut client = from_proxy(&server, "submission");
    client.send(line_for(CLIENT));
    client.line();
    client.send("EHLO client.test\r\n");
    client.reply();
    client.expect("STARTTLS", "220 ");
    let mut client = client.start_tls(&server.setup, HOST);
    client.ehlo();
    client.expect(&format!("AUTH PLAIN {}", plain(USER, PASSWORD)), "235 ");
}

#[test]
fn nobody_else_can_give_a_header() {
    let server = server("");
    for header in [line_for(CLIENT), binary_for_client()] {
        for listener in PLAIN {
            let mut client = connect_from(2, server.address(listener));
            assert_greets(&client.line(), &server);
            client.send([header.as_slice(), b"\r\nQUIT\r\na LOGOUT\r\n"].concat());
            let said = String::from_utf8(client.rest()).unwrap();
            let refusals = ["5", "-ERR", "421 ", "PROXY BAD ", "* BAD ", "* BYE ["];
            assert!(refusals.iter().any(|words| said.starts_with(words)), "{listener}: {said}");
        }
        for listener in IMPLICIT {
            let mut client = connect_from(2, server.address(listener));
            client.send(&header);
            assert_no_text(&crate::abuse::hear_out(client));
        }
    }
    server.wait_for_log("plain text on a port that speaks TLS");
    assert!(!server.log().contains("203.0.113.7"), "{}", server.log());
}

#[test]
fn a_proxy_that_says_nothing_of_its_client_is_not_served() {
    let server = server("");
    let mut hello = Vec::new();
    connection(&server.setup, HOST).write_tls(&mut hello).unwrap();
    let mut damaged = binary_for_client();
    damaged[16] ^= 1;
    let missing = "does not begin with a PROXY header";
    for (bytes, why) in [
        (b"EHLO client.test\r\n".to_vec(), missing),
        (hello, missing),
        (b"PROXX".to_vec(), missing),
        (b"PROXY TCP4 203.0.113.7 198.51.100.1 4711\r\n".to_vec(), "no line of version 1: a port is missing"),
        (format!("PROXY UNKNOWN {}\r\n", "x".repeat(100)).into_bytes(), "longer than 107 octets"),
        (binary(1, 0x11, &[0; 4097]), "longer than 4112 octets"),
        (damaged, "does not match its CRC32c checksum"),
        (binary(1, 0x12, &[0; 12]), "family and transport 0x12"),
    ] {
        for listener in ["smtp", "pop3", "submissions"] {
            let mut client = from_proxy(&server, listener);
            let proxy = client.stream.get_ref().local_addr().unwrap();
            crate::abuse::push(&mut client, &bytes);
            assert!(ends(&mut client), "{why}");
            server.wait_for_line(why, |line| {
                line.contains(&format!("listener={listener} peer={proxy}")) && line.contains(why)
            });
        }
    }
    // The operator is told at the usual level, though not of each one.
    let told = server.wait_for_log("connections refused");
    assert!(told.contains(" warn ") && told.contains(missing), "{told}");
    // A health check that only connects is nothing to speak of.
    drop(from_proxy(&server, "submission"));
    server.wait_for_log("the connection ended before the PROXY header");
    assert!(!server.log().lines().any(|line| line.contains("refused") && line.contains("listener=submission ")));
    assert!(!server.log().contains(&format!("peer={CLIENT}")), "{}", server.log());
}

#[test]
fn a_header_has_a_deadline() {
    let server = server_with(&format!(", proxy: ({TRUSTED}, timeout_seconds: 1)"), DEBUG);
    for begun in [b"".as_slice(), b"PROXY TCP4 203.0.113.7", b"\r\n\r\n\0\r\nQUIT\n\x21"] {
        for listener in ["smtp", "pop3s"] {
            // Before the server's own clock starts.
            let since = Instant::now();
            let mut client = from_proxy(&server, listener);
            client.send(begun);
            assert!(ends(&mut client));
            let took = since.elapsed();
            assert!(took >= Duration::from_millis(950) && took < Duration::from_secs(15), "{took:?}");
        }
    }
    server.wait_for_log("no PROXY header came within 1 seconds");
    // Progress does not prolong it.
    let mut client = from_proxy(&server, "smtp");
    client.stream.get_ref().set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let since = Instant::now();
    for octet in [b"PROXY UNKNOWN ".to_vec(), vec![b'x'; 90]].concat() {
        crate::abuse::push(&mut client, &[octet]);
        if ends(&mut client) {
            assert!(since.elapsed() >= Duration::from_millis(950));
            return;
        }
    }
    panic!("it still listens after {:?}", since.elapsed());
}

#[test]
fn limits_of_an_address_are_those_of_the_client() {
    let server = server(", max_connections_per_address: 1");
    for (listener, busy) in [("smtp", "421 4.3.2 "), ("pop3", "-ERR [SYS/TEMP] "), ("imap", "* BYE [UNAVAILABLE] ")] {
        let mut first = brought(&server, listener, CLIENT);
        assert_greets(&first.line(), &server);
        let mut other = brought(&server, listener, "203.0.113.8:1");
        assert_greets(&other.line(), &server);
        let said = String::from_utf8(brought(&server, listener, "203.0.113.7:2").rest()).unwrap();
        assert!(said.starts_with(busy), "{said}");
        assert!(!first.ask("NOOP").is_empty());
    }
    let mut first = brought(&server, "pop3s", CLIENT).start_tls(&server.setup, HOST);
    assert_greets(&first.line(), &server);
    assert_eq!(brought(&server, "pop3s", CLIENT).rest(), b"");
    server.wait_for_line("the client's own limit", |line| {
        line.contains("the client has its `max_connections_per_address`") && line.contains("203.0.113.7:")
    });
}

#[test]
fn a_connection_without_its_header_counts_for_the_listener() {
    let server = server(", max_connections: 2");
    let mut first = from_proxy(&server, "smtp");
    let _second = from_proxy(&server, "smtp");
    // Both have been accepted, in this order, when a third is.
    let said = String::from_utf8(connect_from(2, server.address("smtp")).rest()).unwrap();
    assert!(said.starts_with("421 4.3.2 "), "{said}");
    first.send(line_for(CLIENT));
    assert_greets(&first.line(), &server);
}

/// Health checks, and families that have no address for us: the proxy's own address stays, and no limit of an address holds.
#[test]
fn a_header_may_name_nobody() {
    let server = server(", max_connections_per_address: 1");
    let headers = [
        b"PROXY UNKNOWN\r\n".to_vec(),
        b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n".to_vec(),
        binary(0, 0x00, b""),
        binary(0, 0x11, &[1; 12]),
        binary(1, 0x00, b""),
        binary(1, 0x31, &[b'/'; 216]),
    ];
    let mut open = Vec::new();
    for header in headers {
        let mut client = from_proxy(&server, "pop3");
        let proxy = client.stream.get_ref().local_addr().unwrap();
        client.send(header);
        assert_greets(&client.line(), &server);
        server.wait_for_log(&format!("listener=pop3 peer={proxy} proxy={proxy}"));
        open.push(client);
    }
}

#[test]
fn curl_and_swaks_as_proxies() {
    let server = server("");
    let from = ["127.0.0.9", "127.0.0.10"];
    if have("curl") {
        let url = format!("pop3://127.0.0.1:{}", server.port("pop3"));
        let said = run_ok(Command::new("curl").args(["--silent", "--show-error", "--max-time", "60"]).args([
            "--haproxy-protocol",
            "--interface",
            from[0],
            "--user",
            &format!("{USER}:{PASSWORD}"),
            "--url",
            &url,
        ]));
        assert_eq!(said.trim(), "", "an empty list");
        server.wait_for_log("proxy=127.0.0.9:");
    }
    if have("swaks") {
        for (version, family) in [("1", "TCP4"), ("2", "AF_INET")] {
            let source = format!("203.0.113.{version}");
            let mut command = Command::new("swaks");
            command
                .args(["--server", "127.0.0.1", "--port", &server.port("smtp").to_string(), "--timeout", "60"])
                .args(["--local-interface", from[1], "--helo", "client.test"])
                .args(["--from", "x@remote.test", "--to", USER, "--body", "by swaks"])
                .args(["--proxy-version", version, "--proxy-family", family, "--proxy-source", &source])
                .args(["--proxy-source-port", "4711", "--proxy-dest", "198.51.100.1", "--proxy-dest-port", "25"]);
            run_ok(&mut command);
            server.wait_for_log(&format!("peer={source}:4711 proxy=127.0.0.10:"));
        }
        assert_eq!(server.mailbox(USER, PASSWORD).len(), 2);
    }
    greeted(&server, "smtp");
}
