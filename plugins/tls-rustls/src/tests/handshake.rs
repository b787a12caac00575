//! What is known after a handshake in each version.

use super::*;
use dovetail_sdk::tls::TlsProfile;
use rustls::version::{TLS12, TLS13};

const NAME: &str = "mail.example.org";

fn client_exporter(client: &Client) -> Vec<u8> {
    client.get_ref().1.export_keying_material(vec![0; 32], b"EXPORTER-Channel-Binding", Some(b"")).unwrap()
}

#[tokio::test]
async fn tls13_prefers_the_post_quantum_group() {
    let authority = Authority::new();
    let acceptor = FakeCerts::with(NAME, vec![authority.ecdsa(NAME)]).acceptor();
    let (client, server) = connected(&acceptor, Arc::new(authority.client_config(&[&TLS13, &TLS12])), NAME).await;
    let facts = server.facts;
    assert_eq!(facts.version, "TLSv1.3");
    assert_eq!(facts.cipher, "TLS_AES_256_GCM_SHA384");
    assert_eq!(facts.group.as_deref(), Some("X25519MLKEM768"));
    assert_eq!(facts.server_name.as_deref(), Some(NAME));
    assert_eq!((facts.alpn, facts.resumed, facts.peer_chain.len()), (None, false, 0));
    assert_eq!(facts.exporter, Some(client_exporter(&client)));
}

#[tokio::test]
async fn tls12_binds_channels_by_the_extended_master_secret() {
    let authority = Authority::new();
    let acceptor = FakeCerts::with(NAME, vec![authority.ecdsa(NAME)]).acceptor();
    let mut crypto = aws_lc_rs::default_provider();
    crypto.kx_groups.retain(|group| group.name() == rustls::NamedGroup::X25519);
    let config = authority.client_config_with(&[&TLS12], crypto);
    let (client, server) = connected(&acceptor, Arc::new(config), NAME).await;
    assert_eq!(server.facts.version, "TLSv1.2");
    assert_eq!(server.facts.cipher, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
    assert_eq!(server.facts.group.as_deref(), Some("x25519"));
    // rustls' clients always offer it.
    assert_eq!(server.facts.exporter, Some(client_exporter(&client)));
}

#[tokio::test]
async fn the_policy_decides_the_version() {
    let authority = Authority::new();
    let certs = FakeCerts::with(NAME, vec![authority.ecdsa(NAME)]);
    let only =
        |version| certs.provider().acceptor(ServerPolicy { min_version: version, max_version: version, ..policy() });

    let both = Arc::new(authority.client_config(&[&TLS13, &TLS12]));
    let (_, server) = connected(&only(TlsVersion::Tls12).unwrap(), both.clone(), NAME).await;
    assert_eq!(server.facts.version, "TLSv1.2");

    let old = Arc::new(authority.client_config(&[&TLS12]));
    let (client, server) = shake(&only(TlsVersion::Tls13).unwrap(), old, NAME).await;
    assert_eq!(server.unwrap_err().code, TlsErrorCode::NoCommonVersion);
    assert_eq!(alert(&client.unwrap_err()), Some(rustls::AlertDescription::ProtocolVersion));
}

#[tokio::test]
async fn nothing_in_common_is_said() {
    let authority = Authority::new();
    let acceptor = FakeCerts::with(NAME, vec![authority.ecdsa(NAME)]).acceptor();
    // A TLS 1.2 client that knows RSA suites only.
    let mut crypto = aws_lc_rs::default_provider();
    crypto.cipher_suites.retain(|suite| format!("{:?}", suite.suite()).contains("_RSA_"));
    let config = authority.client_config_with(&[&TLS12], crypto);
    let (client, server) = shake(&acceptor, Arc::new(config), NAME).await;
    let error = server.unwrap_err();
    assert_eq!(error.code, TlsErrorCode::NoCommonCipher, "{error}");
    assert_eq!(alert(&client.unwrap_err()), Some(rustls::AlertDescription::HandshakeFailure));
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

#[tokio::test]
async fn the_modern_profile_speaks_tls13_alone() {
    let authority = Authority::new();
    let certs = FakeCerts::with(NAME, vec![authority.ecdsa(NAME)]);
    let modern = ServerPolicy { profile: TlsProfile::Modern, ..policy() };
    let acceptor = certs.provider().acceptor(modern.clone()).unwrap();
    connected(&acceptor, Arc::new(authority.client_config(&[&TLS13, &TLS12])), NAME).await;
    let (_, server) = shake(&acceptor, Arc::new(authority.client_config(&[&TLS12])), NAME).await;
    assert_eq!(server.unwrap_err().code, TlsErrorCode::NoCommonVersion);

    let neither = ServerPolicy { max_version: TlsVersion::Tls12, ..modern };
    assert_eq!(certs.provider().acceptor(neither).unwrap_err().code, TlsErrorCode::BadPolicy);
}

/// <https://wiki.mozilla.org/Security/Server_Side_TLS>, without the finite-field suites that newer versions of it dropped.
#[test]
fn the_suites_and_groups_are_those_that_mozilla_recommends() {
    let crypto = aws_lc_rs::default_provider();
    let mut suites: Vec<_> = crypto.cipher_suites.iter().map(|suite| format!("{:?}", suite.suite())).collect();
    suites.sort_unstable();
    assert_eq!(
        suites,
        [
            "TLS13_AES_128_GCM_SHA256",
            "TLS13_AES_256_GCM_SHA384",
            "TLS13_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        ]
    );
    let groups: Vec<_> = crypto.kx_groups.iter().map(|group| format!("{:?}", group.name())).collect();
    assert_eq!(groups, ["X25519MLKEM768", "X25519", "secp256r1", "secp384r1"]);
}

#[tokio::test]
async fn a_policy_that_cannot_be_is_refused() {
    let certs = FakeCerts::default();
    let policy = ServerPolicy { min_version: TlsVersion::Tls13, max_version: TlsVersion::Tls12, ..policy() };
    assert_eq!(certs.provider().acceptor(policy).unwrap_err().code, TlsErrorCode::BadPolicy);
}
