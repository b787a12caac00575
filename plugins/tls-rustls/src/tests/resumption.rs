//! Tickets.

use super::*;
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
    let provider = RustlsProvider::new(Service::fixed(Certs::new(certs)), false);
    for version in [&TLS12, &TLS13] {
        let config = Arc::new(authority.client_config(&[version]));
        for _ in 0..2 {
            assert!(!visit(&provider.acceptor(policy()).unwrap(), &config).await, "{version:?}");
        }
    }
}
