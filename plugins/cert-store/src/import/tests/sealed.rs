//! What is under a password or in a bundle.

use super::cases::{
    authority, combined, convert, ec_key, pair, self_signed, text, Case,
    Expected::{Bad, Good, Warn},
};

pub(super) fn encrypted_keys() -> Vec<Case> {
    let plain = ec_key();
    let crt = self_signed(&plain);
    let encrypt = |options: &[&str]| {
        let mut args = vec!["pkcs8", "-topk8", "-passout", "pass:sesame"];
        args.extend(options);
        convert(&args, &plain)
    };
    let with = |what, key: Vec<u8>, password, expected| Case { password, ..pair(what, crt.clone(), key, expected) };
    let legacy = convert(&["ec", "-aes256", "-passout", "pass:sesame"], &plain);
    vec![
        with("good-encrypted", encrypt(&[]), Some("sesame"), Good),
        with("good-encrypted-scrypt", encrypt(&["-scrypt"]), Some("sesame"), Good),
        with("good-encrypted-der", encrypt(&["-outform", "DER"]), Some("sesame"), Good),
        with("good-password-not-needed", plain.clone().into_bytes(), Some("sesame"), Good),
        with("bad-encrypted-no-password", encrypt(&[]), None, Bad("give its password with --password-file")),
        with("bad-encrypted-wrong-password", encrypt(&[]), Some("guess"), Bad("the password doesn't open")),
        with("good-encrypted-pbes1", encrypt(&["-v1", "PBE-SHA1-3DES"]), Some("sesame"), Good),
        with("good-encrypted-legacy", legacy.clone(), Some("sesame"), Good),
        with("bad-encrypted-legacy-no-password", legacy.clone(), None, Bad("give its password with --password-file")),
        with("bad-encrypted-legacy-wrong-password", legacy.clone(), Some("guess"), Bad("the password doesn't open")),
        with(
            "bad-encrypted-legacy-unknown-cipher",
            text(legacy).replace("AES-256-CBC", "SEED-CBC").into_bytes(),
            Some("sesame"),
            Bad("with OpenSSL's old method (SEED-CBC), which isn't supported: decrypt it first"),
        ),
        with(
            "bad-encrypted-unknown-cipher",
            encrypt(&["-v2", "camellia256"]),
            Some("sesame"),
            Bad("with Camellia, which isn't supported: decrypt it first"),
        ),
    ]
}

pub(super) fn bundles() -> Vec<Case> {
    let a = authority();
    let (leaf, key, middle, root) = (&a.leaf.crt, &a.leaf.key, &a.intermediate, &a.root);
    let p12 = |contents: &str| convert(&["pkcs12", "-export", "-passout", "pass:sesame"], contents);
    let p7 = |contents: &str, options: &[&str]| {
        convert(&[&["crl2pkcs7", "-nocrl", "-certfile", "/dev/stdin"], options].concat(), contents)
    };
    let whole = p12(&format!("{key}{leaf}{middle}"));
    let with = |what, bytes: Vec<u8>, password, expected| Case { password, ..combined(what, bytes, expected) };
    let chain = text(p7(&format!("{middle}{leaf}"), &[]));
    vec![
        with("good-pkcs12", whole.clone(), Some("sesame"), Good),
        with("good-pkcs12-pem", pem("PKCS12", &whole), Some("sesame"), Good),
        with("good-pkcs12-base64-without-label", base64(&whole), Some("sesame"), Good),
        with("warn-pkcs12-root", p12(&format!("{key}{leaf}{middle}{root}")), Some("sesame"), Warn("was left out")),
        with("bad-pkcs12-no-password", whole.clone(), None, Bad("give its password with --password-file")),
        with("bad-pkcs12-wrong-password", whole.clone(), Some("guess"), Bad("doesn't open the PKCS#12 bundle")),
        with("bad-pkcs12-cut", whole[..700].to_vec(), Some("sesame"), Bad("PKCS#12 bundle is damaged: it is cut off")),
        pair("good-pkcs7", chain.clone(), key.clone(), Good),
        pair("good-pkcs7-der", p7(&format!("{leaf}{middle}"), &["-outform", "DER"]), key.clone(), Good),
        pair("good-pkcs7-as-certificate", chain.replace(" PKCS7-", " CERTIFICATE-"), key.clone(), Good),
        pair("good-pkcs7-cms-label", chain.replace(" PKCS7-", " CMS-"), key.clone(), Good),
        combined("good-pkcs7-and-key-in-one", format!("{chain}{key}"), Good),
        pair(
            "bad-pkcs7-data",
            b"\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01".to_vec(),
            key.clone(),
            Bad("plain data"),
        ),
        pair(
            "good-certificate-base64-without-label",
            base64(&convert(&["x509", "-outform", "DER"], &self_signed(key))),
            key.clone(),
            Good,
        ),
    ]
}

fn pem(label: &str, der: &[u8]) -> Vec<u8> {
    crate::import::pem::encode(label, der).as_bytes().to_vec()
}

/// Lines of base64 with nothing around them.
fn base64(der: &[u8]) -> Vec<u8> {
    let text = crate::import::pem::encode("X", der);
    let inside: Vec<&str> = text.lines().filter(|line| !line.starts_with('-')).collect();
    inside.join("\r\n").into_bytes()
}
