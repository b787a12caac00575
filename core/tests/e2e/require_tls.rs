//! Listeners that demand TLS serve nothing before it but the way to it, and a password crosses a connection without TLS only on a
//! loopback listener that is marked insecure.

use crate::{
    harness::{Client, Server, Setup, MAIL_CONFIG, PASSWORD, USER},
    mail::plain,
    tls::HOST,
};

/// A server whose explicit listeners have these options.
fn server(options: &str) -> Server {
    let config = MAIL_CONFIG.replace("tls: Explicit", &format!("tls: Explicit, {options}"));
    assert_ne!(config, MAIL_CONFIG);
    Setup::mail_with(&config).start()
}

/// A plain client behind the greeting.
fn greeted(server: &Server, listener: &str) -> Client {
    let mut client = server.connect(listener);
    assert!(client.line().len() > 3);
    client
}

const SMTP_REFUSAL: &str = "530 5.7.0 Must issue a STARTTLS command first";

#[test]
fn smtp_serves_nothing_else_before_tls() {
    let server = server("require_tls: true");
    for listener in ["smtp", "submission"] {
        let mut client = greeted(&server, listener);
        assert!(client.ehlo().iter().any(|extension| extension == "STARTTLS"));
        for command in [
            "HELO client.test",
            "MAIL FROM:<ann@example.test>",
            "RCPT TO:<ann@example.test>",
            "DATA",
            "RSET",
            "VRFY ann",
            "AUTH LOGIN",
            &format!("AUTH PLAIN {}", plain(USER, PASSWORD)),
        ] {
            assert_eq!(client.ask(command), SMTP_REFUSAL, "{listener}: {command}");
        }
        client.expect("NOOP", "250 ");
        client.expect("STARTTLS", "220 ");
        let mut client = client.start_tls(&server.setup, HOST);
        client.ehlo();
        client.expect("VRFY ann", "252 ");
        match listener {
            "smtp" => client.expect("MAIL FROM:<x@remote.test>", "250 "),
            _ => client.expect(&format!("AUTH PLAIN {}", plain(USER, PASSWORD)), "235 "),
        };
        client.expect("QUIT", "221 ");
        // Nobody is kept who does not want it.
        greeted(&server, listener).expect("QUIT", "221 ");
    }
}

#[test]
fn pop3_serves_nothing_else_before_tls() {
    let server = server("require_tls: true");
    let mut client = greeted(&server, "pop3");
    assert!(client.pop_lines("CAPA").iter().any(|line| line == "STLS"));
    for command in [
        &format!("USER {USER}"),
        &format!("PASS {PASSWORD}"),
        &format!("AUTH PLAIN {}", plain(USER, PASSWORD)),
        "AUTH PLAIN",
        "STAT",
        "LIST",
        "RETR 1",
        "NOOP",
    ] {
        client.expect(command, "-ERR");
    }
    client.expect("STLS", "+OK");
    let mut client = client.start_tls(&server.setup, HOST);
    client.pop_login(USER, PASSWORD);
    client.expect("QUIT", "+OK");
    greeted(&server, "pop3").expect("QUIT", "+OK");
}

#[test]
fn imap_serves_nothing_else_before_tls() {
    let server = server("require_tls: true");
    let mut client = server.connect("imap");
    let greeting = client.line();
    assert!(greeting.contains(" STARTTLS LOGINDISABLED]") && !greeting.contains("AUTH="), "{greeting}");
    for command in [
        &format!("LOGIN {USER} \"{PASSWORD}\""),
        &format!("AUTHENTICATE PLAIN {}", plain(USER, PASSWORD)),
        "AUTHENTICATE PLAIN",
        "ID NIL",
    ] {
        client.expect(&format!("a {command}"), "a NO [PRIVACYREQUIRED] Begin TLS first");
    }
    for command in ["SELECT INBOX", "LIST \"\" *", "ENABLE IMAP4rev2", "STATUS INBOX (MESSAGES)"] {
        client.expect(&format!("b {command}"), "b BAD");
    }
    client.expect("c NOOP", "c OK");
    client.expect("d STARTTLS", "d OK");
    let mut client = client.start_tls(&server.setup, HOST);
    client.expect("e ID NIL", "* ID ");
    assert!(client.line().starts_with("e OK"));
    client.expect(&format!("f LOGIN {USER} \"{PASSWORD}\""), "f OK");
    let mut client = greeted(&server, "imap");
    client.expect("a LOGOUT", "* BYE");
}

/// Each protocol's login without TLS; the answers' first words.
fn logins_in_the_clear(server: &Server) -> [String; 5] {
    let response = plain(USER, PASSWORD);
    let mut smtp = greeted(server, "submission");
    let offered = smtp.ehlo().iter().any(|extension| extension.starts_with("AUTH "));
    let smtp = smtp.ask(&format!("AUTH PLAIN {response}"));
    assert_eq!(offered, smtp.starts_with("235 "), "what EHLO says and what AUTH does: {smtp}");
    let mut pop3 = greeted(server, "pop3");
    let user = pop3.ask(&format!("USER {USER}"));
    let pass = if user.starts_with("+OK") { pop3.ask(&format!("PASS {PASSWORD}")) } else { user };
    let auth = greeted(server, "pop3").ask(&format!("AUTH PLAIN {response}"));
    let login = greeted(server, "imap").ask(&format!("a LOGIN {USER} \"{PASSWORD}\""));
    let authenticate = greeted(server, "imap").ask(&format!("a AUTHENTICATE PLAIN {response}"));
    [smtp, pass, auth, login, authenticate]
        .map(|line| line.split(' ').take(if line.starts_with("a ") { 2 } else { 1 }).collect::<Vec<_>>().join(" "))
}

#[test]
fn a_password_crosses_in_the_clear_only_where_a_loopback_listener_says_so() {
    const NO: [&str; 5] = ["538", "-ERR", "-ERR", "a NO", "a NO"];
    assert_eq!(logins_in_the_clear(&server("require_tls: false")), NO);
    assert_eq!(logins_in_the_clear(&server("insecure_auth: true")), ["235", "+OK", "+OK", "a OK", "a OK"]);
    // What demands TLS demands it, whatever else it is marked as.
    let both = logins_in_the_clear(&server("insecure_auth: true, require_tls: true"));
    assert_eq!(both, ["530", "-ERR", "-ERR", "a NO", "a NO"]);
}
