//! Tickets.

use super::*;
use dovetail_sdk::tls::{ClientAuth, ClientCertificates};
use rustls::version::{TLS12, TLS13};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const NAME: &str = "mail.example.org";

/// Connects, lets the client read its ticket, and tells whether both sides say "resumed".
async fn visit(acceptor: &TlsAcceptor, config: &Arc<ClientConfig>) -> bool {
    let (mut client, mut server) = connected(acceptor, config.clone(), NAME).await;
    server.stream.write_all(b"+").await.unwrap();
    server.stream.flush().await.unwrap();
    client.read_u8().await.unwrap();
    let theirs = client.get_ref().1.handshake_kind() == Some(rustls::HandshakeKind::Resumed);
    assert_eq!(theirs, server.facts.resumed);
    server.facts.resumed
}

#[tokio::test]
async fn every_visit_after_the_first_is_resumed_on_any_listener() {
    let authority = Authority::new();
    let provider = FakeCerts::with(NAME, vec![authority.ecdsa(NAME)]).provider();
    for version in [&TLS12, &TLS13] {
        let config = Arc::new(authority.client_config(&[version]));
        assert!(!visit(&provider.acceptor(policy()).unwrap(), &config).await);
        for _ in 0..5 {
            let other = ServerPolicy { listener: "other".into(), alpn: vec!["imap".into()], ..policy() };
            assert!(visit(&provider.acceptor(other).unwrap(), &config).await, "{version:?}");
        }
    }
}

#[tokio::test]
async fn without_tickets_nothing_is_resumed() {
    let authority = Authority::new();
    let certs = FakeCerts::with(NAME, vec![authority.ecdsa(NAME)]);
    let provider = certs.provider();
    for version in [&TLS12, &TLS13] {
        let config = Arc::new(authority.client_config(&[version]));
        for _ in 0..2 {
            assert!(
                !visit(&provider.acceptor(ServerPolicy { tickets: false, ..policy() }).unwrap(), &config).await,
                "{version:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_ticket_is_good_with_another_generation_of_the_provider_that_has_the_same_ring() {
    let authority = Authority::new();
    let certs = FakeCerts::with(NAME, vec![authority.ecdsa(NAME)]);
    let tickets = TestTickets::new();
    for version in [&TLS12, &TLS13] {
        let config = Arc::new(authority.client_config(&[version]));
        for resumed in [false, true] {
            let provider = certs.provider_with(&tickets);
            assert_eq!(visit(&provider.acceptor(policy()).unwrap(), &config).await, resumed, "{version:?}");
        }
        assert!(!visit(&certs.acceptor(), &config).await, "another ring");
    }
}

#[tokio::test]
async fn a_ticket_is_good_for_no_other_identity_set_and_no_other_policy_for_clients() {
    let authority = Authority::new();
    let users = |name| vec![Authority::named(name).der];
    let certs = FakeCerts::with(NAME, vec![authority.ecdsa(NAME)]);
    let provider = certs.provider();
    let clients = |mode, anchors| ClientCertificates { mode, anchors, crls: Vec::new() };
    let with = |clients: &ClientCertificates| {
        provider.acceptor(ServerPolicy { clients: clients.clone(), ..policy() }).unwrap()
    };
    let (one, two) = (clients(ClientAuth::Optional, users("one")), clients(ClientAuth::Optional, users("two")));
    let off = clients(ClientAuth::Off, Vec::new());
    for version in [&TLS12, &TLS13] {
        for (first, second) in [(&off, &one), (&one, &off), (&one, &two)] {
            let config = Arc::new(authority.client_config(&[version]));
            assert!(!visit(&with(first), &config).await);
            assert!(visit(&with(first), &config).await);
            assert!(!visit(&with(second), &config).await, "{version:?} {first:?} {second:?}");
        }
        let required = clients(ClientAuth::Required, one.anchors.clone());
        let config = Arc::new(authority.client_config(&[version]));
        assert!(!visit(&with(&one), &config).await);
        let (_, server) = shake(&with(&required), config, NAME).await;
        assert_eq!(server.unwrap_err().code, TlsErrorCode::NoPeerCertificate, "{version:?}");

        let config = Arc::new(authority.client_config(&[version]));
        assert!(!visit(&with(&off), &config).await);
        certs.set(NAME, vec![authority.ecdsa(NAME)]);
        assert!(!visit(&with(&off), &config).await, "{version:?}");
    }
}

#[tokio::test]
async fn a_ticket_is_good_until_its_key_has_left_the_ring() {
    let authority = Authority::new();
    let tickets = TestTickets::new();
    let acceptor = FakeCerts::with(NAME, vec![authority.ecdsa(NAME)]).provider_with(&tickets).acceptor(policy());
    let acceptor = acceptor.unwrap();
    for version in [&TLS12, &TLS13] {
        let config = Arc::new(authority.client_config(&[version]));
        assert!(!visit(&acceptor, &config).await);
        for _ in 0..3 {
            // Each visit brings a ticket of the newest key.
            tickets.rotate();
            assert!(visit(&acceptor, &config).await, "{version:?}");
        }
        tickets.rotate();
        tickets.rotate();
        assert!(!visit(&acceptor, &config).await, "{version:?}");
    }
    let derived = tickets.derived();
    assert!(!visit(&acceptor, &Arc::new(authority.client_config(&[&TLS13]))).await);
    assert_eq!(tickets.derived(), derived, "the same epoch has the same keys");
}
