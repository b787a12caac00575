//! Deadlines: silence, half lines, half handshakes.

use super::{assert_sound, ends, greeted, server};
use crate::{
    harness::{Client, USER},
    starttls::assert_no_text,
    tls::{connection, HOST},
};
use std::time::{Duration, Instant};

/// The limit in these tests.
const SECOND: Duration = Duration::from_secs(1);

/// The connection ends after the limit, and not much later; what was said meanwhile.
#[track_caller]
fn cut_off(client: &mut Client, since: Instant) -> Vec<u8> {
    let said = client.rest();
    let took = since.elapsed();
    assert!(took >= SECOND - Duration::from_millis(50) && took < SECOND * 15, "{took:?}");
    said
}

#[test]
fn a_silent_client_is_told_and_cut_off() {
    let server = server(", idle_seconds: 1");
    let idle = "421 4.4.2 Idle for too long, closing connection\r\n";
    // Nobody's clock has started before.
    let since = Instant::now();
    let mut smtp = greeted(&server, "smtp");
    let mut half = greeted(&server, "submission");
    half.send("NOO");
    let mut data = greeted(&server, "smtp");
    data.ehlo();
    data.expect("MAIL FROM:<x@remote.test>", "250");
    data.expect(&format!("RCPT TO:<{USER}>"), "250");
    data.expect("DATA", "354");
    data.send("Subject: x\r\n");
    let mut pop = greeted(&server, "pop3");
    let mut imap = greeted(&server, "imap");
    assert_eq!(cut_off(&mut smtp, since), idle.as_bytes());
    assert_eq!(cut_off(&mut half, since), idle.as_bytes());
    assert!(cut_off(&mut data, since).starts_with(b"421 4.4.2 "));
    // RFC 1939 section 3: without a word.
    assert_eq!(cut_off(&mut pop, since), b"");
    // RFC 9051 section 5.4.
    assert_eq!(cut_off(&mut imap, since), b"* BYE [UNAVAILABLE] Silent for too long\r\n");
    let mut tls = server.connect_tls("submissions");
    tls.line();
    assert_eq!(String::from_utf8_lossy(&tls.rest()), idle);
    assert_sound(&server);
}

#[test]
fn progress_keeps_a_session_alive() {
    let server = server(", idle_seconds: 1");
    let mut client = greeted(&server, "smtp");
    let since = Instant::now();
    while since.elapsed() < SECOND * 2 {
        client.expect("NOOP", "250 ");
        // Paced only: without it the session would meet its limit of commands.
        std::thread::sleep(Duration::from_millis(100));
    }
    client.expect("QUIT", "221 ");
}

#[test]
fn a_handshake_has_a_deadline() {
    let server = server(", handshake_seconds: 1");
    let mut hello = Vec::new();
    connection(&server.setup, HOST).write_tls(&mut hello).unwrap();
    let mut waiting = Vec::new();
    for (listener, command) in [
        ("submissions", ""),
        ("pop3s", ""),
        ("imaps", ""),
        ("smtp", "STARTTLS"),
        ("pop3", "STLS"),
        ("imap", "a STARTTLS"),
    ] {
        for len in [0, 1, 5, hello.len() / 2] {
            let mut client = server.connect(listener);
            if !command.is_empty() {
                client.line();
            }
            // Before the server's own clock starts.
            let since = Instant::now();
            if !command.is_empty() {
                client.ask(command);
            }
            client.send(&hello[..len]);
            waiting.push((client, since));
        }
    }
    for (mut client, since) in waiting {
        assert_no_text(&cut_off(&mut client, since));
    }
    server.wait_for_log("the TLS handshake took too long");
    assert_sound(&server);
}

#[test]
fn dripping_does_not_prolong_a_handshake() {
    let server = server(", handshake_seconds: 1");
    let mut hello = Vec::new();
    connection(&server.setup, HOST).write_tls(&mut hello).unwrap();
    let mut client = server.connect("submissions");
    client.stream.get_ref().set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let since = Instant::now();
    // An octet each time that nothing has come back for a while.
    for octet in hello {
        super::push(&mut client, &[octet]);
        if ends(&mut client) {
            break;
        }
        assert!(since.elapsed() < SECOND * 15, "it still listens");
    }
    assert!(since.elapsed() >= SECOND - Duration::from_millis(50));
    assert_sound(&server);
}
