//! `check_identity`.

use super::*;

async fn check(identity: Identity) -> Result<(), TlsError> {
    FakeCerts::default().provider().check_identity(identity).await
}

#[tokio::test]
async fn good_identities_pass() {
    let authority = Authority::new();
    for key in [
        KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap(),
        KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap(),
        KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap(),
        rsa_key(&rcgen::PKCS_RSA_SHA256),
    ] {
        check(authority.issue("mail.example.org", &key)).await.unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let own = params.self_signed(&key).unwrap();
        let identity =
            Identity { name: "own".into(), chain: vec![own.der().to_vec()], key: Secret::new(key.serialize_der()) };
        check(identity).await.unwrap();
    }
}

#[tokio::test]
async fn bad_identities_are_named() {
    let authority = Authority::new();
    let good = authority.ecdsa("mail.example.org");
    let other = authority.ecdsa("mail.example.org");
    let bad = [
        ("no certificate", Identity { chain: vec![], ..good.clone() }),
        ("certificate 1", Identity { chain: vec![b"not DER".to_vec()], ..good.clone() }),
        ("certificate 2", Identity { chain: vec![good.chain[0].clone(), vec![0x30, 0]], ..good.clone() }),
        ("does not belong", Identity { key: other.key, ..good.clone() }),
        ("private key cannot", Identity { key: Secret::new(b"not a key".to_vec()), ..good }),
    ];
    for (reason, identity) in bad {
        let error = check(identity).await.unwrap_err();
        assert_eq!(error.code, TlsErrorCode::BadIdentity);
        assert!(error.message.contains("mail.example.org") && error.message.contains(reason), "{reason}: {error}");
    }
}
