//! Application protocols (RFC 7301).

use super::*;
use rustls::{version::TLS13, AlertDescription};

const NAME: &str = "mail.example.org";

async fn offer(ours: &[&str], theirs: &[&str]) -> (io::Result<Client>, Result<TlsConnection, TlsError>) {
    let authority = Authority::new();
    let certs = FakeCerts::with(NAME, vec![authority.ecdsa(NAME)]);
    let alpn = ours.iter().map(|&name| name.to_owned()).collect();
    let acceptor = certs.provider().acceptor(ServerPolicy { alpn, ..policy() }).unwrap();
    let mut config = authority.client_config(&[&TLS13]);
    config.alpn_protocols = theirs.iter().map(|name| name.as_bytes().to_vec()).collect();
    shake(&acceptor, Arc::new(config), NAME).await
}

#[tokio::test]
async fn the_best_of_ours_is_chosen() {
    let (client, server) = offer(&["pop3", "imap"], &["imap", "pop3"]).await;
    assert_eq!(server.unwrap().facts.alpn.as_deref(), Some("pop3"));
    assert_eq!(client.unwrap().get_ref().1.alpn_protocol(), Some(&b"pop3"[..]));
}

#[tokio::test]
async fn an_offer_without_a_match_ends_with_alert_120() {
    let (client, server) = offer(&["pop3"], &["http/1.1", "h2"]).await;
    assert_eq!(server.unwrap_err().code, TlsErrorCode::NoApplicationProtocol);
    assert_eq!(alert(&client.unwrap_err()), Some(AlertDescription::NoApplicationProtocol));
}

#[tokio::test]
async fn no_offer_goes_on() {
    let (client, server) = offer(&["pop3"], &[]).await;
    assert!(client.is_ok());
    assert_eq!(server.unwrap().facts.alpn, None);
}

#[tokio::test]
async fn an_offer_to_a_listener_without_protocols_is_ignored() {
    let (client, server) = offer(&[], &["whatever"]).await;
    assert!(client.is_ok());
    assert_eq!(server.unwrap().facts.alpn, None);
}
