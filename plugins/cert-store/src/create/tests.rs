use super::*;
use crate::identity::Identity;
use crate::publish::{publish, Existing};
use crate::testing::{openssl, try_openssl};

fn made(request: &CreateRequest) -> (Pair, Certificate) {
    create(request, OffsetDateTime::now_utc()).unwrap()
}

fn shown(args: &[&str], pem: &str) -> String {
    String::from_utf8(openssl(args, pem.as_bytes())).unwrap()
}

fn full(key_type: KeyType) -> CreateRequest {
    let some = |text: &str| Some(text.to_owned());
    CreateRequest {
        name: None,
        key_type,
        subject: Subject {
            common_name: some("mail.example.org"),
            organization: some("Müller & Söhne"),
            units: vec!["Mail".into(), "Second".into()],
            locality: some("Köln"),
            state: some("NRW"),
            country: some("de"),
            email: some("post@example.org"),
        },
        sans: ["smtp.example.org", "192.0.2.1", "2001:db8::1", "post@example.org", "mail.example.org"]
            .iter()
            .map(|san| San::parse(san).unwrap())
            .collect(),
        days: 30,
    }
}

#[test]
fn openssl_accepts_certificate_and_request_of_every_kind() {
    let dir = tempfile::tempdir().unwrap();
    for key_type in KeyType::ALL {
        let (pair, certificate) = made(&full(key_type));
        assert_eq!(pair.name.as_str(), "mail.example.org");
        let path = dir.path().join(key_type.word());
        std::fs::write(&path, &pair.certificate).unwrap();
        let path = path.to_str().unwrap();
        openssl(&["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", path, path], b"");
        for host in ["mail.example.org", "smtp.example.org"] {
            openssl(&["verify", "-verify_hostname", host, "-CAfile", path, path], b"");
        }
        let (ok, ..) = try_openssl(&["verify", "-verify_hostname", "x.example", "-CAfile", path, path], b"");
        assert!(!ok, "openssl accepts any host name");

        let csr = pair.csr.as_deref().unwrap();
        let (ok, _, said) = try_openssl(&["req", "-verify", "-noout"], csr.as_bytes());
        assert!(ok && said.contains("OK"), "{said}");
        let request = shown(&["req", "-noout", "-text"], csr);
        for part in ["DNS:mail.example.org", "DNS:smtp.example.org", "IP Address:192.0.2.1", "CA:FALSE"] {
            assert!(request.contains(part), "{part} missing in {request}");
        }
        // Key, certificate and request are of one key.
        let spki = shown(&["pkey", "-pubout"], &pair.key);
        assert_eq!(spki, shown(&["x509", "-pubkey", "-noout"], &pair.certificate));
        assert_eq!(spki, shown(&["req", "-pubkey", "-noout"], csr));

        let text = shown(&["x509", "-noout", "-text"], &pair.certificate);
        assert_eq!(text.contains("Key Encipherment"), key_type.word().starts_with("rsa"));
        assert!(text.contains("Digital Signature") && text.contains("TLS Web Server Authentication"));
        assert!(certificate.self_signed() && !certificate.is_ca && certificate.for_servers);
        assert_eq!(certificate.serial.len(), 16 * 3 - 1);
        // One hour back, and the days forward.
        assert_eq!((certificate.not_after - certificate.not_before).whole_hours(), 30 * 24 + 1);
    }
}

#[test]
fn every_field_arrives() {
    let (pair, certificate) = made(&full(KeyType::EcdsaP256));
    let subject =
        shown(&["x509", "-noout", "-subject", "-nameopt", "utf8,sep_multiline,show_type,sname"], &pair.certificate);
    for part in [
        "C=PRINTABLESTRING:DE",
        "ST=UTF8STRING:NRW",
        "L=UTF8STRING:Köln",
        "O=UTF8STRING:Müller & Söhne",
        "OU=UTF8STRING:Mail",
        "OU=UTF8STRING:Second",
        "CN=UTF8STRING:mail.example.org",
        "emailAddress=IA5STRING:post@example.org",
    ] {
        assert!(subject.contains(part), "{part} missing in {subject}");
    }
    assert_eq!(
        certificate.alternative_names(),
        ["mail.example.org", "smtp.example.org", "192.0.2.1", "2001:db8::1", "post@example.org"]
    );
}

#[test]
fn names_are_filled_in_from_each_other() {
    let (pair, certificate) = made(&CreateRequest::for_host("bücher.example"));
    assert_eq!(pair.name.as_str(), "xn--bcher-kva.example");
    assert_eq!(certificate.subject, "CN=xn--bcher-kva.example");
    assert_eq!(certificate.dns_names, ["xn--bcher-kva.example"]);

    let mut request = CreateRequest::for_host("");
    request.sans = vec![San::parse("*.example.org").unwrap()];
    let (pair, certificate) = made(&request);
    assert_eq!(pair.name.as_str(), "_.example.org");
    assert_eq!(certificate.subject, "CN=*.example.org");
}

#[test]
fn a_host_name_that_is_too_long_for_a_subject_stands_among_the_alternative_names() {
    let long = format!("{}.example.org", "x".repeat(60));
    let mut further = CreateRequest::for_host("");
    further.sans = vec![San::Dns(long.clone())];
    for request in [CreateRequest::for_host(&long), further.clone()] {
        let (pair, certificate) = made(&request);
        assert_eq!(pair.name.as_str(), long);
        assert_eq!((certificate.subject.as_str(), &certificate.dns_names), ("", &vec![long.clone()]));
        // RFC 5280 section 4.2.1.6.
        let text = shown(&["x509", "-noout", "-ext", "subjectAltName"], &pair.certificate);
        assert!(text.contains("Alternative Name: critical"), "{text}");
        let text = shown(&["req", "-noout", "-verify", "-text"], pair.csr.as_deref().unwrap());
        assert!(text.contains("Alternative Name: critical") && text.contains(&long), "{text}");
        let (folder, now) = (tempfile::tempdir().unwrap(), OffsetDateTime::now_utc());
        publish(folder.path(), &pair, Existing::Refuse).unwrap();
        let (identity, _) = Identity::load(folder.path(), &pair.name, now).unwrap();
        let renewed = renew(&identity, None, now).unwrap();
        assert_eq!((renewed.certificate.subject.as_str(), renewed.certificate.dns_names), ("", vec![long.clone()]));
    }
    // Of several the first that fits is the common name.
    further.sans.push(San::Dns("short.example.org".into()));
    assert_eq!(made(&further).1.subject, "CN=short.example.org");
    let mail = CreateRequest { sans: vec![San::Email("a@example.org".into())], ..CreateRequest::for_host("") };
    assert!(matches!(mail.check(), Err(CreateError::NoName)));
}

#[test]
fn two_creations_share_nothing() {
    let request = CreateRequest::for_host("localhost");
    let (a, b) = (made(&request).1, made(&request).1);
    assert_ne!(a.serial, b.serial);
    assert_ne!(a.key_fingerprint, b.key_fingerprint);
}

#[test]
fn impossible_requests_are_refused_before_a_key_is_made() {
    let mut nothing = CreateRequest::for_host("");
    nothing.subject.organization = Some("Example".into());
    assert!(matches!(nothing.check(), Err(CreateError::NoName)));
    let person = CreateRequest::for_host("Jane Doe");
    assert!(matches!(person.check(), Err(CreateError::NoHostName)));
    for days in [0, MAX_DAYS + 1] {
        let request = CreateRequest { days, ..CreateRequest::for_host("localhost") };
        assert!(matches!(request.check(), Err(CreateError::Days { .. })));
    }
    let mut many = CreateRequest::for_host("localhost");
    many.sans = (0..MAX_SANS).map(|i| San::Dns(format!("h{i}.example"))).collect();
    assert!(matches!(many.check(), Err(CreateError::TooManyNames)));
    let mut country = CreateRequest::for_host("localhost");
    country.subject.country = Some("Germany".into());
    assert!(matches!(country.check(), Err(CreateError::Field { .. })));
    assert!(CreateRequest::for_host("localhost").check().is_ok());
}
