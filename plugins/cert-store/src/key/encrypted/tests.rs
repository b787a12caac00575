use super::*;
use crate::import::pem;
use crate::key::KeyType;
use crate::testing::{openssl, try_openssl};

fn opener(password: Option<&[u8]>) -> Opener<'_> {
    Opener::new(password)
}

fn encrypt(key: &PrivateKey, options: &[&str]) -> Vec<u8> {
    let mut args = vec!["pkcs8", "-topk8", "-outform", "DER", "-passout", "pass:sesame"];
    args.extend(options);
    openssl(&args, key.to_pem().as_bytes())
}

/// Options of `openssl pkcs8` for every method that it can write; the first word says whether it needs old ciphers.
const METHODS: &[&[&str]] = &[
    &[],
    &["-v2", "aes128"],
    &["-v2", "aes192"],
    &["-v2", "aes256", "-v2prf", "hmacWithSHA1"],
    &["-v2", "aes256", "-v2prf", "hmacWithSHA384"],
    &["-v2", "aes256", "-v2prf", "hmacWithSHA512"],
    &["-v2", "des3"],
    &["-scrypt", "-scrypt_N", "1024"],
    &["-v1", "PBE-SHA1-3DES"],
    &["-v1", "PBE-SHA1-2DES"],
];

/// Those for which OpenSSL 3 wants its provider of old ciphers.
const OLD_METHODS: &[&[&str]] = &[
    &["-v2", "rc2"],
    &["-v2", "rc2-40-cbc"],
    &["-v2", "rc2-64-cbc"],
    &["-v2", "des"],
    &["-v1", "PBE-MD5-DES"],
    &["-v1", "PBE-SHA1-DES"],
    &["-v1", "PBE-MD5-RC2-64"],
    &["-v1", "PBE-SHA1-RC2-64"],
    &["-v1", "PBE-SHA1-RC2-40"],
    &["-v1", "PBE-SHA1-RC2-128"],
    &["-v1", "PBE-SHA1-RC4-40"],
    &["-v1", "PBE-SHA1-RC4-128"],
];

fn opens(key: &PrivateKey, options: &[&str]) {
    let der = encrypt(key, options);
    let opened = decrypt_pkcs8(&der, &mut opener(Some(b"sesame"))).unwrap_or_else(|e| panic!("{options:?}: {e}"));
    assert_eq!(opened.fingerprint(), key.fingerprint(), "{options:?}");
    assert_eq!(decrypt_pkcs8(&der, &mut opener(None)).unwrap_err(), KeyError::PasswordNeeded, "{options:?}");
    assert_eq!(decrypt_pkcs8(&der, &mut opener(Some(b"guess"))).unwrap_err(), KeyError::WrongPassword, "{options:?}");
}

#[test]
fn opens_what_openssl_writes() {
    let key = KeyType::EcdsaP256.generate().unwrap();
    for options in METHODS {
        opens(&key, options);
    }
    for options in OLD_METHODS {
        opens(&key, &[&["-provider", "legacy", "-provider", "default"], *options].concat());
    }
}

#[test]
fn opens_openssls_old_pem() {
    let key = KeyType::EcdsaP256.generate().unwrap();
    for cipher in ["-des3", "-aes128", "-aes192", "-aes256"] {
        let text = openssl(&["ec", cipher, "-passout", "pass:sesame"], key.to_pem().as_bytes());
        opens_legacy(&key, &text, cipher);
    }
    let options = ["ec", "-provider", "legacy", "-provider", "default", "-des", "-passout", "pass:sesame"];
    opens_legacy(&key, &openssl(&options, key.to_pem().as_bytes()), "-des");
}

fn opens_legacy(key: &PrivateKey, text: &[u8], cipher: &str) {
    let block = pem::scan(text).unwrap().remove(0);
    let legacy = Legacy::of(&block.headers).unwrap().unwrap();
    let plain = decrypt_legacy(&legacy, &block.der, &opener(Some(b"sesame"))).unwrap();
    assert_eq!(PrivateKey::from_sec1(&plain).unwrap().fingerprint(), key.fingerprint(), "{cipher}");
    assert_eq!(decrypt_legacy(&legacy, &block.der, &opener(None)).unwrap_err(), KeyError::PasswordNeeded);
    let guessed = decrypt_legacy(&legacy, &block.der, &opener(Some(b"guess")));
    let guessed = guessed.and_then(|plain| parsed(PrivateKey::from_sec1(&plain)));
    assert_eq!(guessed.unwrap_err(), KeyError::WrongPassword, "{cipher}");
    let cut = decrypt_legacy(&legacy, &block.der[1..], &opener(Some(b"sesame")));
    assert!(matches!(cut, Err(KeyError::Damaged { .. })), "{cipher}");
}

#[test]
fn refuses_costly_ones_by_name_before_a_password_is_asked_for() {
    let key = KeyType::EcdsaP256.generate().unwrap();
    let der = encrypt(&key, &["-iter", "65536"]);
    // 02 03 01 00 00: the rounds.
    let at = der.windows(5).position(|window| window == b"\x02\x03\x01\x00\x00").unwrap();
    let mut costly = der.clone();
    costly[at + 2] = 0xFF;
    let error = decrypt_pkcs8(&costly, &mut opener(None)).unwrap_err();
    assert!(error.to_string().contains("16711680 rounds of PBKDF2"), "{error}");
    let der = encrypt(&key, &["-scrypt", "-scrypt_N", "1024"]);
    // 02 02 04 00, 02 01 08, 02 01 01: N, r and p.
    let at = der.windows(10).position(|window| window == b"\x02\x02\x04\x00\x02\x01\x08\x02\x01\x01").unwrap();
    let mut costly = der.clone();
    (costly[at + 2], costly[at + 6], costly[at + 9]) = (0x70, 0xFF, 0xFF);
    let error = decrypt_pkcs8(&costly, &mut opener(None)).unwrap_err();
    assert!(error.to_string().contains("scrypt with N=28672, r=255, p=255"), "{error}");
}

#[test]
fn refuses_unknown_methods_by_name() {
    let key = KeyType::EcdsaP256.generate().unwrap();
    let args = ["pkcs8", "-topk8", "-outform", "DER", "-passout", "pass:x", "-v2", "camellia256"];
    let (made, der, said) = try_openssl(&args, key.to_pem().as_bytes());
    assert!(made, "{said}");
    let error = decrypt_pkcs8(&der, &mut opener(None)).unwrap_err();
    assert_eq!(error, KeyError::UnsupportedEncryption { scheme: "Camellia".into() });
}

#[test]
fn junk_is_damage() {
    for junk in [&b"\x30\x03\x02\x01\x00"[..], b"", b"\x30", b"\x30\x06\x30\x00\x04\x02ab"] {
        assert!(matches!(decrypt_pkcs8(junk, &mut opener(None)), Err(KeyError::Damaged { .. })), "{junk:?}");
    }
}
