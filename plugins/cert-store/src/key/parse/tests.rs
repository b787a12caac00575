use super::*;
use crate::key::KeyType;
use crate::testing::openssl;
use proptest::prelude::*;

/// A PKCS#8 key in DER; `genpkey -outform DER` would write each kind's older form.
fn generate(options: &[&str]) -> Vec<u8> {
    let mut args = vec!["genpkey"];
    args.extend(options);
    let pem = openssl(&args, b"");
    openssl(&["pkcs8", "-topk8", "-nocrypt", "-outform", "DER"], &pem)
}

#[test]
fn every_form_of_a_key_is_the_same_key() {
    for (algorithm, option, kind) in [
        ("RSA", "rsa_keygen_bits:2048", KeyKind::Rsa(2048)),
        ("EC", "ec_paramgen_curve:P-256", KeyKind::EcdsaP256),
        ("EC", "ec_paramgen_curve:P-384", KeyKind::EcdsaP384),
        ("EC", "ec_paramgen_curve:P-521", KeyKind::EcdsaP521),
    ] {
        let pkcs8 = generate(&["-algorithm", algorithm, "-pkeyopt", option]);
        let key = PrivateKey::from_pkcs8(&pkcs8).unwrap();
        assert_eq!(key.kind(), kind);
        let spki = openssl(&["pkey", "-inform", "DER", "-pubout", "-outform", "DER"], &pkcs8);
        assert_eq!(key.fingerprint(), crate::fingerprint::Fingerprint::of(&spki));
        let old = openssl(&["pkey", "-inform", "DER", "-traditional", "-outform", "DER"], &pkcs8);
        let from_old = match kind {
            KeyKind::Rsa(_) => PrivateKey::from_pkcs1(&old),
            _ => PrivateKey::from_sec1(&old),
        }
        .unwrap();
        assert_eq!(from_old.fingerprint(), key.fingerprint());
        assert_eq!(from_old.pkcs8(), key.pkcs8());
        for der in [&pkcs8, &old] {
            assert_eq!(PrivateKey::from_unlabelled(der).unwrap().fingerprint(), key.fingerprint());
        }
        // What we write is what openssl reads.
        let again = openssl(&["pkey", "-pubout", "-outform", "DER"], key.to_pem().as_bytes());
        assert_eq!(again, spki);
    }
}

#[test]
fn ed25519_is_kept_as_version_1() {
    let v1 = generate(&["-algorithm", "ED25519"]);
    let key = PrivateKey::from_pkcs8(&v1).unwrap();
    assert_eq!(key.kind(), KeyKind::Ed25519);
    assert_eq!(key.pkcs8()[..], v1[..]);
    let v2 = Ed25519KeyPair::generate().unwrap().to_pkcs8().unwrap();
    let key = PrivateKey::from_pkcs8(v2.as_ref()).unwrap();
    assert!(key.pkcs8().len() < v2.as_ref().len());
    openssl(&["pkey", "-noout"], key.to_pem().as_bytes());
}

#[test]
fn what_cant_serve_is_named() {
    let make = |args: &[&str]| {
        let mut all = vec!["-algorithm"];
        all.extend(args);
        generate(&all)
    };
    for (args, said) in [
        (&["RSA", "-pkeyopt", "rsa_keygen_bits:1024"][..], "1024 bits"),
        (&["RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"], "an RSA-PSS key"),
        (&["ED448"], "an Ed448 key"),
        (&["X25519"], "an X25519 key"),
        (&["X448"], "an X448 key"),
        (&["EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"], "secp256k1"),
        (&["EC", "-pkeyopt", "ec_paramgen_curve:secp224r1"], "P-224"),
        (&["EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1"], "brainpoolP256r1"),
        (
            &["EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:explicit"],
            "explicit curve parameters",
        ),
    ] {
        let error = PrivateKey::from_pkcs8(&make(args)).unwrap_err().to_string();
        assert!(error.contains(said), "{args:?}: {error}");
    }
    let old = openssl(&["ecparam", "-genkey", "-noout", "-name", "secp256k1", "-outform", "DER"], b"");
    let error = PrivateKey::from_sec1(&old).unwrap_err().to_string();
    assert!(error.contains("secp256k1"), "{error}");
    let explicit = ["ecparam", "-genkey", "-noout", "-name", "prime256v1", "-param_enc", "explicit", "-outform", "DER"];
    let error = PrivateKey::from_sec1(&openssl(&explicit, b"")).unwrap_err().to_string();
    assert!(error.contains("explicit curve parameters"), "{error}");
    let unknown = openssl(&["ecparam", "-genkey", "-noout", "-name", "sect283k1", "-outform", "DER"], b"");
    let error = PrivateKey::from_sec1(&unknown).unwrap_err().to_string();
    assert!(error.contains("an unknown curve (1.3.132.0.16)"), "{error}");
}

#[test]
fn a_key_of_three_primes_is_called_so() {
    let rsa = generate(&["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", "rsa_keygen_primes:3"]);
    for error in [PrivateKey::from_pkcs8(&rsa).unwrap_err(), PrivateKey::from_unlabelled(&rsa).unwrap_err()] {
        assert!(error.to_string().contains("multi-prime"), "{error}");
    }
}

#[test]
fn a_forged_public_half_is_refused() {
    let (a, b) = (KeyType::EcdsaP256.generate().unwrap(), KeyType::EcdsaP256.generate().unwrap());
    let mut forged = a.pkcs8().to_vec();
    let at = forged.len() - a.public_raw().len();
    assert_eq!(&forged[at..], a.public_raw());
    forged[at..].copy_from_slice(b.public_raw());
    assert_eq!(PrivateKey::from_pkcs8(&forged).unwrap_err(), KeyError::Broken);
}

#[test]
fn damage_is_said() {
    let key = KeyType::EcdsaP256.generate().unwrap();
    let cut = &key.pkcs8()[..key.pkcs8().len() - 5];
    assert_eq!(PrivateKey::from_pkcs8(cut).unwrap_err(), KeyError::Damaged { format: "PKCS#8" });
    assert_eq!(PrivateKey::from_pkcs1(b"\x30\x03\x02\x01\x00").unwrap_err(), KeyError::Damaged { format: "PKCS#1" });
    assert_eq!(PrivateKey::from_sec1(b"junk").unwrap_err(), KeyError::Damaged { format: "SEC1" });
}

proptest! {
    #[test]
    fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = PrivateKey::from_unlabelled(&bytes);
        let _ = PrivateKey::from_pkcs8(&bytes);
        let _ = PrivateKey::from_pkcs1(&bytes);
        let _ = PrivateKey::from_sec1(&bytes);
    }
}
