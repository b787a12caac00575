//! Instances that others use, in quarantine: protocols say "try later", and go on when it is over.

use super::{panic_in_operations, plugin, wait_until, BY_HAND};
use crate::{
    harness::{run_ok, Setup, MAIL_CONFIG, PASSWORD, USER},
    mail::hard_message,
    metrics::page,
};

/// A mail server whose directory panics on demand.
fn setup() -> Setup {
    let config = MAIL_CONFIG
        .replace("\"accounts-file\": (config: (domains: [\"example.test\"])),", "\"people\": (plugin: \"panics\"),");
    Setup::new(&config.replacen('(', &format!("(faults: ({BY_HAND}),"), 1))
}

#[test]
fn a_directory_in_quarantine_has_protocols_say_try_later_until_it_is_back() {
    let server = setup().start();
    server.leave(&hard_message("before"));
    let mut pop = server.pop(USER, PASSWORD);
    let mut smtp = server.connect("smtp");
    smtp.line();
    smtp.ehlo();
    panic_in_operations(&server, "panics", "people", 3);
    wait_until(&server, "people", |people| people["quarantine"]["next_attempt_seconds"] != 0);

    smtp.expect("MAIL FROM:<>", "250 ");
    smtp.expect(&format!("RCPT TO:<{USER}>"), "451 ");
    let mut new = server.connect_tls("pop3s");
    new.line();
    new.expect(&format!("USER {USER}"), "+OK");
    new.expect(&format!("PASS {PASSWORD}"), "-ERR [SYS/TEMP]");
    let mut imap = server.connect_tls("imaps");
    imap.line();
    imap.expect(&format!("a LOGIN {USER} \"{PASSWORD}\""), "a NO [UNAVAILABLE]");
    // Who is in stays in.
    assert!(pop.ask("STAT").starts_with("+OK 1 "));
    assert!(server.connect("smtp").line().starts_with("220 "));

    run_ok(server.dovetail().args(["plugin", "restart", "people"]));
    smtp.expect(&format!("RCPT TO:<{USER}>"), "250 ");
    imap.expect(&format!("b LOGIN {USER} \"{PASSWORD}\""), "b OK");
    pop.expect("QUIT", "+OK");
    assert_eq!(server.mailbox(USER, PASSWORD).len(), 1);
    assert_eq!(plugin(&server, "people")["generation"], 2);
    server.wait_for_log("the replaced instance has ended plugin=people generation=1");
}

#[test]
fn a_store_and_a_tls_provider_are_started_anew_by_hand_under_load() {
    let server = Setup::mail().start();
    server.leave(&hard_message("kept"));
    let mut tls = server.connect_tls("submissions");
    tls.line();
    let mut pop = server.connect_tls("pop3s");
    pop.line();
    for instance in ["store-sqlite", "tls-rustls", "cert-store", "delivery"] {
        let said = run_ok(server.dovetail().args(["plugin", "restart", instance]));
        assert_eq!(said, format!("`{instance}` was started anew as generation 2\n"));
        assert_eq!(plugin(&server, instance)["state"], "running", "{instance}");
    }
    // Sessions of before, under the TLS of before, meet the store that is there now.
    tls.ehlo();
    pop.pop_login(USER, PASSWORD);
    assert!(pop.ask("STAT").starts_with("+OK 1 "));
    pop.expect("QUIT", "+OK");
    assert_eq!(server.mailbox(USER, PASSWORD).len(), 1);
    tls.expect("QUIT", "221");
    drop(tls);
    server.wait_for_log("the replaced instance has ended plugin=tls-rustls generation=1");
}

#[test]
fn a_tls_provider_in_quarantine_does_no_handshake_and_plain_sessions_go_on() {
    let server = Setup::new(&format!(
        r#"(
    hostname: "mail.example.test",
    data_dir: "data",
    metrics: (bind: ["127.0.0.1:0"]),
    faults: ({BY_HAND}),
    plugins: {{
        "tls-bomb": (),
        "cert-store": (config: (create_missing: true)),
        "echo": (),
        "plain": (plugin: "panics"),
    }},
    listeners: {{
        "tls": (protocol: "echo", bind: ["127.0.0.1:0"], tls: Implicit),
        "starttls": (protocol: "plain", bind: ["127.0.0.1:0"], tls: Explicit),
    }},
)"#
    ))
    .start();
    let mut plain = server.connect("starttls");
    assert_eq!(plain.line(), "ready");
    for _ in 0..3 {
        assert!(server.connect("tls").rest().is_empty());
    }
    wait_until(&server, "tls-bomb", |bomb| bomb["state"] == "quarantined" && bomb["panics"] == 3);
    // Closed without a word, and without a handshake.
    assert!(server.connect("tls").rest().is_empty());
    let refused = "dovetail_core_connections_refused_total{listener=\"tls\",reason=\"quarantined\"}";
    assert_eq!(page(&server)[refused], 1.0);
    // The way to TLS is shut, the session goes on without.
    assert!(plain.ask("POLL").contains("the TLS provider is quarantined"));
    assert_eq!(plain.ask("ECHO on"), "on");
    assert_eq!(server.connect("starttls").line(), "ready");
    assert_eq!(plugin(&server, "tls-bomb")["panics"], 3);
    run_ok(server.dovetail().args(["plugin", "restart", "tls-bomb"]));
    // It is asked again.
    assert!(server.connect("tls").rest().is_empty());
    wait_until(&server, "tls-bomb", |bomb| bomb["state"] == "running" && bomb["panics"] == 4);
}
