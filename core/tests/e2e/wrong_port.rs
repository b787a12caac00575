//! Plain text on a port that speaks TLS, and TLS on one that doesn't.

use crate::{
    harness::{Setup, PASSWORD, USER},
    starttls::assert_no_text,
    tls::{connection, HOST},
};
use std::net::Shutdown;

#[test]
fn plain_text_on_an_implicit_port_gets_no_text_back_and_a_line_in_the_log() {
    let server = Setup::mail().start();
    for (listener, said, looks_like) in [
        ("submissions", "EHLO client.test\r\n".to_owned(), "it looks like SMTP"),
        ("submissions", "GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), "it looks like HTTP"),
        ("pop3s", format!("USER {USER}\r\nPASS {PASSWORD}\r\n"), "it looks like POP3"),
        ("pop3s", "a1 CAPABILITY\r\n".to_owned(), "it looks like IMAP"),
        ("imaps", format!("a1 LOGIN {USER} \"{PASSWORD}\"\r\n"), "it looks like IMAP"),
    ] {
        let mut client = server.connect(listener);
        client.send(&said);
        assert_no_text(&client.rest());
        let line = server.wait_for_line(looks_like, |line| line.contains(looks_like) && line.contains(listener));
        assert!(line.contains("plain text on a port that speaks TLS from the first byte"), "{line}");
    }
    // Somebody who waits for a greeting hears nothing either.
    let mut client = server.connect("submissions");
    client.stream.get_ref().shutdown(Shutdown::Write).unwrap();
    assert_no_text(&client.rest());
    assert!(!server.log().contains(PASSWORD));
    server.leave(b"Subject: still here\r\n\r\n");
}

#[test]
fn a_client_hello_on_a_plain_port_is_a_protocol_error() {
    let server = Setup::mail().start();
    let mut hello = Vec::new();
    connection(&server.setup, HOST).write_tls(&mut hello).unwrap();
    assert_eq!(hello[0], 22, "a handshake record");
    let cases = [
        ("smtp", "220 ", "(the client should use STARTTLS)"),
        ("submission", "220 ", "STARTTLS, or the port of `submissions`, with TLS from the first byte)"),
        ("pop3", "+OK", "STARTTLS, or the port of `pop3s`, with TLS from the first byte)"),
        ("imap", "* OK", "STARTTLS, or the port of `imaps`, with TLS from the first byte)"),
    ];
    for (listener, greeting, advice) in cases {
        for end in [b"".as_slice(), b"\r\n\r\n\r\n"] {
            let mut client = server.connect(listener);
            let from = client.stream.get_ref().local_addr().unwrap();
            // It waits for an answer, as a client does; the server ends the session by itself.
            client.send([&hello, end].concat());
            let said = String::from_utf8(client.rest()).expect("text");
            assert!(said.starts_with(greeting) && said.lines().count() == 1, "{listener}: {said}");
            let is_told = |line: &str| {
                line.contains(" info ") && line.contains(&from.to_string()) && line.contains("TLS on a port")
            };
            let line = server.wait_for_line("TLS on a port", is_told);
            for part in [&format!("listener={listener} "), "TLS on a port that begins in plain text (", advice] {
                assert!(line.contains(part), "{part} missing: {line}");
            }
        }
    }
    server.leave(b"Subject: still here\r\n\r\n");
    assert_eq!(server.mailbox(USER, PASSWORD).len(), 1);
    let log = server.log();
    assert!(!log.contains("panic"), "{log}");
    assert_eq!(log.matches("TLS on a port").count(), 2 * cases.len(), "once each: {log}");
}
