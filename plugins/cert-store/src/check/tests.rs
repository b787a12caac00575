//! Each finding, made on purpose; and a folder without any.

mod above;

use std::os::unix::fs::PermissionsExt;

use dovetail_sdk::listeners::ListenerTls;
use time::Duration;

use super::*;
use crate::create::{create, CreateRequest, San};
use crate::follow::record::Record;
use crate::key::KeyType;
use crate::publish::{publish, Existing};
use crate::testing::openssl;

/// A folder with the pair `mail` for mail.test, and ways to spoil it.
struct Folder {
    dir: tempfile::TempDir,
    now: OffsetDateTime,
    known: Roots,
}

impl Folder {
    fn new() -> Self {
        let this = Self { dir: tempfile::tempdir().unwrap(), now: OffsetDateTime::now_utc(), known: Roots::default() };
        std::fs::set_permissions(this.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        this.add("mail", "mail.test", KeyType::EcdsaP256, 0);
        this
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn add(&self, name: &str, host: &str, key_type: KeyType, days_ago: i64) {
        let request = CreateRequest {
            name: Some(CertName::new(name).unwrap()),
            key_type,
            sans: vec![San::parse(host).unwrap()],
            ..CreateRequest::for_host("")
        };
        let (pair, _) = create(&request, self.now - Duration::days(days_ago)).unwrap();
        publish(self.path(), &pair, Existing::Replace).unwrap();
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.path().join(file), text).unwrap();
    }

    fn mode(&self, file: &str, mode: u32) {
        std::fs::set_permissions(self.path().join(file), std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn check(&self, around: &Around, hosts: &[&str]) -> Vec<(Level, &'static str, String)> {
        let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
        // What openssl makes begins now.
        let findings = check_with(self.path(), around, &hosts, &self.known, self.now + Duration::minutes(1)).findings;
        for finding in &findings {
            assert!(CODES.iter().any(|(code, _)| *code == finding.code), "{finding:?} has an unknown code");
            assert!(finding.message.len() > 20, "{finding:?}");
        }
        let short = findings.into_iter().map(|finding| (finding.level, finding.code, finding.about));
        short.filter(|(_, code, _)| *code != "self-signed").collect()
    }

    /// The only thing that is wrong but for the signature.
    #[track_caller]
    fn is_only(&self, level: Level, code: &str, about: &str) {
        let found = self.check(&Around::default(), &[]);
        let [(found_level, found_code, found_about)] = &found[..] else {
            panic!("{code}: {found:?}");
        };
        assert_eq!((*found_level, *found_code, found_about.as_str()), (level, code, about));
    }
}

#[test]
fn a_folder_as_we_make_it_has_only_its_signature_against_it() {
    let folder = Folder::new();
    assert_eq!(folder.check(&Around::default(), &["mail.test"]), []);
    let all = check(folder.path(), &Around::default(), &[], folder.now);
    assert_eq!((all.good, all.pairs, all.findings.len()), (1, 1, 1));
    assert_eq!((all.findings[0].level, all.findings[0].code), (Level::Warning, "self-signed"));
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let folder = Folder::new();
    let found = check(&folder.path().join("none"), &Around::default(), &[], folder.now).findings;
    assert_eq!((found[0].level, found[0].code), (Level::Error, "folder"));
}

#[test]
fn permissions_of_keys_files_and_the_folder() {
    let folder = Folder::new();
    folder.mode("mail.key", 0o640);
    folder.is_only(Level::Error, "key-permissions", "mail.key");
    folder.mode("mail.key", 0o400);
    assert_eq!(folder.check(&Around::default(), &[]), []);
    folder.mode("mail.crt", 0o664);
    folder.is_only(Level::Error, "permissions", "mail.crt");
    folder.mode("mail.crt", 0o644);
    let shown = folder.path().display().to_string();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o770)).unwrap();
    folder.is_only(Level::Warning, "folder", &shown);
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    folder.is_only(Level::Error, "folder", &shown);
}

#[test]
fn what_has_no_business_there() {
    let folder = Folder::new();
    folder.write("old.pem", "x");
    folder.is_only(Level::Warning, "foreign-file", "old.pem");
    std::fs::remove_file(folder.path().join("old.pem")).unwrap();
    folder.write("my mail.crt", "x");
    folder.is_only(Level::Warning, "name", "my mail.crt");
    std::fs::remove_file(folder.path().join("my mail.crt")).unwrap();
    for name in [".stage-key-mail", ".follow-mail"] {
        folder.write(name, "x");
        folder.is_only(Level::Warning, "leftover", &folder.path().display().to_string());
        // What the message promises.
        folder.add("mail", "mail.test", KeyType::EcdsaP256, 0);
        assert_eq!(folder.check(&Around::default(), &[]), []);
    }
    std::fs::copy(folder.path().join("mail.key"), folder.path().join("lone.key")).unwrap();
    folder.is_only(Level::Warning, "lone-key", "lone");
    std::fs::remove_file(folder.path().join("lone.key")).unwrap();
    std::fs::rename(folder.path().join("mail.csr"), folder.path().join("other.csr")).unwrap();
    folder.is_only(Level::Warning, "lone-request", "other");
    folder.add("other", "other.test", KeyType::EcdsaP256, 0);
    std::fs::copy(folder.path().join("other.csr"), folder.path().join("mail.csr")).unwrap();
    folder.is_only(Level::Warning, "request", "mail");
    folder.write("mail.csr", "x");
    folder.is_only(Level::Warning, "request", "mail");
}

#[test]
fn what_is_not_looked_at_whatever_its_letters() {
    let folder = Folder::new();
    for file in ["OTHER.CRT", "x.PEM", "mail.Csr", "chain.p7b", "chain.P7C", "old.cer", "store.jks"] {
        folder.write(file, "x");
        folder.mode(file, 0o644);
        folder.is_only(Level::Warning, "foreign-file", file);
        std::fs::remove_file(folder.path().join(file)).unwrap();
    }
    std::fs::copy(folder.path().join("mail.key"), folder.path().join("x.KEY")).unwrap();
    folder.is_only(Level::Warning, "foreign-file", "x.KEY");
    folder.mode("x.KEY", 0o644);
    let found = folder.check(&Around::default(), &[]);
    let codes: Vec<_> = found.iter().map(|(level, code, _)| (*level, *code)).collect();
    assert_eq!(codes, [(Level::Error, "key-permissions"), (Level::Warning, "foreign-file")]);
}

#[test]
fn a_key_that_others_can_read_is_seen_in_any_file() {
    let folder = Folder::new();
    let text = |file: &str| std::fs::read_to_string(folder.path().join(file)).unwrap();
    let both = format!("{}{}", text("mail.crt"), text("mail.key"));
    for mode in [0o640, 0o604] {
        folder.write("both.bak", &both);
        folder.mode("both.bak", mode);
        folder.is_only(Level::Error, "permissions", "both.bak");
    }
    folder.write("both.bak", &format!("{}-----BEGIN DSA PRIVATE KEY-----\ndamaged", text("mail.crt")));
    folder.is_only(Level::Error, "permissions", "both.bak");
    folder.mode("both.bak", 0o600);
    assert_eq!(folder.check(&Around::default(), &[]), []);
    std::fs::remove_file(folder.path().join("both.bak")).unwrap();
    // A certificate's own file, too.
    folder.write("mail.crt", &both);
    folder.is_only(Level::Error, "permissions", "mail.crt");
}

#[test]
fn a_pair_that_is_none_is_an_error() {
    let folder = Folder::new();
    folder.add("other", "other.test", KeyType::EcdsaP256, 0);
    std::fs::copy(folder.path().join("other.crt"), folder.path().join("mail.crt")).unwrap();
    folder.is_only(Level::Error, "unusable", "mail");
    std::fs::remove_file(folder.path().join("mail.key")).unwrap();
    std::fs::remove_file(folder.path().join("mail.csr")).unwrap();
    folder.is_only(Level::Error, "unusable", "mail");
}

#[test]
fn the_end_comes_nearer() {
    let folder = Folder::new();
    // Made for 365 days.
    for (days_ago, expected) in [
        (330, None),
        (336, Some((Level::Warning, "expiry"))),
        (352, Some((Level::Warning, "expiry"))),
        (359, Some((Level::Error, "expiry"))),
        (366, Some((Level::Error, "expired"))),
        (-2, Some((Level::Error, "not-yet-valid"))),
    ] {
        folder.add("mail", "mail.test", KeyType::EcdsaP256, days_ago);
        match expected {
            None => assert_eq!(folder.check(&Around::default(), &[]), []),
            Some((level, code)) => folder.is_only(level, code, "mail"),
        }
    }
}

#[test]
fn what_clients_think_of_a_certificate() {
    let folder = Folder::new();
    folder.add("mail", "mail.test", KeyType::Ed25519, 0);
    folder.is_only(Level::Warning, "nss", "mail");
    folder.add("mail", "mail.test", KeyType::Rsa2048, 0);
    let key = folder.path().join("mail.key");
    let sign = |more: &[&str]| {
        let args = ["req", "-x509", "-new", "-key", key.to_str().unwrap(), "-subj", "/CN=mail.test", "-days", "90"];
        let crt = openssl(&[&args, more].concat(), b"");
        folder.write("mail.crt", &String::from_utf8(crt).unwrap());
    };
    sign(&[]);
    folder.is_only(Level::Warning, "no-names", "mail");
    let names = ["-addext", "subjectAltName=DNS:mail.test"];
    sign(&[&names[..], &["-sha1"]].concat());
    folder.is_only(Level::Warning, "signature", "mail");
    sign(&[&names[..], &["-md5"]].concat());
    folder.is_only(Level::Error, "signature", "mail");
    sign(&[&names[..], &["-addext", "extendedKeyUsage=clientAuth"]].concat());
    folder.is_only(Level::Warning, "not-for-servers", "mail");
}

#[test]
fn names_that_no_certificate_is_for() {
    let folder = Folder::new();
    folder.add("wild", "*.shop.test", KeyType::EcdsaP256, 0);
    folder.add("ip", "192.0.2.1", KeyType::EcdsaP256, 0);
    let found = folder.check(&Around::default(), &["mail.test", "a.shop.test"]);
    assert_eq!(found, []);
    let found = folder.check(&Around::default(), &["other.test", "a.b.shop.test", "192.0.2.2"]);
    let about: Vec<&str> = found.iter().map(|(_, _, about)| about.as_str()).collect();
    assert_eq!(about, ["192.0.2.2", "a.b.shop.test", "other.test"]);
    assert!(found.iter().all(|(level, code, _)| (*level, *code) == (Level::Error, "host")));
}

#[test]
fn what_the_configuration_asks_for() {
    let folder = Folder::new();
    let listener = |name: &str, tls, certificate: Option<&str>| ListenerInfo {
        name: name.to_owned(),
        protocol: "imap".to_owned(),
        tls,
        certificate: certificate.map(str::to_owned),
    };
    let mut around = Around { hostname: Some("server.test".to_owned()), ..Around::default() };
    assert_eq!(folder.check(&around, &[]), [], "nobody speaks TLS");
    around.listeners = vec![
        listener("imap", ListenerTls::Explicit, Some("mail")),
        listener("imaps", ListenerTls::Implicit, Some("none")),
        listener("plain", ListenerTls::Off, Some("none")),
    ];
    around.default = CertName::new("gone").ok();
    let found = folder.check(&around, &[]);
    let short: Vec<(&str, &str)> = found.iter().map(|(_, code, about)| (*code, about.as_str())).collect();
    assert_eq!(short, [("default", "gone"), ("listener", "imaps"), ("host", "server.test")]);
}

#[test]
fn a_pair_that_nobody_gets() {
    let folder = Folder::new();
    folder.add("mail", "mail.test", KeyType::EcdsaP256, 10);
    folder.add("newer", "mail.test", KeyType::EcdsaP256, 0);
    folder.add("newer+rsa", "mail.test", KeyType::Rsa2048, 0);
    folder.add("a-default", "x.test", KeyType::EcdsaP256, 0);
    folder.is_only(Level::Warning, "shadowed", "mail");
    let named = ListenerInfo {
        name: "imap".to_owned(),
        protocol: "imap".to_owned(),
        tls: ListenerTls::Explicit,
        certificate: Some("mail".to_owned()),
    };
    let around = Around { listeners: vec![named], ..Around::default() };
    assert_eq!(folder.check(&around, &[]), []);
}

#[test]
fn somebody_gets_a_wildcard_under_its_own_name() {
    let folder = Folder::new();
    folder.add("_.example.test", "*.example.test", KeyType::EcdsaP256, 0);
    assert_eq!(folder.check(&Around::default(), &[]), []);
}

#[test]
fn a_self_signed_pair_waits_beside_an_authoritys() {
    let folder = Folder::new();
    folder.add("mail+rsa", "mail.test", KeyType::Rsa2048, 0);
    assert_eq!(folder.check(&Around::default(), &["mail.test"]), []);
    // An authority of its own, whom nobody knows: that it isn't in the file is another matter.
    let key = folder.path().join("mail.key");
    let csr = openssl(&["req", "-new", "-key", key.to_str().unwrap(), "-subj", "/CN=mail.test"], b"");
    let ca = tempfile::tempdir().unwrap();
    let path = |name: &str| ca.path().join(name).to_str().unwrap().to_owned();
    let ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    openssl(&[&["req", "-x509", "-subj", "/CN=CA", "-keyout", &path("k"), "-out", &path("c")][..], &ec].concat(), b"");
    std::fs::write(path("ext"), "subjectAltName=DNS:mail.test\n").unwrap();
    let by = ["-CA", &path("c"), "-CAkey", &path("k"), "-days", "90", "-extfile", &path("ext")];
    let crt = openssl(&[&["x509", "-req"][..], &by].concat(), &csr);
    folder.write("mail.crt", &String::from_utf8(crt).unwrap());
    let found = folder.check(&Around::default(), &["mail.test"]);
    let shadowed: Vec<_> = found.iter().filter(|(_, code, _)| *code == "shadowed").collect();
    assert_eq!(shadowed, [&(Level::Warning, "shadowed", "mail+rsa".to_owned())], "{found:?}");
}

#[test]
fn what_is_followed_and_not_in_step() {
    let folder = Folder::new();
    let theirs = tempfile::tempdir().unwrap();
    for file in ["mail.key", "mail.crt"] {
        std::fs::copy(folder.path().join(file), theirs.path().join(file)).unwrap();
    }
    let record = Record { path: theirs.path().to_owned(), key: None };
    let name = CertName::new("mail").unwrap();
    record.write(folder.path(), &name).unwrap();
    assert_eq!(folder.check(&Around::default(), &[]), []);
    folder.add("mail", "mail.test", KeyType::EcdsaP256, 1);
    folder.is_only(Level::Warning, "follow", "mail");
    std::fs::remove_file(theirs.path().join("mail.crt")).unwrap();
    folder.is_only(Level::Error, "follow", "mail");
    folder.write("mail.follow", "{}");
    folder.is_only(Level::Error, "follow", "mail");
}
