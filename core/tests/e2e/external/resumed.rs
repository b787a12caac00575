//! Clients that come back with a ticket show no certificate again: it is known all the same, and judged anew.

use super::*;
use rustls::HandshakeKind;

#[test]
fn a_resumed_connection_still_knows_the_certificate() {
    if !have("openssl") {
        return;
    }
    for provider in providers() {
        let (setup, users) = setup(&config(provider, OPTIONAL, "", PATIENT));
        let laptop = users.issue("laptop");
        add_certificate(&setup, USER, &laptop);
        let server = setup.start();
        for version in VERSIONS {
            for listener in LISTENERS {
                let person = person(&server.setup, Some(&laptop), version);
                for kind in [HandshakeKind::Full, HandshakeKind::Resumed, HandshakeKind::Resumed] {
                    let (mut client, offered) = inside(&server, listener, &person);
                    let what = format!("{provider} {listener} {:?} {kind:?}", version.version);
                    assert_eq!(client.stream.get_ref().conn.handshake_kind(), Some(kind), "{what}");
                    assert!(has_external(&offered), "{what}: {offered:?}");
                    let said = log_in(&mut client, listener, "", Way::Initial);
                    assert!(said.starts_with(answers(listener)[0]), "{what}: {said}");
                }
            }
            // Whoever came without one comes back without one.
            let nobody = person(&server.setup, None, version);
            for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
                let (client, offered) = inside(&server, "imaps", &nobody);
                assert_eq!(client.stream.get_ref().conn.handshake_kind(), Some(kind), "{provider}");
                assert!(!has_external(&offered), "{provider}: {offered:?}");
            }
        }
    }
}

#[test]
fn a_ticket_keeps_nobody_in_the_directory() {
    if !have("openssl") {
        return;
    }
    let (setup, users) = setup(&config("tls-rustls", OPTIONAL, "", PATIENT));
    let laptop = users.issue("laptop");
    add_certificate(&setup, USER, &laptop);
    let server = setup.start();
    let person = person(&server.setup, Some(&laptop), VERSIONS[1]);
    let log_in_again = |expected: HandshakeKind| {
        let (mut client, _) = inside(&server, "imaps", &person);
        assert_eq!(client.stream.get_ref().conn.handshake_kind(), Some(expected));
        log_in(&mut client, "imaps", "", Way::Initial)
    };
    assert!(log_in_again(HandshakeKind::Full).starts_with("a OK"));
    run_ok(server.dovetail().args(["accounts", "remove-certificate", USER, "--cert"]).arg(&laptop.crt));
    assert!(log_in_again(HandshakeKind::Resumed).starts_with("a NO"));
    add_certificate(&server.setup, USER, &laptop);
    assert!(log_in_again(HandshakeKind::Resumed).starts_with("a OK"));
}
