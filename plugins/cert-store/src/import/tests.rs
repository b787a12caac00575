//! A table of what people bring, named for what each case proves, and what becomes of it.

use std::path::Path;

mod cases;
mod sealed;

use super::*;
use crate::key::KeyType;
use crate::testing::{openssl, try_openssl};
use cases::*;
use sealed::{bundles, encrypted_keys};

fn run(folder: &Path, case: &Case) -> Result<Imported, ImportError> {
    let request = ImportRequest {
        certificate: Input::new("brought.pem", case.cert.clone()).unwrap(),
        key: case.key.clone().map(|key| Input::new("brought.key", key).unwrap()),
        password: case.password.map(|password| Zeroizing::new(password.into())),
        name: None,
        replace: false,
        add: false,
    };
    // Clients know the root; only what is between it and the leaf can be missing.
    let known = Roots::of(&[TEST_ROOT]);
    prepare_with(folder, &request, &known, OffsetDateTime::now_utc())?.publish(folder)
}

#[test]
fn the_table() {
    let cases = [
        forms_of_a_good_pair(),
        encrypted_keys(),
        bundles(),
        chains(),
        doubtful_certificates(),
        refused_keys_and_certificates(),
        mixed_up_files(),
    ];
    for case in cases.iter().flatten() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("certs");
        let result = run(&folder, case);
        let what = case.what;
        match &case.expected {
            Bad(said) => {
                let error = result.map(|i| i.warnings).expect_err(what).to_string();
                assert!(error.contains(said), "{what}: {error}");
                assert!(!folder.exists(), "{what} left something behind");
                assert!(what.starts_with("bad-"), "{what}");
            }
            Good => {
                let imported = result.unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_eq!(imported.warnings, [""; 0], "{what}");
                assert!(what.starts_with("good-"), "{what}");
                openssl_agrees(&folder, what);
            }
            Warn(said) => {
                let imported = result.unwrap_or_else(|error| panic!("{what}: {error}"));
                let [warning] = &imported.warnings[..] else {
                    panic!("{what}: {:?}", imported.warnings);
                };
                assert!(warning.contains(said), "{what}: {warning}");
                assert!(what.starts_with("warn-"), "{what}");
                openssl_agrees(&folder, what);
            }
        }
    }
}

/// What was published is one pair to openssl, too.
fn openssl_agrees(folder: &Path, what: &str) {
    let read = |ext: &str| std::fs::read(folder.join(format!("brought.{ext}"))).unwrap();
    let from_key = openssl(&["pkey", "-pubout"], &read("key"));
    let from_crt = openssl(&["x509", "-pubkey", "-noout"], &read("crt"));
    assert_eq!(from_key, from_crt, "{what}");
}

#[test]
fn a_chain_is_stored_leaf_first_and_verifies() {
    let a = authority();
    let dir = tempfile::tempdir().unwrap();
    let everything = format!("{}{}{}{}", a.root, a.intermediate, a.leaf.crt, a.leaf.key);
    let imported = run(dir.path(), &combined("chain", everything, Good)).unwrap();
    assert_eq!(imported.chain.len(), 2);
    assert_eq!(imported.chain[0].dns_names, ["mail.example.org"]);
    let root = dir.path().join("root.pem");
    std::fs::write(&root, &a.root).unwrap();
    let crt = dir.path().join("brought.crt");
    let (crt, root) = (crt.to_str().unwrap(), root.to_str().unwrap());
    let (ok, _, said) = try_openssl(&["verify", "-CAfile", root, "-untrusted", crt, crt], b"");
    assert!(ok, "{said}");
}

#[test]
fn the_answer_to_a_request_finds_its_key() {
    let dir = tempfile::tempdir().unwrap();
    let now = OffsetDateTime::now_utc();
    let request = crate::create::CreateRequest::for_host("mail.example.org");
    let (pair, old) = crate::create::create(&request, now).unwrap();
    publish(dir.path(), &pair, Existing::Refuse).unwrap();
    let answer = self_signed(&pair.key);
    let bring = |origin: &str, name: Option<&str>| {
        let request = ImportRequest {
            certificate: Input::new(origin, answer.clone().into_bytes()).unwrap(),
            key: None,
            password: None,
            name: name.map(|name| CertName::new(name).unwrap()),
            replace: false,
            add: false,
        };
        import(dir.path(), &request, now).unwrap()
    };
    // Authorities call their files what they like: the key says which pair is meant.
    let imported = bring("4711.cer", None);
    assert_eq!(imported.name.as_str(), "mail.example.org");
    assert_eq!(imported.published, Published::CertificateReplaced);
    assert_ne!(imported.chain[0].fingerprint, old.fingerprint);
    assert!(dir.path().join("mail.example.org.csr").exists());
    // Under another name, the key goes along.
    let imported = bring("4711.cer", Some("second"));
    assert_eq!((imported.name.as_str(), imported.published), ("second", Published::New));
}

#[test]
fn names_are_the_certificates_or_the_given_one_and_never_overwritten_by_another_key() {
    let dir = tempfile::tempdir().unwrap();
    let now = OffsetDateTime::now_utc();
    let bring = |key: &str, name: Option<&str>, replace: bool| {
        let request = ImportRequest {
            certificate: Input::new("/tmp/mail.example.org.crt", self_signed(key).into_bytes()).unwrap(),
            key: Some(Input::new("whatever.key", key.as_bytes().to_vec()).unwrap()),
            password: None,
            name: name.map(|name| CertName::new(name).unwrap()),
            replace,
            add: false,
        };
        import(dir.path(), &request, now)
    };
    let (a, b) = (ec_key(), ec_key());
    assert_eq!(bring(&a, None, false).unwrap().name.as_str(), "mail.example.org");
    assert_eq!(bring(&a, Some("given"), false).unwrap().name.as_str(), "given");
    assert_eq!(bring(&a, None, false).unwrap().published, Published::CertificateReplaced);
    let before = std::fs::read(dir.path().join("given.crt")).unwrap();
    let error = bring(&b, Some("given"), false).unwrap_err().to_string();
    assert!(error.contains("has another key"), "{error}");
    assert_eq!(std::fs::read(dir.path().join("given.crt")).unwrap(), before);
    assert_eq!(bring(&b, Some("given"), true).unwrap().published, Published::PairReplaced);
}

#[test]
fn a_further_pair_is_added_beside_the_one_that_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let bring = |key: &str, name: &str, add: bool| {
        let request = ImportRequest {
            certificate: Input::new("brought.crt", self_signed(key).into_bytes()).unwrap(),
            key: Some(Input::new("brought.key", key.as_bytes().to_vec()).unwrap()),
            password: None,
            name: Some(CertName::new(name).unwrap()),
            replace: false,
            add,
        };
        import(dir.path(), &request, OffsetDateTime::now_utc()).map_err(|error| error.to_string())
    };
    let (ecdsa, rsa) = (ec_key(), rsa_key());
    let error = bring(&rsa, "mail", true).unwrap_err();
    assert!(error.contains("no certificate \"mail\""), "{error}");
    bring(&ecdsa, "mail", false).unwrap();
    let error = bring(&ecdsa, "mail+rsa", false).unwrap_err();
    assert!(error.contains("is for a pair with an RSA key, and this key is ECDSA"), "{error}");
    assert_eq!(bring(&rsa, "mail", true).unwrap().name.as_str(), "mail+rsa");
    let error = bring(&ec_key(), "mail", true).unwrap_err();
    assert!(error.contains("ECDSA key already, \"mail\""), "{error}");
}

#[test]
fn a_forged_public_half_in_the_key_file_doesnt_pass_for_the_key() {
    // A key whose file claims the public half of the certificate's key: comparing would accept it.
    let (mine, theirs) = (KeyType::EcdsaP256.generate().unwrap(), KeyType::EcdsaP256.generate().unwrap());
    let mut forged = mine.pkcs8().to_vec();
    let at = forged.len() - theirs.public_raw().len();
    forged[at..].copy_from_slice(theirs.public_raw());
    let crt = self_signed(&theirs.to_pem());
    let forged = pem::encode("PRIVATE KEY", &forged).to_string();
    let dir = tempfile::tempdir().unwrap();
    let error = run(dir.path(), &pair("forged", crt, forged, Good)).unwrap_err();
    assert!(error.to_string().contains("don't fit together"), "{error}");
}
