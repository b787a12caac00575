//! The way to TLS inside a session. That nothing behind STARTTLS is answered: the dialogue `starttls`.

use crate::{
    harness::{Client, Server, Setup, PASSWORD, USER},
    starttls::assert_no_text,
    tls::HOST,
};

fn greeted(server: &Server) -> Client {
    let mut client = server.connect("imap");
    let greeting = client.line();
    assert!(greeting.starts_with("* OK [CAPABILITY ") && greeting.contains(" LOGINDISABLED]"), "{greeting}");
    client
}

#[test]
fn all_is_forgotten_that_was_said_before() {
    let server = Setup::mail().start();
    let mut client = greeted(&server);
    client.expect("a ID NIL", "* ID ");
    assert!(client.line().starts_with("a OK"));
    client.expect("b STARTTLS", "b OK");
    let mut client = client.start_tls(&server.setup, HOST);
    let logins = "AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256 AUTH=PLAIN";
    client.expect("c CAPABILITY", &format!("* CAPABILITY IMAP4rev1 IMAP4rev2 ID LITERAL+ SASL-IR ENABLE {logins}"));
    assert!(client.line().starts_with("c OK"));
    client.expect("d STARTTLS", "d BAD");
    client.expect("e SELECT INBOX", "e BAD");
    client.expect(&format!("f LOGIN {USER} \"{PASSWORD}\""), "f OK [CAPABILITY ");
    client.expect("g STARTTLS", "g BAD");
    client.expect("h NOOP", "h OK");
}

#[test]
fn commands_behind_starttls_are_never_answered() {
    let server = Setup::mail().start();
    for injected in ["b NOOP\r\n", "b NOOP", "\r\n", " ", "b LOGIN ann@example.test x\r\n", "b NOOP {5+}\r\n"] {
        let mut client = greeted(&server);
        client.send(format!("a STARTTLS\r\n{injected}"));
        let rest = client.rest();
        assert_eq!(rest, b"", "{injected:?} was answered: {:?}", String::from_utf8_lossy(&rest));
    }
    server.wait_for_log("command injection is refused");
    let mut client = greeted(&server);
    client.expect("a STARTTLS", "a OK");
    client.send("b NOOP\r\nc NOOP\r\n");
    assert_no_text(&client.rest());
}

#[test]
fn tls_from_the_beginning_needs_no_starttls() {
    let server = Setup::mail().start();
    let mut client = server.connect_tls("imaps");
    assert!(client.line().contains(" AUTH=PLAIN]"));
    client.expect("a STARTTLS", "a BAD");
    client.expect(&format!("b LOGIN {USER} \"{PASSWORD}\""), "b OK");
}
