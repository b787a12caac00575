//! Each verdict at each stage, what the client hears, and where the message is then.

use super::{counts, greeted, messages, rules, setup, LETTER};
use crate::{
    harness::{run_ok, Server, PASSWORD, USER},
    mail::plain,
};

/// A policy for each verdict about the connection, and one that finds its verdict in what the client says.
fn server() -> Server {
    let said = ["Helo", "Auth", "Mail", "Recipient"].map(|stage| {
        ["Reject", "Defer", "Discard", "Junk"]
            .map(|says| format!("(stage: {stage}, text: \"{}\", says: {says}),", says.to_lowercase()))
            .concat()
    });
    let about_text = ["Reject", "Defer", "Discard", "Junk"]
        .map(|says| format!("(stage: EndOfMessage, text: \"please {}\", says: {says}),", says.to_lowercase()));
    let mut instances = rules("words", &(said.concat() + &about_text.concat())) + "\"spool\": (),";
    let mut listeners = String::new();
    for says in ["Reject", "Defer", "Discard", "Junk"] {
        instances += &rules(&format!("on-{says}"), &format!("(stage: Connect, says: {says})"));
        instances += &format!(
            "\"mx-{says}\": (plugin: \"smtp\", config: (policies: [(instance: \"on-{says}\", stages: [Connect])])),"
        );
        listeners += &format!("\"{says}\": (protocol: \"mx-{says}\", bind: [\"127.0.0.1:0\"]),");
    }
    let setup = setup("(instance: \"words\")", &instances);
    let config = std::fs::read_to_string(&setup.config).unwrap();
    std::fs::write(&setup.config, config.replace("listeners: {", &format!("listeners: {{ {listeners}"))).unwrap();
    for account in ["reject", "defer", "discard", "junk"] {
        setup.add_account(&format!("{account}@example.test"), PASSWORD);
    }
    setup.start()
}

#[test]
fn at_the_connection() {
    let server = server();
    let mut client = server.connect("Reject");
    client.expect("EHLO client.test", "554 5.7.1 ");
    assert!(client.line().starts_with("503 5.5.1 "));
    client.expect("MAIL FROM:<>", "503 5.5.1 ");
    client.expect("QUIT", "221 ");
    assert!(client.rest().is_empty());
    let mut client = server.connect("Defer");
    assert!(client.line().starts_with("421 4.7.1 ") && client.rest().is_empty());
    for (listener, want) in [("Discard", (0, 0)), ("Junk", (0, 1))] {
        let mut client = server.connect(listener);
        assert!(client.line().starts_with("220 "));
        client.ehlo();
        assert!(client.mail("x@remote.test", &[USER], LETTER).starts_with("250 2.0.0 Delivered as "));
        assert_eq!(counts(&server), want, "{listener}");
    }
    // The server looks like no relay to whom it deceives.
    let mut client = server.connect("Discard");
    client.line();
    client.ehlo();
    client.expect("MAIL FROM:<x@remote.test>", "250 ");
    client.expect("RCPT TO:<ann@elsewhere.test>", "550 5.7.1 ");
}

#[test]
fn at_helo_mail_recipient_and_the_end() {
    let server = server();
    let mut client = greeted(&server);
    client.expect("HELO reject.test", "550 5.7.1 ");
    client.expect("HELO defer.test", "451 4.7.1 ");
    // The client is who it was before.
    client.expect("MAIL FROM:<reject@remote.test>", "550 5.7.1 ");
    client.expect("MAIL FROM:<defer@remote.test>", "451 4.7.1 ");
    client.expect("MAIL FROM:<x@remote.test>", "250 ");
    client.expect("RCPT TO:<reject.me@example.test>", "550 5.7.1 ");
    client.expect("RCPT TO:<defer.me@example.test>", "451 4.7.1 ");
    client.expect("RSET", "250 ");
    let ask = |word: &str| format!("Subject: x\r\n\r\nplease {word}\r\n").into_bytes();
    assert!(client.mail("x@remote.test", &[USER], &ask("reject")).starts_with("550 5.7.1 "));
    assert!(client.mail("x@remote.test", &[USER], &ask("defer")).starts_with("451 4.7.1 "));
    assert_eq!(counts(&server), (0, 0));
    server.wait_for_line("the line about a verdict", |line| {
        line.contains("policy=words stage=EndOfMessage decision=reject reason=\"a rule says so\"")
    });

    for (word, want) in [("discard", (0, 0)), ("junk", (0, 1))] {
        let mut client = greeted(&server);
        client.expect(&format!("HELO {word}.test"), "250 ");
        assert!(client.mail("x@remote.test", &[USER], LETTER).starts_with("250 2.0.0 Delivered as "));
        assert_eq!(counts(&server), want, "HELO {word}");
    }
    let mut client = greeted(&server);
    assert!(client.mail("discard@remote.test", &[USER], LETTER).starts_with("250 2.0.0 Delivered as "));
    assert!(client.mail("junk@remote.test", &[USER], LETTER).starts_with("250 2.0.0 Delivered as "));
    assert_eq!(counts(&server), (0, 2));
    // One recipient is thrown away, the others are not; alone, it is all that there is.
    assert!(client.mail("x@remote.test", &["discard.me@example.test", USER], LETTER).starts_with("250 2.0.0 "));
    assert_eq!(counts(&server), (1, 2));
    assert!(client.mail("x@remote.test", &["discard.me@example.test"], LETTER).starts_with("250 2.0.0 "));
    assert!(client.mail("x@remote.test", &["junk.me@example.test"], LETTER).starts_with("250 2.0.0 "));
    assert_eq!(counts(&server), (1, 3));
    assert!(client.mail("x@remote.test", &[USER], &ask("discard")).starts_with("250 2.0.0 "));
    assert!(client.mail("x@remote.test", &[USER], &ask("junk")).starts_with("250 2.0.0 "));
    assert_eq!(counts(&server), (1, 4));
    // The one line about each message says what became of it.
    server.wait_for_line("a discarded message", |line| {
        line.contains("message discarded by a policy") && line.contains("verdict=250")
    });
    server.wait_for_line("a message for junk", |line| {
        line.contains(" delivery: delivered ") && line.contains("mailbox=Junk")
    });
}

#[test]
fn at_a_login_and_for_users() {
    let server = server();
    for (account, answer) in [("reject", "535 5.7.1 "), ("defer", "454 4.7.1 ")] {
        let mut client = server.connect_tls("submissions");
        client.line();
        client.ehlo();
        client.expect(&format!("AUTH PLAIN {}", plain(&format!("{account}@example.test"), PASSWORD)), answer);
        client.expect("MAIL FROM:<>", "530 5.7.0 ");
    }
    for (account, want) in [("discard", (0, 0)), ("junk", (0, 1))] {
        let address = format!("{account}@example.test");
        // The null sender, so that only the login decides.
        assert!(server.submit(&address, PASSWORD).mail("", &[USER], LETTER).starts_with("250 2.0.0 Delivered as "));
        assert_eq!(counts(&server), want, "{account}");
    }
    let mut client = server.submit(USER, PASSWORD);
    assert!(client.mail(USER, &[USER], b"Subject: x\r\n\r\nplease reject\r\n").starts_with("550 5.7.1 "));
    assert!(client.mail(USER, &[USER], LETTER).starts_with("250 2.0.0 "));
    assert_eq!(counts(&server), (1, 1));
}

#[test]
fn the_chain_goes_in_its_order_and_speaks_its_words() {
    let instances = [
        rules("a", "(stage: Mail, text: \"both\", says: Reject, reply: (553, \"5.1.8\", \"A says no\"))"),
        rules(
            "b",
            "(stage: Mail, text: \"b\", says: Defer, reply: (450, \"4.1.8\", \"B says later\")), \
             (stage: Recipient, text: \"closing\", says: Defer, reply: (421, \"4.7.0\", \"Come back tomorrow\")), \
             (stage: Recipient, text: \"mistaken\", says: Reject, reply: (250, \"2.0.0\", \"a\\r\\nb\"))",
        ),
    ]
    .concat();
    let stages = "stages: [Mail, Recipient]";
    let first =
        |first: &str, second: &str| format!("(instance: \"{first}\", {stages}), (instance: \"{second}\", {stages})");
    for (order, both) in [(first("a", "b"), "553 5.1.8 A says no"), (first("b", "a"), "450 4.1.8 B says later")] {
        // No policy reads messages, so none waits in a spool, and there is none.
        let server = setup(&order, &instances).start();
        let mut client = greeted(&server);
        assert_eq!(client.ask("MAIL FROM:<both@remote.test>"), both);
        client.expect("MAIL FROM:<b@remote.test>", "450 4.1.8 B says later");
        client.expect("MAIL FROM:<>", "250 ");
        // A code or text that does not fit is replaced by ours.
        assert_eq!(client.ask("RCPT TO:<mistaken@example.test>"), "550 5.7.1 The recipient is refused");
        assert_eq!(client.ask("RCPT TO:<closing@example.test>"), "421 4.7.0 Come back tomorrow");
        assert!(client.rest().is_empty());
        let mut client = greeted(&server);
        assert!(client.mail("x@remote.test", &[USER], LETTER).starts_with("250 2.0.0 "));
        assert_eq!(messages(&server, "INBOX").len(), 1);
    }
}

#[test]
fn junk_goes_into_what_the_account_uses_for_it() {
    let server = server();
    run_ok(server.dovetail().arg("status"));
    let imap = |commands: &[&str]| {
        let mut imap = crate::imap::client::Imap::login(server.address("imap"), USER, PASSWORD);
        commands.iter().for_each(|command| drop(imap.command(command).ok()));
    };
    let send = || {
        let answer = greeted(&server).mail("junk@remote.test", &[USER], LETTER);
        assert!(answer.starts_with("250 2.0.0 "), "{answer}");
    };
    // By its use, whatever its name.
    imap(&["RENAME Junk Quarantine"]);
    send();
    assert_eq!(messages(&server, "Quarantine").len(), 1);
    // Where there is none, one is made, with its use.
    imap(&["DELETE Quarantine"]);
    send();
    send();
    assert_eq!(counts(&server), (0, 2));
    let mut client = crate::imap::client::Imap::login(server.address("imap"), USER, PASSWORD);
    let listed = client.command("LIST (SUBSCRIBED) \"\" Junk RETURN (SPECIAL-USE)").ok();
    assert!(listed.texts().iter().any(|text| text.contains("\\Junk")), "{listed:?}");
}
