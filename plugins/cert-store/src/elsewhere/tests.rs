//! Surveys of layouts as programs make them; the files' contents are real.

use super::*;
use crate::create::{create, CreateRequest};
use crate::key::KeyType;
use crate::testing::openssl;
use time::{Duration, OffsetDateTime};

/// A key and a self-signed certificate for `host`, as PEM.
fn made(host: &str, key_type: KeyType, days_ago: i64) -> (String, String) {
    let request = CreateRequest { key_type, ..CreateRequest::for_host(host) };
    let (pair, _) = create(&request, OffsetDateTime::now_utc() - Duration::days(days_ago)).unwrap();
    (pair.key.to_string(), pair.certificate)
}

fn source(path: &str, text: &str) -> Source {
    Source { path: path.into(), bytes: text.as_bytes().to_vec().into() }
}

/// Names, programs and certificates' files of what was found.
fn found(survey: &Survey) -> Vec<(String, Program, String)> {
    let found = survey.found.iter();
    found.map(|found| (found.name.to_string(), found.pair.place.program, shown(&found.pair.certificate_file))).collect()
}

use layout::Program;

fn one(name: &str, program: Program, file: &str) -> (String, Program, String) {
    (name.to_owned(), program, file.to_owned())
}

#[test]
fn certbots_live_is_taken_once_and_its_archive_is_not() {
    let (key, crt) = made("a.test", KeyType::EcdsaP256, 0);
    let (old_key, old_crt) = made("a.test", KeyType::EcdsaP256, 60);
    let survey = survey(
        vec![
            source("/e/live/a.test/cert.pem", &crt),
            source("/e/live/a.test/fullchain.pem", &crt),
            source("/e/live/a.test/privkey.pem", &key),
            source("/e/archive/a.test/fullchain1.pem", &old_crt),
            source("/e/archive/a.test/privkey1.pem", &old_key),
            source("/e/archive/a.test/fullchain2.pem", &crt),
            source("/e/archive/a.test/privkey2.pem", &key),
        ],
        None,
    );
    assert_eq!(found(&survey), [one("a.test", Program::Certbot, "/e/live/a.test/cert.pem")]);
    assert_eq!(survey.left.len(), 1, "{:?}", survey.left);
    assert!(survey.left[0].file.starts_with("4 files of certbot"), "{:?}", survey.left);
}

#[test]
fn acme_sh_has_two_families_under_one_name() {
    let (ec_key, ec_crt) = made("a.test", KeyType::EcdsaP256, 0);
    let (rsa_key, rsa_crt) = made("a.test", KeyType::Rsa2048, 0);
    let survey = survey(
        vec![
            source("/r/.acme.sh/a.test/a.test.key", &rsa_key),
            source("/r/.acme.sh/a.test/fullchain.cer", &rsa_crt),
            source("/r/.acme.sh/a.test/a.test.conf", "Le_Domain='a.test'"),
            source("/r/.acme.sh/a.test_ecc/a.test.key", &ec_key),
            source("/r/.acme.sh/a.test_ecc/fullchain.cer", &ec_crt),
        ],
        None,
    );
    let expected = [
        one("a.test", Program::AcmeSh, "/r/.acme.sh/a.test_ecc/fullchain.cer"),
        one("a.test+rsa", Program::AcmeSh, "/r/.acme.sh/a.test/fullchain.cer"),
    ];
    assert_eq!(found(&survey), expected);
    assert_eq!(survey.left, []);
}

#[test]
fn caddys_wildcards_and_flat_folders() {
    let (wild_key, wild_crt) = made("*.a.test", KeyType::EcdsaP256, 0);
    let (key, crt) = made("b.test", KeyType::EcdsaP256, 0);
    let (other_key, other_crt) = made("c.test", KeyType::EcdsaP256, 0);
    let (third_key, third_crt) = made("d.test", KeyType::EcdsaP256, 0);
    let survey = survey(
        vec![
            source("/c/certificates/acme/wildcard_.a.test/wildcard_.a.test.crt", &wild_crt),
            source("/c/certificates/acme/wildcard_.a.test/wildcard_.a.test.key", &wild_key),
            source("/old/certs/office.crt", &crt),
            source("/old/certs/office.key", &key),
            source("/old/certs/combined.pem", &format!("{other_key}{other_crt}")),
            source("/ssl/certs/server.pem", &third_crt),
            source("/ssl/private/whatever.key", &third_key),
        ],
        None,
    );
    let expected = [
        one("_.a.test", Program::Caddy, "/c/certificates/acme/wildcard_.a.test/wildcard_.a.test.crt"),
        one("c.test", Program::Files, "/old/certs/combined.pem"),
        one("office", Program::Files, "/old/certs/office.crt"),
        one("whatever", Program::Files, "/ssl/certs/server.pem"),
    ];
    assert_eq!(found(&survey), expected);
}

#[test]
fn of_two_certificates_for_one_key_the_newest_counts_and_of_two_pairs_of_one_name() {
    let dir = tempfile::tempdir().unwrap();
    let (key, old) = made("a.test", KeyType::EcdsaP256, 100);
    let file = dir.path().join("key");
    std::fs::write(&file, &key).unwrap();
    let new =
        openssl(&["req", "-x509", "-new", "-key", file.to_str().unwrap(), "-subj", "/CN=a.test", "-days", "9"], b"");
    let new = String::from_utf8(new).unwrap();
    let (other_key, other) = made("a.test", KeyType::EcdsaP256, 50);
    let survey = survey(
        vec![
            source("/1/a.test.crt", &old),
            source("/1/a.test.key", &key),
            source("/1/new.crt", &new),
            source("/2/new.crt", &other),
            source("/2/new.key", &other_key),
        ],
        None,
    );
    assert_eq!(found(&survey), [one("new", Program::Files, "/1/new.crt")]);
    let told: Vec<(&str, bool)> = survey.left.iter().map(|left| (left.file.as_str(), left.problem)).collect();
    assert_eq!(told, [("/1/a.test.crt", false), ("/2/new.crt", true)], "{:?}", survey.left);
}

#[test]
fn what_is_not_a_pair_is_told() {
    let (lone_key, _) = made("a.test", KeyType::EcdsaP256, 0);
    let leaf = authority_and_leaf();
    let survey = survey(
        vec![
            source("/x/lone.key", &lone_key),
            source("/x/ca.key", &leaf.ca_key),
            source("/x/ca.crt", &leaf.ca),
            source("/x/leaf.crt", &leaf.crt),
            source("/x/broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n"),
            source("/x/empty.pem", ""),
        ],
        None,
    );
    assert_eq!(found(&survey), []);
    let told: Vec<(&str, bool)> = survey.left.iter().map(|left| (left.file.as_str(), left.problem)).collect();
    for expected in [
        ("/x/lone.key", true),
        ("/x/leaf.crt", true),
        ("/x/broken.pem", true),
        ("/x/empty.pem", true),
        ("/x/ca.crt", false),
    ] {
        assert!(told.contains(&expected), "{expected:?} is not in {:?}", survey.left);
    }
}

#[test]
fn intermediates_are_found_beside_the_certificate() {
    let leaf = authority_and_leaf();
    let survey = survey(
        vec![
            source("/x/mail.crt", &leaf.crt),
            source("/x/mail.key", &leaf.key),
            source("/x/authority.crt", &leaf.ca),
            source("/y/authority.crt", &leaf.ca),
        ],
        None,
    );
    assert_eq!(survey.found[0].pair.certificates.len(), 2);
}

#[test]
fn an_encrypted_key_wants_its_password() {
    let (key, crt) = made("a.test", KeyType::EcdsaP256, 0);
    let encrypted = openssl(&["pkcs8", "-topk8", "-passout", "pass:sesame"], key.as_bytes());
    let encrypted = String::from_utf8(encrypted).unwrap();
    let look = |password| survey(vec![source("/x/a.crt", &crt), source("/x/a.key", &encrypted)], password);
    let without = look(None);
    assert!(without.wants_password && without.found.is_empty());
    assert!(without.left.iter().any(|left| left.file == "/x/a.key" && left.problem), "{:?}", without.left);
    assert_eq!(found(&look(Some(b"sesame"))), [one("a", Program::Files, "/x/a.crt")]);
    assert!(look(Some(b"wrong")).found.is_empty());
}

struct Issued {
    ca: String,
    ca_key: String,
    key: String,
    crt: String,
}

fn authority_and_leaf() -> Issued {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    let (ca_key, ca_crt, key) = (path("ca.key"), path("ca.crt"), path("b.key"));
    let ca = [&["req", "-x509", "-subj", "/CN=CA", "-keyout", &ca_key, "-out", &ca_crt][..], &ec].concat();
    openssl(&ca, b"");
    let csr = openssl(&[&["req", "-new", "-subj", "/CN=b.test", "-keyout", &key][..], &ec].concat(), b"");
    let crt = openssl(&["x509", "-req", "-CA", &ca_crt, "-CAkey", &ca_key, "-days", "9"], &csr);
    let read = |name: &str| std::fs::read_to_string(path(name)).unwrap();
    Issued { ca: read("ca.crt"), ca_key: read("ca.key"), key: read("b.key"), crt: String::from_utf8(crt).unwrap() }
}

#[test]
fn what_cant_be_used_is_named_also_where_nothing_else_is() {
    let survey = survey(vec![source("/s/old.ppk", "PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\n")], None);
    assert!(survey.found.is_empty());
    let said: Vec<&str> = survey.left.iter().map(|left| left.reason.as_str()).collect();
    assert!(said.len() == 1 && said[0].contains("PuTTY") && said[0].contains('('), "no cure in {said:?}");
}

#[test]
fn of_two_intermediates_the_valid_one_is_taken_also_where_it_cant_be_verified() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let read = |name: &str| std::fs::read_to_string(path(name)).unwrap();
    std::fs::write(path("ca.ext"), "basicConstraints=critical,CA:TRUE\n").unwrap();
    // Signatures on P-521 can't be verified here.
    for curve in ["P-256", "P-521"] {
        let curve = format!("ec_paramgen_curve:{curve}");
        let key = |name: &str| {
            openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", &curve, "-out", &path(&format!("{name}.key"))], b"")
        };
        for name in ["root", "middle", "leaf"] {
            key(name);
        }
        let root = ["req", "-x509", "-new", "-key", &path("root.key"), "-subj", "/CN=Root", "-out", &path("root.crt")];
        openssl(&root, b"");
        let issue = |name: &str, issuer: &str, days: &str, ext: &str| {
            let subject = format!("/CN={name}.test");
            let csr = openssl(&["req", "-new", "-key", &path(&format!("{name}.key")), "-subj", &subject], b"");
            let (ca, ca_key, crt) = (format!("{issuer}.crt"), format!("{issuer}.key"), path(&format!("{name}.crt")));
            let args = ["x509", "-req", "-CA", &path(&ca), "-CAkey", &path(&ca_key), "-days", days, "-out", &crt];
            let extensions = ["-extfile", ext];
            let extensions = if ext.is_empty() { &[] } else { &extensions[..] };
            openssl(&[&args[..], extensions].concat(), &csr);
            std::fs::read_to_string(crt).unwrap()
        };
        let old = issue("middle", "root", "-1", &path("ca.ext"));
        let good = issue("middle", "root", "9", &path("ca.ext"));
        let leaf = issue("leaf", "middle", "9", "");
        for sources in [
            vec![source("/x/leaf.crt", &format!("{leaf}{old}{good}"))],
            vec![source("/x/leaf.crt", &leaf), source("/x/1.crt", &old), source("/x/2.crt", &good)],
            vec![source("/x/leaf.crt", &format!("{leaf}{old}")), source("/x/2.crt", &good)],
        ] {
            let key = source("/x/leaf.key", &read("leaf.key"));
            let survey = survey(sources.into_iter().chain([key]).collect(), None);
            let der = |pem_: &str| pem::scan(pem_.as_bytes()).unwrap()[0].der.to_vec();
            let chain = &survey.found[0].pair.certificates;
            assert_eq!(chain.len(), 2, "{curve}");
            assert_eq!((&chain[0].der, &chain[1].der), (&der(&leaf), &der(&good)), "{curve}");
        }
    }
}
