//! Mail from other servers: without a login for our recipients, and for nobody else.

use crate::{
    harness::{Setup, PASSWORD, USER},
    mail::{after_trace, assert_same, hard_message},
};

const BOB: &str = "bob@example.test";

#[test]
fn strangers_write_to_our_users_without_a_login() {
    let server = Setup::mail().start();
    let mut client = server.connect("smtp");
    assert!(client.line().starts_with("220 "));
    let extensions = client.ehlo();
    for wanted in ["PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", "STARTTLS"] {
        assert!(extensions.iter().any(|extension| extension == wanted), "{wanted} in {extensions:?}");
    }
    assert!(extensions.iter().any(|extension| extension.starts_with("SIZE ")), "{extensions:?}");
    let message = hard_message("from outside");
    let answer = client.mail("stranger@remote.test", &[USER], &message);
    assert!(answer.starts_with("250 2.0.0 "), "{answer}");
    client.expect("QUIT", "221 ");
    assert_eq!(client.rest(), b"");

    let mailbox = server.mailbox(USER, PASSWORD);
    assert_eq!(mailbox.len(), 1);
    assert_same(after_trace(&mailbox[0]), &message, "from outside");
    let trace = String::from_utf8_lossy(&mailbox[0]);
    assert!(
        trace.starts_with("Return-Path: <stranger@remote.test>\r\nReceived: from client.test ([127.0.0.1])"),
        "{trace}"
    );
    assert!(trace.contains("by mail.example.test with ESMTP id "), "{trace}");
}

#[test]
fn relaying_is_denied_and_unknown_recipients_are_refused() {
    let server = Setup::mail().start();
    let mut client = server.connect("smtp");
    client.line();
    client.ehlo();
    client.expect("MAIL FROM:<stranger@remote.test>", "250 2.1.0");
    client.expect("RCPT TO:<somebody@elsewhere.test>", "550 5.7.1 Relaying denied");
    client.expect("RCPT TO:<nobody@example.test>", "550 5.1.1");
    // The ways of old around it.
    for recipient in ["@example.test:somebody@elsewhere.test", "\"somebody@elsewhere.test\"@example.test"] {
        client.expect(&format!("RCPT TO:<{recipient}>"), "55");
    }
    for recipient in ["somebody%elsewhere.test@example.test", "elsewhere.test!somebody@example.test"] {
        client.expect(&format!("RCPT TO:<{recipient}>"), "550 5.1.1");
    }
    client.expect("DATA", "554 5.5.1");
    // Our own users' names open nothing without a login.
    client.expect("RSET", "250");
    client.expect(&format!("MAIL FROM:<{USER}>"), "250");
    client.expect("RCPT TO:<somebody@elsewhere.test>", "550 5.7.1");
    client.expect(&format!("RCPT TO:<{USER}>"), "250 2.1.5");
    assert!(server.mailbox(USER, PASSWORD).is_empty());
}

#[test]
fn one_message_reaches_two_accounts_and_an_alias_once_each() {
    let setup = Setup::mail();
    setup.add_account(BOB, PASSWORD);
    let file = setup.data_dir().join("accounts.ron");
    let accounts = std::fs::read_to_string(&file).unwrap();
    let (start, _) = accounts.rsplit_once(')').unwrap();
    let aliases = r#"aliases: {"team@example.test": ["ann@example.test", "bob@example.test"], "info@example.test": ["bob@example.test"]},"#;
    std::fs::write(&file, format!("{start}{aliases})\n")).unwrap();
    let server = setup.start();

    let message = hard_message("to many");
    let mut client = server.connect("smtp");
    client.line();
    client.ehlo();
    let to = [USER, BOB, "team@example.test", "INFO@EXAMPLE.TEST", "ann+tag@example.test"];
    let answer = client.mail("stranger@remote.test", &to, &message);
    assert!(answer.starts_with("250 2.0.0 "), "{answer}");
    for user in [USER, BOB] {
        let mailbox = server.mailbox(user, PASSWORD);
        assert_eq!(mailbox.len(), 1, "{user}");
        assert_same(after_trace(&mailbox[0]), &message, user);
        let trace = String::from_utf8_lossy(&mailbox[0][..mailbox[0].len() - message.len()]).into_owned();
        assert!(!trace.contains(" for <"), "recipients learn of each other: {trace}");
    }
    let mut client = server.connect("smtp");
    client.line();
    client.ehlo();
    assert!(client.mail("", &["info@example.test"], b"Subject: bounce\r\n\r\n").starts_with("250 2.0.0 "));
    assert_eq!(server.mailbox(USER, PASSWORD).len(), 1);
    let mailbox = server.mailbox(BOB, PASSWORD);
    assert_eq!(mailbox.len(), 2);
    assert!(mailbox[1].starts_with(b"Return-Path: <>\r\n"));
}

#[test]
fn users_send_as_themselves_and_only_after_a_login() {
    let server = Setup::mail().start();
    let mut client = server.submission_starttls();
    client.ehlo();
    client.expect(&format!("MAIL FROM:<{USER}>"), "530 5.7.0");
    client.expect(&format!("AUTH PLAIN {}", crate::mail::plain(USER, PASSWORD)), "235 2.7.0");
    client.expect("MAIL FROM:<stranger@remote.test>", "550 5.7.1");
    client.expect(&format!("MAIL FROM:<{USER}>"), "250");
    client.expect("RCPT TO:<somebody@elsewhere.test>", "550 5.7.1");
    client.expect("RCPT TO:<nobody@example.test>", "550 5.1.1");
    client.expect(&format!("RCPT TO:<{USER}>"), "250");
}
