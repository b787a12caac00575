//! What OpenSSL has that others have not, and its words.

use super::*;
use rustls::version::{TLS12, TLS13};

const NAME: &str = "mail.example.org";

fn client_exporter(client: &Client) -> Vec<u8> {
    client.get_ref().1.export_keying_material(vec![0; 32], b"EXPORTER-Channel-Binding", Some(b"")).unwrap()
}

#[tokio::test]
async fn tls13_prefers_the_post_quantum_group_if_openssl_knows_it() {
    let authority = Authority::new();
    let acceptor = FakeCerts::with(NAME, vec![authority.ecdsa(NAME)]).acceptor();
    let (client, server) = connected(&acceptor, Arc::new(authority.client_config(&[&TLS13, &TLS12])), NAME).await;
    let facts = server.facts;
    assert_eq!(facts.version, "TLSv1.3");
    assert_eq!(facts.cipher, "TLS_AES_256_GCM_SHA384");
    let knows = openssl::version::number() >= 0x3050_0000;
    assert_eq!(facts.group.as_deref(), Some(if knows { "X25519MLKEM768" } else { "x25519" }));
    assert_eq!(facts.server_name.as_deref(), Some(NAME));
    assert_eq!((facts.alpn, facts.resumed, facts.peer_chain.len()), (None, false, 0));
    assert_eq!(facts.exporter, Some(client_exporter(&client)));
}

/// <https://wiki.mozilla.org/Security/Server_Side_TLS>, without the finite-field suites that newer versions of it dropped.
#[tokio::test]
async fn each_suite_and_group_that_mozilla_recommends_is_spoken() {
    let authority = Authority::new();
    let acceptor = FakeCerts::with(NAME, vec![authority.rsa(NAME), authority.ecdsa(NAME)]).acceptor();
    for suite in aws_lc_rs::ALL_CIPHER_SUITES {
        let mut crypto = aws_lc_rs::default_provider();
        crypto.cipher_suites.retain(|other| other.suite() == suite.suite());
        let version: &[_] = if suite.tls13().is_some() { &[&TLS13] } else { &[&TLS12] };
        let config = authority.client_config_with(version, crypto);
        let (_, server) = connected(&acceptor, Arc::new(config), NAME).await;
        let name = format!("{:?}", suite.suite()).replace("TLS13_", "TLS_");
        assert_eq!(server.facts.cipher, name);
    }
    for (group, name) in [
        (aws_lc_rs::kx_group::X25519, "x25519"),
        (aws_lc_rs::kx_group::SECP256R1, "secp256r1"),
        (aws_lc_rs::kx_group::SECP384R1, "secp384r1"),
    ] {
        for version in [&TLS12, &TLS13] {
            let crypto = CryptoProvider { kx_groups: vec![group], ..aws_lc_rs::default_provider() };
            let config = authority.client_config_with(&[version], crypto);
            let (_, server) = connected(&acceptor, Arc::new(config), NAME).await;
            assert_eq!(server.facts.group.as_deref(), Some(name));
        }
    }
}

#[tokio::test]
async fn the_peers_alert_is_reported_with_what_it_means() {
    let authority = Authority::new();
    let acceptor = FakeCerts::with(NAME, vec![authority.ecdsa(NAME)]).acceptor();
    for (stranger, meaning) in [
        (Authority::named("another"), "does not trust our certificate"),
        // The same name with another key: the certificate's signature is what fails.
        (Authority::new(), "cannot verify a signature"),
    ] {
        let (client, server) = shake(&acceptor, Arc::new(stranger.client_config(&[&TLS13])), NAME).await;
        assert!(client.is_err());
        let error = server.unwrap_err();
        assert_eq!(error.code, TlsErrorCode::AlertReceived);
        assert!(error.message.starts_with("listener test: ") && error.message.contains(meaning), "{error}");
    }
}
