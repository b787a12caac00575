//! Certificates as rcgen makes them, and what is no certificate.

use super::*;
use proptest::prelude::*;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, DnValue, GeneralSubtree, IsCa, KeyPair, NameConstraints, SanType,
};
use std::sync::OnceLock;

/// A certificate with these addresses.
pub fn issued(key: &KeyPair, alternative: &[&str], subject: Option<&str>) -> Vec<u8> {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, "Ann\u{7}");
    if let Some(address) = subject {
        let email = DnType::CustomDnType(vec![1, 2, 840, 113_549, 1, 9, 1]);
        parameters.distinguished_name.push(email, DnValue::Ia5String(address.try_into().unwrap()));
    }
    parameters.subject_alt_names.push(SanType::DnsName("ann.example".try_into().unwrap()));
    for address in alternative {
        parameters.subject_alt_names.push(SanType::Rfc822Name((*address).try_into().unwrap()));
    }
    parameters.self_signed(key).unwrap().der().to_vec()
}

fn issuer(bound: bool) -> Vec<u8> {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.name_constraints = bound.then(|| NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::Rfc822Name("elsewhere.example".into())],
        excluded_subtrees: vec![],
    });
    parameters.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

fn subject_of(chain: &[Vec<u8>]) -> Vec<String> {
    of_chain(chain).unwrap().subject_names
}

#[test]
fn addresses_and_fingerprints() {
    let key = KeyPair::generate().unwrap();
    let der = issued(&key, &["ann@example.org", "a@x.org"], None);
    let shown = of_chain(std::slice::from_ref(&der)).unwrap();
    assert_eq!(shown.alternative_names, ["ann@example.org", "a@x.org"]);
    assert_eq!(shown.subject_names, [""; 0]);
    assert_eq!(shown.subject, "CN=Ann?");
    assert_eq!(shown.fingerprint, Fingerprint::of(&der));
    assert_eq!(shown.key, Fingerprint::of(&rcgen::PublicKeyData::subject_public_key_info(&key)));
    // A renewal keeps the key's alone.
    let renewed = of_chain(&[issued(&key, &[], None)]).unwrap();
    assert_eq!(renewed.key, shown.key);
    assert_ne!(renewed.fingerprint, shown.fingerprint);
}

#[test]
fn the_subject_is_believed_where_nothing_better_is_there() {
    let key = KeyPair::generate().unwrap();
    let by_subject = issued(&key, &[], Some("ann@example.org"));
    let address = ["ann@example.org"];
    assert_eq!(subject_of(std::slice::from_ref(&by_subject)), address);
    assert_eq!(subject_of(&[by_subject.clone(), issuer(false)]), address);
    // RFC 5280 section 4.1.2.6: an address belongs among the alternative names; where those are, they count.
    assert_eq!(subject_of(&[issued(&key, &["a@x.org"], Some("ann@example.org"))]), [""; 0]);
    // An issuer for the addresses of elsewhere.example alone must not get around that by the subject.
    assert_eq!(subject_of(&[by_subject.clone(), issuer(false), issuer(true)]), [""; 0]);
    assert_eq!(subject_of(&[by_subject, b"no certificate".to_vec()]), [""; 0]);
}

#[test]
fn what_is_no_chain() {
    let der = issued(&KeyPair::generate().unwrap(), &[], None);
    let long = [der.clone(), vec![0]].concat();
    assert_eq!(of_chain(&[]), Err(CertificateError::None));
    for bad in [&b""[..], b"nothing", &der[1..], &der[..der.len() - 1], &long] {
        assert_eq!(of_chain(&[bad.to_vec()]), Err(CertificateError::Unreadable), "{} octets", bad.len());
    }
    assert!(of_chain(&vec![der.clone(); MAX_CHAIN]).is_ok());
    assert_eq!(of_chain(&vec![der; MAX_CHAIN + 1]), Err(CertificateError::TooMany));
    let key = KeyPair::generate().unwrap();
    let with = |count| of_chain(&[issued(&key, &vec!["a@x.org"; count], None)]);
    assert_eq!(with(MAX_NAMES).unwrap().alternative_names.len(), MAX_NAMES);
    assert_eq!(with(MAX_NAMES + 1), Err(CertificateError::TooMany));
}

#[test]
fn files_in_both_forms() {
    let key = KeyPair::generate().unwrap();
    let der = issued(&key, &["ann@example.org"], None);
    let want = of_chain(std::slice::from_ref(&der)).unwrap();
    let block = |label: &str, der: &[u8]| format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", data(der));
    let (pem, other) = (block("CERTIFICATE", &der), block("CERTIFICATE", &issuer(false)));
    for good in [
        der.clone(),
        pem.clone().into_bytes(),
        pem.replace('\n', "\r\n").into_bytes(),
        format!("subject=CN = Ann\n{}{pem}{other}", key.serialize_pem()).into_bytes(),
    ] {
        assert_eq!(of_file(&good), Ok(want.clone()), "{}", String::from_utf8_lossy(&good));
    }
    for (bad, error) in [
        (Vec::new(), CertificateError::NoFile),
        (b"hello".to_vec(), CertificateError::NoFile),
        (key.serialize_pem().into_bytes(), CertificateError::NoFile),
        (block("CERTIFICATE", b"hello").into_bytes(), CertificateError::Unreadable),
        (vec![b' '; MAX_FILE + 1], CertificateError::TooBig),
    ] {
        assert_eq!(of_file(&bad), Err(error));
    }
}

/// Base64 in lines.
fn data(der: &[u8]) -> String {
    der.chunks(48).map(|line| data_encoding::BASE64.encode(line)).collect::<Vec<_>>().join("\n")
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(at in 0..600usize, value: u8, cut in 0..600usize, junk: Vec<u8>) {
        let _ = of_file(&junk);
        static WHOLE: OnceLock<Vec<u8>> = OnceLock::new();
        let make = || issued(&KeyPair::generate().unwrap(), &["ann@example.org"], Some("ann@example.org"));
        let mut der = WHOLE.get_or_init(make).clone();
        if let Some(octet) = der.get_mut(at) {
            *octet = value;
        }
        let _ = of_chain(&[der.clone(), junk]);
        der.truncate(cut);
        let _ = of_file(&der);
    }
}
