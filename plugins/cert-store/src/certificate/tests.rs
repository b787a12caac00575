use super::*;
use crate::testing::openssl;
use proptest::prelude::*;

fn self_signed(extra: &[&str]) -> Vec<u8> {
    let key = openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], b"");
    let mut args = vec!["req", "-x509", "-new", "-key", "/dev/stdin", "-outform", "DER", "-days", "9"];
    args.extend(extra);
    openssl(&args, &key)
}

#[test]
fn says_what_openssl_put_in() {
    let der = self_signed(&[
        "-subj",
        "/C=DE/O=Example/CN=mail.example.org",
        "-addext",
        "subjectAltName=DNS:Mail.Example.org,IP:192.0.2.1,IP:2001:db8::1,email:a@example.org",
        "-addext",
        "extendedKeyUsage=serverAuth",
    ]);
    let cert = Certificate::from_der(&der).unwrap();
    assert_eq!(cert.subject, "C=DE, O=Example, CN=mail.example.org");
    assert_eq!(cert.alternative_names(), ["mail.example.org", "192.0.2.1", "2001:db8::1", "a@example.org"]);
    assert_eq!((cert.key_name.as_str(), cert.version), ("ECDSA P-256", 3));
    assert_eq!(cert.signature_name, "ECDSA with SHA-256");
    assert!(cert.self_signed() && cert.for_servers);
    assert_eq!((cert.not_after - cert.not_before).whole_days(), 9);
    let shown = openssl(&["x509", "-inform", "DER", "-noout", "-fingerprint", "-sha256"], &der);
    assert!(String::from_utf8(shown).unwrap().contains(&cert.fingerprint.to_string()));
}

#[test]
fn refuses_what_isnt_exactly_one() {
    let mut der = self_signed(&["-subj", "/CN=x"]);
    der.push(0);
    assert!(Certificate::from_der(&der).is_err());
    assert!(Certificate::from_der_prefix(&der).unwrap().0 == [0]);
    der.truncate(der.len() - 20);
    assert!(matches!(Certificate::from_der(&der), Err(CertificateError::Damaged { .. })));
}

#[test]
fn of_two_keys_of_an_issuer_the_right_one_is_known_by_its_name_where_its_signature_cant_be_verified() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let read =
        |name: &str| Certificate::from_der(&openssl(&["x509", "-in", &path(name), "-outform", "DER"], b"")).unwrap();
    let ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521", "-nodes"];
    for name in ["old", "new"] {
        let files = ["-keyout", &path(&format!("{name}.key")), "-out", &path(name)];
        openssl(&[&["req", "-x509", "-subj", "/CN=CA"][..], &ec, &files].concat(), b"");
    }
    std::fs::write(path("ext"), "authorityKeyIdentifier=keyid\n").unwrap();
    let csr = openssl(&[&["req", "-new", "-subj", "/CN=x"][..], &ec, &["-keyout", &path("key")]].concat(), b"");
    let files = ["-CA", &path("old"), "-CAkey", &path("old.key"), "-extfile", &path("ext"), "-out", &path("leaf")];
    openssl(&[&["x509", "-req"][..], &files].concat(), &csr);
    assert_eq!((read("leaf").signed_by(&read("old")), read("leaf").signed_by(&read("new"))), (None, Some(false)));
}

proptest! {
    #[test]
    fn never_panics(at in 0usize..300, byte: u8, cut in 0usize..400) {
        let mut der = sample().to_vec();
        let len = der.len();
        der[at % len] = byte;
        let _ = Certificate::from_der(&der);
        der.truncate(cut.min(len));
        let _ = Certificate::from_der(&der);
    }
}

fn sample() -> &'static [u8] {
    static DER: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    DER.get_or_init(|| self_signed(&["-subj", "/CN=x"]))
}
