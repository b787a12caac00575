//! Which certificate a client gets.

use super::*;
use crate::identity::IdentitySet;
use rustls::{
    version::{TLS12, TLS13},
    AlertDescription,
};

fn leaf(client: &Client) -> Vec<u8> {
    client.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

#[tokio::test]
async fn each_name_gets_its_own_and_keys_are_loaded_once() {
    let authority = Authority::new();
    let (one, two) = (authority.ecdsa("one.example"), authority.ecdsa("two.example"));
    let certs = FakeCerts::with("one.example", vec![one.clone()]);
    certs.set("two.example", vec![two.clone()]);
    let provider = certs.provider();
    let config = Arc::new(authority.client_config(&[&TLS13]));
    for _ in 0..3 {
        // A new acceptor each time: the keys are the provider's.
        let acceptor = provider.acceptor(policy()).unwrap();
        let (client, _) = connected(&acceptor, config.clone(), "one.example").await;
        assert_eq!(leaf(&client), one.chain[0]);
        let (client, _) = connected(&acceptor, config.clone(), "TWO.example").await;
        assert_eq!(leaf(&client), two.chain[0]);
    }
    assert_eq!(certs.loads(), 2);
}

#[tokio::test]
async fn a_new_certificate_is_served_on_the_next_handshake() {
    let authority = Authority::new();
    let certs = FakeCerts::with("one.example", vec![authority.ecdsa("one.example")]);
    let acceptor = certs.acceptor();
    let config = Arc::new(authority.client_config(&[&TLS13]));
    connected(&acceptor, config.clone(), "one.example").await;
    let renewed = authority.ecdsa("one.example");
    certs.set("one.example", vec![renewed.clone()]);
    // Even to a client that holds a ticket.
    let (client, server) = connected(&acceptor, config, "one.example").await;
    assert_eq!(leaf(&client), renewed.chain[0]);
    assert!(!server.facts.resumed);
}

#[tokio::test]
async fn an_unknown_name_gets_alert_112() {
    let authority = Authority::new();
    let acceptor = FakeCerts::with("one.example", vec![authority.ecdsa("one.example")]).acceptor();
    let config = Arc::new(authority.client_config(&[&TLS13]));
    let (client, server) = shake(&acceptor, config.clone(), "other.example").await;
    let error = server.unwrap_err();
    assert_eq!(error.code, TlsErrorCode::UnknownServerName);
    assert!(error.message.contains("other.example"), "{error}");
    assert_eq!(alert(&client.unwrap_err()), Some(AlertDescription::UnrecognisedName));

    let (client, server) = shake(&acceptor, config, "127.0.0.1").await;
    assert_eq!(server.unwrap_err().code, TlsErrorCode::UnknownServerName);
    assert_eq!(alert(&client.unwrap_err()), Some(AlertDescription::HandshakeFailure));
}

#[tokio::test]
async fn no_name_gets_the_listeners_certificate_or_the_default() {
    let authority = Authority::new();
    let certs = FakeCerts::with("127.0.0.1", vec![authority.ecdsa("127.0.0.1")]);
    let config = Arc::new(authority.client_config(&[&TLS13]));
    let named = ServerPolicy { certificate: Some("127.0.0.1".into()), ..policy() };
    let (_, server) = connected(&certs.provider().acceptor(named).unwrap(), config.clone(), "127.0.0.1").await;
    assert_eq!(server.facts.server_name, None);
    certs.set_default("127.0.0.1");
    connected(&certs.acceptor(), config, "127.0.0.1").await;
}

#[tokio::test]
async fn a_reload_between_two_answers_of_the_store_does_not_show() {
    let authority = Authority::new();
    let certs = FakeCerts::with("one.example", vec![authority.ecdsa("one.example")]);
    certs.forget_next();
    connected(&certs.acceptor(), Arc::new(authority.client_config(&[&TLS13])), "one.example").await;
    assert_eq!(certs.loads(), 2);
}

#[tokio::test]
async fn the_client_decides_between_ecdsa_and_rsa() {
    let authority = Authority::new();
    let (rsa, ecdsa) = (authority.rsa("one.example"), authority.ecdsa("one.example"));
    let acceptor = FakeCerts::with("one.example", vec![rsa.clone(), ecdsa.clone()]).acceptor();
    for version in [&TLS12, &TLS13] {
        let (client, _) = connected(&acceptor, Arc::new(authority.client_config(&[version])), "one.example").await;
        assert_eq!(leaf(&client), ecdsa.chain[0], "{version:?}");
    }
    let mut crypto = aws_lc_rs::default_provider();
    crypto.cipher_suites.retain(|suite| format!("{:?}", suite.suite()).contains("_RSA_"));
    let old = authority.client_config_with(&[&TLS12], crypto);
    let (client, _) = connected(&acceptor, Arc::new(old), "one.example").await;
    assert_eq!(leaf(&client), rsa.chain[0]);
}

#[tokio::test]
async fn an_unusable_set_is_our_fault() {
    let authority = Authority::new();
    let mut broken = authority.ecdsa("one.example");
    broken.key = authority.ecdsa("one.example").key;
    let acceptor = FakeCerts::with("one.example", vec![broken]).acceptor();
    let (client, server) = shake(&acceptor, Arc::new(authority.client_config(&[&TLS13])), "one.example").await;
    let error = server.unwrap_err();
    assert_eq!(error.code, TlsErrorCode::BadIdentity);
    assert!(error.message.contains("one.example"), "{error}");
    assert_eq!(alert(&client.unwrap_err()), Some(AlertDescription::InternalError));
}

#[test]
fn a_set_does_without_its_unusable_identities() {
    let authority = Authority::new();
    let mut broken = authority.ecdsa("one.example");
    broken.chain.clear();
    let set = IdentitySet::new(1, &[broken, authority.rsa("one.example"), authority.ecdsa("one.example")]);
    assert_eq!(set.unwrap().algorithms(), [rustls::SignatureAlgorithm::ECDSA, rustls::SignatureAlgorithm::RSA]);
    assert_eq!(IdentitySet::new(1, &[]).unwrap_err().code, TlsErrorCode::BadIdentity);
}
