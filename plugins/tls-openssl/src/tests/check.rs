//! `check_identity`.

use super::*;
use openssl::{asn1::Asn1Time, hash::MessageDigest, pkey::PKey, x509::X509};

/// Whole, and of one key; but it signs with Ed448, which is not spoken here.
#[tokio::test]
async fn an_identity_that_cannot_shake_hands_is_refused() {
    let key = PKey::generate_ed448().unwrap();
    let mut own = X509::builder().unwrap();
    own.set_pubkey(&key).unwrap();
    own.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    own.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
    own.sign(&key, MessageDigest::null()).unwrap();
    let key = Secret::new(key.private_key_to_pkcs8().unwrap());
    let error = FakeCerts::default()
        .provider()
        .check_identity(Identity { name: "own".into(), chain: vec![own.build().to_der().unwrap()], key })
        .await
        .unwrap_err();
    assert_eq!(error.code, TlsErrorCode::BadIdentity);
    assert!(error.message.contains("a handshake with it fails"), "{error}");
}
