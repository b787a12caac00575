//! Several domains, alias domains, catch-all and postmaster: where mail goes, through SMTP into mailboxes.

use crate::harness::{run, run_ok, Server, Setup, MAIL_CONFIG, PASSWORD, USER};

const BOB: &str = "bob@second.test";

/// A server for example.test and second.test, with an account in each.
fn server() -> Server {
    let config = MAIL_CONFIG.replace(r#"domains: ["example.test"]"#, r#"domains: ["example.test", "second.test"]"#);
    let setup = Setup::mail_with(&config);
    setup.add_account(BOB, PASSWORD);
    setup.start()
}

fn accounts(server: &Server, words: &[&str]) {
    run_ok(server.dovetail().arg("accounts").args(words));
}

/// Sends a message from outside; what RCPT says if it is refused.
#[track_caller]
fn send(server: &Server, to: &str) -> Result<(), String> {
    let mut client = server.connect("smtp");
    client.line();
    client.ehlo();
    client.expect("MAIL FROM:<carl@elsewhere.test>", "250 ");
    let answer = client.ask(&format!("RCPT TO:<{to}>"));
    if !answer.starts_with("250 ") {
        return Err(answer);
    }
    client.expect("DATA", "354 ");
    client.send(format!("Subject: to {to}\r\n\r\nx\r\n.\r\n"));
    let answer = client.line();
    assert!(answer.starts_with("250 2.0.0"), "{answer}");
    Ok(())
}

/// The subjects in a mailbox.
fn subjects(server: &Server, user: &str) -> Vec<String> {
    let mails = server.mailbox(user, PASSWORD);
    mails
        .iter()
        .map(|mail| {
            String::from_utf8_lossy(mail).split_once("Subject: to ").unwrap().1.lines().next().unwrap().to_owned()
        })
        .collect()
}

#[test]
fn postmaster_is_accepted_in_every_domain_and_without_one() {
    let server = server();
    accounts(&server, &["alias-domain", "alias.test", "--to", "second.test"]);
    let addresses = [
        "postmaster",
        "Postmaster@example.test",
        "POSTMASTER@second.test",
        "postmaster@alias.test",
        "postmaster@Example.Test",
    ];
    for address in addresses {
        send(&server, address).unwrap();
    }
    assert_eq!(subjects(&server, USER), addresses, "the first account is postmaster");
    assert_eq!(send(&server, "postmaster@elsewhere.test").unwrap_err().get(..3), Some("550"));

    // An address of its own goes before, in its domain.
    accounts(&server, &["alias", "postmaster@second.test", "--to", BOB]);
    send(&server, "postmaster@second.test").unwrap();
    send(&server, "postmaster@alias.test").unwrap();
    assert_eq!(subjects(&server, BOB).len(), 2);
}

#[test]
fn all_addresses_of_an_alias_domain_are_those_of_its_target() {
    let server = server();
    assert!(send(&server, "bob@alias.test").unwrap_err().starts_with("550 "));
    accounts(&server, &["alias-domain", "alias.test", "--to", "second.test"]);
    send(&server, "bob@alias.test").unwrap();
    send(&server, "Bob+shop@Alias.Test").unwrap();
    assert!(send(&server, "ann@alias.test").unwrap_err().starts_with("550 5.1.1"));
    assert_eq!(subjects(&server, BOB), ["bob@alias.test", "Bob+shop@Alias.Test"]);
    // Its owner may send with it, too.
    let mut submission = server.submit(BOB, PASSWORD);
    submission.expect("MAIL FROM:<bob@alias.test>", "250 ");

    accounts(&server, &["unalias-domain", "alias.test"]);
    assert!(send(&server, "bob@alias.test").unwrap_err().starts_with("550 "));
}

#[test]
fn the_catch_all_takes_what_nobody_else_does() {
    let server = server();
    accounts(&server, &["alias", "*@second.test", "--to", USER]);
    accounts(&server, &["alias", "sales@second.test", "--to", BOB, "--to", USER]);
    for address in ["whoever@second.test", "bob@second.test", "sales@second.test"] {
        send(&server, address).unwrap();
    }
    assert!(send(&server, "whoever@example.test").unwrap_err().starts_with("550 5.1.1"));
    assert_eq!(subjects(&server, USER), ["whoever@second.test", "sales@second.test"]);
    assert_eq!(subjects(&server, BOB), ["bob@second.test", "sales@second.test"]);
    accounts(&server, &["unalias", "*@second.test"]);
    assert!(send(&server, "whoever@second.test").unwrap_err().starts_with("550 5.1.1"));
}

#[test]
fn what_does_not_fit_together_changes_nothing() {
    let server = server();
    for (words, says) in [
        (&["alias", "a@example.test", "--to", "x@elsewhere.test"][..], "does not forward"),
        (&["alias", BOB, "--to", USER], "stands for two things"),
        (&["alias-domain", "second.test", "--to", "example.test"], "second.test"),
        (&["unalias", "a@example.test"], "there is no alias"),
    ] {
        let (status, _, stderr) = run(server.dovetail().arg("accounts").args(words));
        assert!(!status.success() && stderr.contains(says) && stderr.lines().count() == 1, "{words:?}: {stderr}");
    }
    send(&server, BOB).unwrap();
    assert_eq!(subjects(&server, BOB), [BOB]);
}
