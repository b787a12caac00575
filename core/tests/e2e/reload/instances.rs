//! Instances that are kept, replaced, added and removed.

use super::{echo, echo_text, greeting, listener};
use crate::{
    harness::{plugin_dir, Setup, PASSWORD, USER},
    mail::hard_message,
};

#[test]
fn unchanged_instances_are_kept_with_the_state_of_their_sessions() {
    let server = Setup::mail().start();
    server.leave(&hard_message("kept"));
    let mut pop = server.pop(USER, PASSWORD);
    pop.expect("DELE 1", "+OK");
    let mut smtp = server.connect("smtp");
    smtp.line();
    smtp.ehlo();
    smtp.expect("MAIL FROM:<>", "250 ");
    server.replace("\"delivery\": (),", "\"delivery\": (config: (max_accounts: 7)),");
    let changes = server.reload();
    assert_eq!(changes["delivery"], "changed: section");
    assert!(changes.iter().all(|(name, change)| name == "delivery" || change == "kept"), "{changes:?}");
    assert_eq!((server.generation("delivery"), server.generation("mx"), server.generation("pop3")), (2, 1, 1));
    server.wait_for_log("the replaced instance has ended plugin=delivery generation=1");
    // What POP3 has marked is still marked, and the SMTP session meets the new delivery in the middle of its transaction.
    assert!(pop.ask("STAT").starts_with("+OK 0 "));
    smtp.expect(&format!("RCPT TO:<{USER}>"), "250 ");
    smtp.expect("DATA", "354 ");
    smtp.send(b"Subject: x\r\n\r\nx\r\n.\r\n");
    assert!(smtp.line().starts_with("250 "));
    pop.expect("QUIT", "+OK");
    assert_eq!(server.mailbox(USER, PASSWORD).len(), 1);
}

#[test]
fn a_changed_protocol_serves_new_sessions_and_old_ones_go_on_with_the_old() {
    let server = echo(&greeting("e", "old"), &listener("l", "e")).start();
    let mut before = server.connect("l");
    assert_eq!(before.line(), "old");
    server.replace("\"old\"", "\"new\"");
    let changes = server.reload();
    assert_eq!(changes["e"], "changed: section");
    assert_eq!(changes["/l"], "changed: instance `e`");
    assert_eq!(server.connect("l").line(), "new");
    assert_eq!(before.ask("still here"), "still here");
    assert!(!server.log().contains("the replaced instance has ended"), "it has a session");
    before.send("QUIT\r\n");
    before.rest();
    server.wait_for_log("the replaced instance has ended plugin=e generation=1");
    assert_eq!(server.generation("e"), 2);
}

#[test]
fn sessions_of_a_replaced_protocol_are_asked_to_end_between_two_transactions() {
    let server =
        Setup::mail_with(&crate::harness::MAIL_CONFIG.replace("plugins: {", "retire_seconds: 0, plugins: {")).start();
    let mut idle = server.connect("smtp");
    idle.line();
    idle.ehlo();
    let mut busy = server.connect("smtp");
    busy.line();
    busy.ehlo();
    busy.expect("MAIL FROM:<>", "250 ");
    server.replace("role: Mx", "role: Mx, max_recipients: 500");
    assert_eq!(server.reload()["mx"], "changed: section");
    assert!(idle.line().starts_with("421 "));
    busy.expect(&format!("RCPT TO:<{USER}>"), "250 ");
    busy.expect("DATA", "354 ");
    busy.send(b"Subject: x\r\n\r\nx\r\n.\r\n");
    assert!(busy.line().starts_with("250 "));
    assert!(busy.line().starts_with("421 "));
    server.wait_for_log("the replaced instance has ended plugin=mx generation=1");
}

#[test]
fn another_tls_provider_disturbs_no_encrypted_connection() {
    let server = Setup::mail().start();
    let mut encrypted = server.pop(USER, PASSWORD);
    let mut plain = server.connect("smtp");
    plain.line();
    plain.ehlo();
    let library = server.setup.dir.path().join("libtls_here.so");
    std::fs::copy(plugin_dir().join("libdovetail_tls_rustls.so"), &library).unwrap();
    server.replace("\"tls-rustls\": (),", &format!("\"tls-rustls\": (path: {library:?}),"));
    let changes = server.reload();
    assert_eq!((changes["tls-rustls"].as_str(), changes["mx"].as_str()), ("changed: library", "kept"));
    assert_eq!(changes["/pop3s"], "changed: instance `tls-rustls`");
    assert!(encrypted.ask("STAT").starts_with("+OK"));
    // A session from before meets the provider that its listener had.
    plain.expect("STARTTLS", "220 ");
    let mut plain = plain.start_tls(&server.setup, crate::tls::HOST);
    plain.ehlo();
    server.pop(USER, PASSWORD).expect("QUIT", "+OK");
    let retiring = &server.status()["retiring"];
    assert_eq!((&retiring[0]["instance"], &retiring[0]["generation"]), (&"tls-rustls".into(), &1.into()));
    plain.expect("QUIT", "221 ");
    encrypted.expect("QUIT", "+OK");
    plain.rest();
    encrypted.rest();
    server.wait_for_log("the replaced instance has ended plugin=tls-rustls generation=1");
    assert_eq!(server.status()["retiring"].as_array().unwrap().len(), 0);
}

#[test]
fn another_library_of_a_protocol_is_taken_up_without_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let library = dir.path().join("libecho_here.so");
    let ours = plugin_dir().join("libdovetail_test_echo.so");
    std::fs::copy(&ours, &library).unwrap();
    let path = format!("\"echo\": (path: \"{}\"),", library.display());
    let server = echo(&path, &listener("l", "echo")).start();
    let mut before = server.connect("l");
    before.line();
    assert_eq!(server.reload()["echo"], "kept");
    // As an installer does it: a new file takes the name.
    let staged = dir.path().join("new");
    std::fs::copy(&ours, &staged).unwrap();
    std::fs::rename(&staged, &library).unwrap();
    assert_eq!(server.reload()["echo"], "changed: library");
    assert_eq!(server.generation("echo"), 2);
    assert_eq!(server.connect("l").line(), "hello");
    assert_eq!(before.ask("code of the old one"), "code of the old one");
}

#[test]
fn instances_that_need_each_other_come_and_go_together() {
    let server = Setup::mail().start();
    let mut before = server.connect("pop3");
    before.line();
    let second = r#""accounts-2": (plugin: "accounts-file", config: (domains: ["second.test"], file: "second.ron")),
        "mx-2": (plugin: "smtp", config: (role: Mx), services: {"dovetail.directory/1": "accounts-2"}),
        "delivery": (services: {"dovetail.directory/1": "accounts-file"}),
        "mx": (plugin: "smtp", config: (role: Mx), services: {"dovetail.directory/1": "accounts-file"}),
        "submission": (plugin: "smtp", config: (role: Submission), services: {"dovetail.directory/1": "accounts-file"}),
        "pop3": (services: {"dovetail.directory/1": "accounts-file"}),
        "imap": (services: {"dovetail.directory/1": "accounts-file"}),"#;
    let text = std::fs::read_to_string(&server.setup.config).unwrap();
    let from = text.find("\"delivery\"").unwrap();
    let to = text.find("    },\n    listeners").unwrap();
    let listeners = "listeners: {\n        \"smtp-2\": (protocol: \"mx-2\", bind: [\"127.0.0.1:0\"]),";
    server.rewrite(&format!("{}{second}\n{}", &text[..from], &text[to..]).replace("listeners: {", listeners));
    let changes = server.reload();
    assert_eq!((changes["accounts-2"].as_str(), changes["mx-2"].as_str()), ("added", "added"));
    // What only says in words what was so before is the same.
    assert_eq!((changes["pop3"].as_str(), changes["delivery"].as_str()), ("kept", "kept"));
    assert!(server.connect_now("smtp-2").line().starts_with("220 "));

    let session = server.connect_now("smtp-2");
    server.rewrite(&text);
    let changes = server.reload();
    assert_eq!((changes["accounts-2"].as_str(), changes["mx-2"].as_str()), ("removed", "removed"));
    assert_eq!(server.address_now("smtp-2"), None);
    drop(session);
    // The provider goes after its user.
    server.wait_for_log("the replaced instance has ended plugin=mx-2");
    server.wait_for_log("the replaced instance has ended plugin=accounts-2");
    let log = server.log();
    assert!(log.find("has ended plugin=mx-2") < log.find("has ended plugin=accounts-2"), "{log}");
    before.expect("CAPA", "+OK");
}

#[test]
fn a_stop_ends_what_was_replaced_too() {
    let server = echo_text("drain_seconds: 0,", &greeting("e", "old"), &listener("l", "e"));
    let server = Setup::new(&server).start();
    let mut before = server.connect("l");
    before.line();
    server.replace("\"old\"", "\"new\"");
    server.reload();
    let mut after = server.connect("l");
    after.line();
    server.stop();
    assert_eq!((before.rest().len(), after.rest().len()), (0, 0));
}
