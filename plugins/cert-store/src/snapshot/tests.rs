use super::*;
use crate::create::{create, CreateRequest, San};
use crate::folder::PairFiles;
use crate::key::KeyType;
use crate::publish::{publish, Existing};
use crate::testing::openssl;
use proptest::prelude::*;

fn set(dir: &std::path::Path, id: u64, name: &str, hosts: &[&str], days_ago: i64) -> Arc<IdentitySet> {
    set_of(id, vec![pair(dir, name, KeyType::EcdsaP256, hosts, days_ago)])
}

fn set_of(id: u64, pairs: Vec<Arc<Pair>>) -> Arc<IdentitySet> {
    Arc::new(IdentitySet::new(id, pairs, OffsetDateTime::now_utc()).unwrap())
}

fn pair(dir: &std::path::Path, name: &str, key_type: KeyType, hosts: &[&str], days_ago: i64) -> Arc<Pair> {
    let now = OffsetDateTime::now_utc();
    let name = CertName::new(name).unwrap();
    let request = CreateRequest {
        name: Some(name.clone()),
        key_type,
        sans: hosts.iter().map(|host| San::parse(host).unwrap()).collect(),
        ..CreateRequest::for_host("")
    };
    let (pair, _) = create(&request, now - time::Duration::days(days_ago)).unwrap();
    publish(dir, &pair, Existing::Refuse).unwrap();
    let (identity, stamp) = Identity::load(dir, &name, now).unwrap();
    assert_eq!(stamp, PairFiles::of(dir, &name).stamp());
    Arc::new(Pair { identity, stamp })
}

/// The set that is chosen, by its own number.
fn resolved(snapshot: &Snapshot, listener: Option<&str>, asked: Option<&str>) -> Option<(u64, Why)> {
    let (id, why) = snapshot.resolve(listener, asked)?;
    assert!(snapshot.get(id).is_some_and(|part| part.id() == id));
    Some((id >> u8::BITS, why))
}

/// The names of the pairs that a client is shown.
fn shown(snapshot: &Snapshot, asked: Option<&str>) -> Vec<String> {
    let (id, _) = snapshot.resolve(None, asked).unwrap();
    snapshot.get(id).unwrap().pairs().map(|pair| pair.name().to_string()).collect()
}

/// The pair with a certificate for mail.example.org from an authority in place of its own.
fn signed(dir: &std::path::Path, pair: &Pair) -> Arc<Pair> {
    let files = PairFiles::of(dir, pair.name());
    let path = |file: &std::path::Path| file.to_str().unwrap().to_owned();
    let (ca, ca_key, ext) = (path(&dir.join("ca")), path(&dir.join("ca.key")), path(&dir.join("ext")));
    let ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    openssl(&[&["req", "-x509", "-subj", "/CN=CA", "-keyout", &ca_key, "-out", &ca][..], &ec].concat(), b"");
    std::fs::write(&ext, "subjectAltName=DNS:mail.example.org\n").unwrap();
    let csr = openssl(&["req", "-new", "-key", &path(&files.key), "-subj", "/CN=mail.example.org"], b"");
    let by = ["-CA", &ca, "-CAkey", &ca_key, "-days", "9", "-extfile", &ext, "-out", &path(&files.crt)];
    openssl(&[&["x509", "-req"][..], &by].concat(), &csr);
    // What openssl makes begins now.
    let later = OffsetDateTime::now_utc() + time::Duration::minutes(1);
    let (identity, stamp) = Identity::load(dir, pair.name(), later).unwrap();
    Arc::new(Pair { identity, stamp })
}

#[test]
fn of_one_identity_a_client_is_shown_what_it_can_verify() {
    let dir = tempfile::tempdir().unwrap();
    let now = OffsetDateTime::now_utc() + time::Duration::minutes(1);
    let snapshot = |pairs: &[&Arc<Pair>]| {
        Snapshot::new(vec![set_of(1, pairs.iter().map(|&pair| pair.clone()).collect())], [], None, now)
    };
    let (one, other) = (Some("mail.example.org"), Some("imap.example.org"));
    let rsa = pair(dir.path(), "mail+rsa", KeyType::Rsa2048, &["mail.example.org", "imap.example.org"], 0);
    let ecdsa = pair(dir.path(), "mail", KeyType::EcdsaP256, &["mail.example.org"], 0);
    let ed25519 = pair(dir.path(), "mail+ed25519", KeyType::Ed25519, &["mail.example.org"], 400);

    // No other name, and nothing that has expired, as long as there is something else.
    let all = snapshot(&[&rsa, &ecdsa, &ed25519]);
    assert_eq!(shown(&all, one), ["mail", "mail+rsa"]);
    assert_eq!(shown(&all, other), ["mail+rsa"]);
    assert_eq!(shown(&all, None), ["mail", "mail+rsa"]);
    assert_ne!(all.resolve(None, one).unwrap().0, all.resolve(None, other).unwrap().0);
    assert_eq!(shown(&snapshot(&[&ed25519]), one), ["mail+ed25519"]);

    // A self-signed one that waits for its authority is not in the way of one that has come back from there.
    let signed = signed(dir.path(), &rsa);
    let mixed = snapshot(&[&signed, &ecdsa]);
    assert_eq!((shown(&mixed, one), shown(&mixed, None)), (vec!["mail+rsa".to_owned()], vec!["mail+rsa".to_owned()]));
    assert_eq!(mixed.pairs().count(), 2);
    // For a name that it lacks, the other is better.
    let imap = pair(dir.path(), "mail+ecdsa", KeyType::EcdsaP384, &["imap.example.org"], 0);
    assert_eq!(shown(&snapshot(&[&signed, &imap]), other), ["mail+ecdsa"]);
}

#[test]
fn an_identity_has_a_pair_for_each_family_and_any_of_their_names_stands_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let now = OffsetDateTime::now_utc();
    let rsa = pair(dir.path(), "mail", KeyType::Rsa2048, &["mail.example.org"], 400);
    let ecdsa = pair(dir.path(), "mail+ecdsa", KeyType::EcdsaP256, &["mail.example.org", "imap.example.org"], 0);
    let both = set_of(1, vec![rsa.clone(), ecdsa.clone()]);
    assert_eq!(both.name().as_str(), "mail");
    let names: Vec<&str> = both.pairs().iter().map(|pair| pair.name().as_str()).collect();
    assert_eq!(names, ["mail+ecdsa", "mail"], "in the order in which providers try them");
    assert!(both.is_of(&[ecdsa.clone(), rsa.clone()]) && !both.is_of(std::slice::from_ref(&rsa)));
    // One half is valid, so the whole is better than an older one that is.
    let other = set(dir.path(), 2, "other", &["mail.example.org"], 20);
    let snapshot = Snapshot::new(vec![other, both], [], Some(&CertName::new("mail+ecdsa").unwrap()), now);
    assert_eq!(resolved(&snapshot, None, Some("mail.example.org")), Some((1, Why::Exact)));
    assert_eq!(resolved(&snapshot, None, Some("imap.example.org")), Some((1, Why::Exact)));
    for listener in ["mail", "mail+ecdsa", "mail+rsa"] {
        assert_eq!(resolved(&snapshot, Some(listener), None), Some((1, Why::Listener)));
    }
    assert_eq!(resolved(&snapshot, None, None), Some((1, Why::Default)));
    assert!(snapshot.pair(&CertName::new("mail+ecdsa").unwrap()).is_some_and(|pair| Arc::ptr_eq(pair, &ecdsa)));
    assert!(snapshot.pair(&CertName::new("mail+rsa").unwrap()).is_none());
}

#[test]
fn a_client_gets_the_certificate_of_its_name_first() {
    let dir = tempfile::tempdir().unwrap();
    let sets = vec![
        set(dir.path(), 1, "one", &["mail.example.org"], 0),
        set(dir.path(), 2, "two", &["*.example.org"], 0),
        set(dir.path(), 3, "a-default", &["fallback.example.com"], 0),
    ];
    let now = OffsetDateTime::now_utc();
    let name = CertName::new("two").unwrap();
    for (default, default_id) in [(None, 3), (Some(&name), 2)] {
        let snapshot = Snapshot::new(sets.clone(), [], default, now);
        for (listener, asked, expected) in [
            (None, Some("mail.example.org"), Some((1, Why::Exact))),
            (None, Some("MAIL.Example.ORG."), Some((1, Why::Exact))),
            (Some("two"), Some("mail.example.org"), Some((1, Why::Exact))),
            (Some("one"), Some("imap.example.org"), Some((2, Why::Wildcard))),
            (None, Some("a.b.example.org"), Some((default_id, Why::Default))),
            (None, Some("example.org"), Some((default_id, Why::Default))),
            (Some("one"), Some("unknown.example"), Some((1, Why::Listener))),
            (Some("one"), None, Some((1, Why::Listener))),
            (Some("none"), None, None),
            (Some("../one"), None, None),
            (Some("none"), Some("mail.example.org"), Some((1, Why::Exact))),
            (None, None, Some((default_id, Why::Default))),
        ] {
            assert_eq!(resolved(&snapshot, listener, asked), expected, "{listener:?} {asked:?}");
        }
    }
    assert_eq!(resolved(&Snapshot::default(), None, Some("x")), None);
}

#[test]
fn of_several_for_one_name_the_listeners_own_then_a_valid_then_the_newest() {
    let dir = tempfile::tempdir().unwrap();
    let now = OffsetDateTime::now_utc();
    let sets = vec![
        set(dir.path(), 1, "a-expired", &["mail.example.org"], 400),
        set(dir.path(), 2, "b-old", &["mail.example.org"], 20),
        set(dir.path(), 3, "c-new", &["mail.example.org"], 1),
    ];
    let snapshot = Snapshot::new(sets, [], None, now);
    let id = |listener| resolved(&snapshot, listener, Some("mail.example.org")).unwrap().0;
    assert_eq!(id(None), 3);
    assert_eq!(id(Some("b-old")), 2);
    assert_eq!(id(Some("elsewhere")), 3);
}

#[test]
fn retired_sets_load_but_are_never_chosen() {
    let dir = tempfile::tempdir().unwrap();
    let now = OffsetDateTime::now_utc();
    let old = set(dir.path(), 1, "one", &["mail.example.org"], 0);
    let snapshot = Snapshot::new(Vec::new(), [old.clone()], None, now);
    let id = Part::of(&old, None, now).id();
    assert!(snapshot.get(id).is_some_and(|part| part.pairs().count() == 1) && snapshot.get(id + 256).is_none());
    assert!(snapshot.is_empty());
    assert_eq!(resolved(&snapshot, Some("one"), Some("mail.example.org")), None);
}

proptest! {
    #[test]
    fn any_name_resolves_to_something_or_nothing(listener in ".{0,20}", asked in ".{0,20}") {
        let snapshot = Snapshot::default();
        prop_assert_eq!(resolved(&snapshot, Some(&listener), Some(&asked)), None);
    }
}
