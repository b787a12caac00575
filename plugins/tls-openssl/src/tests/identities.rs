//! Which certificate a client gets.

use super::*;
use crate::identity::IdentitySet;
use openssl::pkey::Id;
use rustls::version::{TLS12, TLS13};

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

#[test]
fn a_set_does_without_its_unusable_identities() {
    let authority = Authority::new();
    let mut broken = authority.ecdsa("one.example");
    broken.chain.clear();
    let set = IdentitySet::new(1, &[broken, authority.rsa("one.example"), authority.ecdsa("one.example")]);
    assert_eq!(set.unwrap().kinds(), [Id::EC, Id::RSA]);
    assert_eq!(IdentitySet::new(1, &[]).err().map(|error| error.code), Some(TlsErrorCode::BadIdentity));
}
