//! The way to TLS inside a session: nothing is carried over it, neither commands nor state nor passwords.

use crate::{
    harness::{Client, Server, Setup, PASSWORD, USER},
    mail::plain,
    tls::HOST,
};

/// A plain client behind the greeting.
fn greeted(server: &Server, listener: &str) -> Client {
    let mut client = server.connect(listener);
    assert!(client.line().len() > 3);
    client
}

#[test]
fn smtp_commands_behind_starttls_are_never_answered() {
    let server = Setup::mail().start();
    for listener in ["smtp", "submission"] {
        for injected in ["NOOP\r\n", "NOOP", "\r\n", " ", "MAIL FROM:<x@y.test>\r\nRCPT TO:<ann@example.test>\r\n"] {
            let mut client = greeted(&server, listener);
            client.ehlo();
            client.send(format!("STARTTLS\r\n{injected}"));
            let rest = client.rest();
            assert_eq!(rest, b"", "{listener}: {injected:?} was answered: {:?}", String::from_utf8_lossy(&rest));
        }
        // The same client without the injection gets what it wants: it is not the listener that is broken.
        let mut client = greeted(&server, listener);
        client.expect("STARTTLS", "220 ");
        client.start_tls(&server.setup, HOST).expect("NOOP", "250 ");
    }
    server.wait_for_log("command injection is refused");
}

#[test]
fn pop3_commands_behind_stls_are_never_answered() {
    let server = Setup::mail().start();
    for injected in ["NOOP\r\n", "CAPA\r\n", "N", "USER ann@example.test\r\nPASS x\r\n"] {
        let mut client = greeted(&server, "pop3");
        client.send(format!("STLS\r\n{injected}"));
        let rest = client.rest();
        assert_eq!(rest, b"", "{injected:?} was answered: {:?}", String::from_utf8_lossy(&rest));
    }
    let mut client = greeted(&server, "pop3");
    client.expect("STLS", "+OK");
    client.start_tls(&server.setup, HOST).expect("QUIT", "+OK");
    server.wait_for_log("command injection is refused");
}

#[test]
fn bytes_between_the_go_ahead_and_the_handshake_are_not_commands() {
    let server = Setup::mail().start();
    for (listener, command) in
        [("smtp", "STARTTLS"), ("submission", "STARTTLS"), ("pop3", "STLS"), ("imap", "a STARTTLS")]
    {
        let mut client = greeted(&server, listener);
        let go_ahead = client.ask(command);
        assert!(["220 ", "+OK", "a OK"].iter().any(|words| go_ahead.starts_with(words)), "{go_ahead}");
        client.send("NOOP\r\nNOOP\r\nNOOP\r\n");
        assert_no_text(&client.rest());
    }
}

/// Nothing, or a TLS alert.
#[track_caller]
pub fn assert_no_text(bytes: &[u8]) {
    const ALERT: u8 = 21;
    let is_alert = bytes.len() == 7 && bytes[..2] == [ALERT, 3] && bytes[3..5] == [0, 2];
    assert!(bytes.is_empty() || is_alert, "{:?}", String::from_utf8_lossy(bytes));
}

#[test]
fn smtp_forgets_what_was_said_before_tls() {
    let server = Setup::mail().start();
    let mut client = greeted(&server, "smtp");
    client.ehlo();
    client.expect("MAIL FROM:<stranger@remote.test>", "250");
    client.expect(&format!("RCPT TO:<{USER}>"), "250");
    client.expect("STARTTLS", "220 ");
    let mut client = client.start_tls(&server.setup, HOST);
    client.expect(&format!("RCPT TO:<{USER}>"), "503 5.5.1");
    client.expect("DATA", "503 5.5.1");
    client.expect("MAIL FROM:<stranger@remote.test>", "503 5.5.1");
    let extensions = client.ehlo();
    assert!(!extensions.iter().any(|extension| extension == "STARTTLS"), "{extensions:?}");
    client.expect("STARTTLS", "503 5.5.1");
    assert!(client.mail("stranger@remote.test", &[USER], b"Subject: x\r\n\r\n").starts_with("250 2.0.0"));

    let mut client = greeted(&server, "submission");
    client.ehlo();
    client.expect("STARTTLS", "220 ");
    let mut client = client.start_tls(&server.setup, HOST);
    client.expect(&format!("AUTH PLAIN {}", plain(USER, PASSWORD)), "503 5.5.1 Say EHLO first");
}

#[test]
fn pop3_forgets_what_was_said_before_tls() {
    // On a listener where a name is taken before TLS at all.
    let config = crate::harness::MAIL_CONFIG.replace(
        r#"protocol: "pop3", bind: ["127.0.0.1:0"], tls: Explicit"#,
        r#"protocol: "pop3", bind: ["127.0.0.1:0"], tls: Explicit, insecure_auth: true"#,
    );
    let server = Setup::mail_with(&config).start();
    let mut client = greeted(&server, "pop3");
    client.expect(&format!("USER {USER}"), "+OK");
    client.expect("STLS", "+OK");
    let mut client = client.start_tls(&server.setup, HOST);
    client.expect(&format!("PASS {PASSWORD}"), "-ERR Say USER first");
    let capabilities = client.pop_lines("CAPA");
    assert!(!capabilities.iter().any(|line| line == "STLS"), "{capabilities:?}");
    client.expect("STLS", "-ERR");
    client.pop_login(USER, PASSWORD);
    // The listener takes names without TLS, so it was STLS that forgot it.
    let mut client = greeted(&server, "pop3");
    client.pop_login(USER, PASSWORD);
}

#[test]
fn passwords_are_not_taken_in_the_clear() {
    let server = Setup::mail().start();
    let response = plain(USER, PASSWORD);
    let mut client = greeted(&server, "submission");
    let extensions = client.ehlo();
    assert!(!extensions.iter().any(|extension| extension.starts_with("AUTH")), "{extensions:?}");
    client.expect(&format!("AUTH PLAIN {response}"), "538 5.7.11");
    client.expect("AUTH PLAIN", "538 5.7.11");
    client.expect("AUTH LOGIN", "538 5.7.11");
    client.expect(&format!("MAIL FROM:<{USER}>"), "530 5.7.0");
    // There is no login for strangers at all, TLS or not.
    let mut client = greeted(&server, "smtp");
    client.ehlo();
    client.expect(&format!("AUTH PLAIN {response}"), "502 5.5.1");

    let mut client = greeted(&server, "pop3");
    let capabilities = client.pop_lines("CAPA");
    assert!(capabilities.iter().any(|line| line == "STLS"), "{capabilities:?}");
    assert!(!capabilities.iter().any(|line| line.starts_with("USER") || line.starts_with("SASL")), "{capabilities:?}");
    client.expect(&format!("USER {USER}"), "-ERR");
    client.expect(&format!("PASS {PASSWORD}"), "-ERR");
    client.expect(&format!("AUTH PLAIN {response}"), "-ERR");
    client.expect("STAT", "-ERR");

    let mut client = server.connect("imap");
    let greeting = client.line();
    assert!(greeting.contains(" STARTTLS LOGINDISABLED]") && !greeting.contains("AUTH="), "{greeting}");
    client.expect(&format!("a LOGIN {USER} \"{PASSWORD}\""), "a NO [PRIVACYREQUIRED]");
    client.expect(&format!("b AUTHENTICATE PLAIN {response}"), "b NO [PRIVACYREQUIRED]");
    client.expect("c AUTHENTICATE PLAIN", "c NO [PRIVACYREQUIRED]");
    client.expect("d SELECT INBOX", "d BAD");
    let log = server.log();
    assert!(!log.contains(" login "), "somebody got in: {log}");

    // Inside TLS each of them is offered and works.
    let mut client = server.submission_starttls();
    assert!(client.ehlo().iter().any(|extension| extension == "AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN"));
    client.expect(&format!("AUTH PLAIN {response}"), "235 2.7.0");
    let mut client = greeted(&server, "pop3");
    client.expect("STLS", "+OK");
    let mut client = client.start_tls(&server.setup, HOST);
    client.expect(&format!("AUTH PLAIN {response}"), "+OK");
    let mut client = greeted(&server, "imap");
    client.expect("a STARTTLS", "a OK");
    let mut client = client.start_tls(&server.setup, HOST);
    client.expect(&format!("b AUTHENTICATE PLAIN {response}"), "b OK");
}
