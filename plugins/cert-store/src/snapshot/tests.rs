use super::*;
use crate::create::{create, CreateRequest, San};
use crate::folder::PairFiles;
use crate::publish::{publish, Existing};
use proptest::prelude::*;

fn set(dir: &std::path::Path, id: u64, name: &str, hosts: &[&str], days_ago: i64) -> Arc<IdentitySet> {
    let now = OffsetDateTime::now_utc();
    let name = CertName::new(name).unwrap();
    let request = CreateRequest {
        name: Some(name.clone()),
        sans: hosts.iter().map(|host| San::parse(host).unwrap()).collect(),
        ..CreateRequest::for_host("")
    };
    let (pair, _) = create(&request, now - time::Duration::days(days_ago)).unwrap();
    publish(dir, &pair, Existing::Refuse).unwrap();
    let (identity, stamp) = Identity::load(dir, &name, now).unwrap();
    assert_eq!(stamp, PairFiles::of(dir, &name).stamp());
    Arc::new(IdentitySet { id, identities: vec![identity], stamp })
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
            assert_eq!(snapshot.resolve(listener, asked), expected, "{listener:?} {asked:?}");
        }
    }
    assert_eq!(Snapshot::default().resolve(None, Some("x")), None);
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
    let id = |listener| snapshot.resolve(listener, Some("mail.example.org")).unwrap().0;
    assert_eq!(id(None), 3);
    assert_eq!(id(Some("b-old")), 2);
    assert_eq!(id(Some("elsewhere")), 3);
}

#[test]
fn retired_sets_load_but_are_never_chosen() {
    let dir = tempfile::tempdir().unwrap();
    let old = set(dir.path(), 1, "one", &["mail.example.org"], 0);
    let snapshot = Snapshot::new(Vec::new(), [old], None, OffsetDateTime::now_utc());
    assert!(snapshot.get(1).is_some() && snapshot.get(2).is_none());
    assert!(snapshot.is_empty());
    assert_eq!(snapshot.resolve(Some("one"), Some("mail.example.org")), None);
}

proptest! {
    #[test]
    fn any_name_resolves_to_something_or_nothing(listener in ".{0,20}", asked in ".{0,20}") {
        let snapshot = Snapshot::default();
        prop_assert_eq!(snapshot.resolve(Some(&listener), Some(&asked)), None);
    }
}
