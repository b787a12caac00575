use super::*;
use crate::create::{create, CreateRequest};
use crate::folder::PairFiles;
use crate::publish::{publish, Existing};

fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

fn add(folder: &Path, name: &str, host: &str, existing: Existing) {
    let request = CreateRequest { name: Some(CertName::new(name).unwrap()), ..CreateRequest::for_host(host) };
    let (pair, _) = create(&request, now()).unwrap();
    publish(folder, &pair, existing).unwrap();
}

/// What a timer's look finds and takes.
fn poll(live: &Live) -> Changes {
    live.look(How::Quick, now()).unwrap().map(|found| live.take(found, now())).unwrap_or_default()
}

fn id(live: &Live, host: &str) -> Option<u64> {
    live.snapshot().resolve(None, Some(host)).map(|(id, _)| id)
}

#[test]
fn each_change_is_served_at_once_and_nothing_else_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let live = Live::new(dir.path().join("certs"), None);
    assert!(!live.rescan(now()).unwrap().any(), "there is no folder yet");
    let began = live.generation();
    add(live.folder(), "a", "a.example", Existing::Refuse);
    assert_eq!(poll(&live).loaded.len(), 1);
    let first = id(&live, "a.example").unwrap();
    assert!(!poll(&live).any());
    assert_eq!(live.generation(), began + 1);

    add(live.folder(), "b", "b.example", Existing::Refuse);
    let changes = poll(&live);
    assert_eq!(changes.loaded, [CertName::new("b").unwrap()]);
    assert_eq!(id(&live, "a.example"), Some(first), "an unchanged pair keeps its identifier");
    assert_ne!(id(&live, "b.example"), Some(first));

    add(live.folder(), "a", "a.example", Existing::Replace);
    poll(&live);
    let second = id(&live, "a.example").unwrap();
    assert_ne!(second, first);
    // Somebody who resolved just before the swap still loads what was meant.
    assert!(live.snapshot().get(first).is_some());
    assert_eq!(live.generation(), began + 3);
}

#[test]
fn a_broken_pair_keeps_its_last_version_and_is_told_once() {
    let dir = tempfile::tempdir().unwrap();
    let live = Live::new(dir.path().to_owned(), None);
    add(dir.path(), "a", "a.example", Existing::Refuse);
    add(dir.path(), "b", "b.example", Existing::Refuse);
    live.rescan(now()).unwrap();
    let before = id(&live, "a.example").unwrap();
    let files = |name: &str| PairFiles::of(dir.path(), &CertName::new(name).unwrap());
    std::fs::copy(files("b").key, files("a").key).unwrap();
    let changes = live.rescan(now()).unwrap();
    let said = changes.failed[0].to_string();
    assert!(said.contains("a.crt") && said.contains("a.key") && said.contains("doesn't belong"), "{said}");
    assert_eq!(id(&live, "a.example"), Some(before));
    assert!(live.rescan(now()).unwrap().failed.is_empty());
    assert_eq!(live.broken("a"), [said]);
    // And it recovers.
    add(dir.path(), "a", "a.example", Existing::Replace);
    assert_eq!(live.rescan(now()).unwrap().loaded.len(), 1);
    assert_ne!(id(&live, "a.example"), Some(before));
    assert!(live.broken("a").is_empty());
}

#[test]
fn a_pair_that_is_gone_is_withdrawn() {
    let dir = tempfile::tempdir().unwrap();
    let live = Live::new(dir.path().to_owned(), None);
    add(dir.path(), "a", "a.example", Existing::Refuse);
    live.rescan(now()).unwrap();
    let old = id(&live, "a.example").unwrap();
    std::fs::remove_file(dir.path().join("a.crt")).unwrap();
    let changes = live.rescan(now()).unwrap();
    assert_eq!(changes.withdrawn.len(), 1);
    assert_eq!(id(&live, "a.example"), None);
    assert!(live.snapshot().get(old).is_some());
}

#[test]
fn files_written_in_place_are_found_within_ten_looks() {
    let dir = tempfile::tempdir().unwrap();
    let live = Live::new(dir.path().to_owned(), None);
    add(dir.path(), "a", "a.example", Existing::Refuse);
    add(dir.path(), "b", "b.example", Existing::Refuse);
    let old = SystemTime::now() - Duration::from_secs(60);
    let age = || std::fs::File::open(dir.path()).unwrap().set_modified(old).unwrap();
    age();
    live.rescan(now()).unwrap();
    let before = id(&live, "a.example");
    for ext in ["key", "crt"] {
        std::fs::copy(dir.path().join(format!("b.{ext}")), dir.path().join(format!("a.{ext}"))).unwrap();
    }
    age();
    let looks = (0..FULL_LOOK_EVERY).filter(|_| poll(&live).any()).count();
    assert_eq!(looks, 1);
    assert_ne!(id(&live, "b.example"), before);
}

#[test]
fn one_half_of_an_identity_fails_alone() {
    let dir = tempfile::tempdir().unwrap();
    let live = Live::new(dir.path().to_owned(), None);
    for name in ["a", "a+rsa", "b"] {
        add(dir.path(), name, "a.example", Existing::Refuse);
    }
    live.rescan(now()).unwrap();
    let pair = |name: &str| live.snapshot().pair(&CertName::new(name).unwrap()).cloned();
    let (first, second, b) = (pair("a").unwrap(), pair("a+rsa").unwrap(), id_of(&live, "b"));
    let before = id_of(&live, "a");
    // One half changes to the worse, the other to the better.
    std::fs::write(dir.path().join("a+rsa.key"), "no key").unwrap();
    add(dir.path(), "a", "a.example", Existing::Replace);
    let changes = live.rescan(now()).unwrap();
    assert_eq!((changes.loaded.len(), changes.failed.len()), (1, 1));
    assert!(!Arc::ptr_eq(&pair("a").unwrap(), &first));
    assert!(Arc::ptr_eq(&pair("a+rsa").unwrap(), &second), "the version before it");
    assert!(live.broken("a")[0].contains("a+rsa.key") && live.broken("a+rsa").len() == 1);
    assert_ne!(id_of(&live, "a"), before, "other contents are another set");
    assert_eq!(id_of(&live, "b"), b, "and nobody else's");
    // A half that goes leaves the other.
    std::fs::remove_file(dir.path().join("a.crt")).unwrap();
    assert_eq!(live.rescan(now()).unwrap().withdrawn, [CertName::new("a").unwrap()]);
    assert_eq!(live.snapshot().named(&CertName::new("a").unwrap()).unwrap().pairs().len(), 1);
}

fn id_of(live: &Live, name: &str) -> Option<u64> {
    live.snapshot().named(&CertName::new(name).unwrap()).map(|set| set.id)
}

#[test]
fn what_is_refused_keeps_its_last_version_until_it_changes_or_another_judges() {
    let dir = tempfile::tempdir().unwrap();
    let live = Live::new(dir.path().to_owned(), None);
    add(dir.path(), "a", "a.example", Existing::Refuse);
    live.rescan(now()).unwrap();
    let before = id(&live, "a.example");
    add(dir.path(), "a", "a.example", Existing::Replace);
    let refused = |problem: fn(String) -> PairProblem| {
        let mut found = live.look(How::Whole, now()).unwrap().unwrap();
        let fresh = found.fresh();
        for pair in &fresh {
            found.refuse(pair, problem("not with me".to_owned()));
        }
        (fresh.len(), live.take(found, now()))
    };
    let (read, changes) = refused(|reason| PairProblem::Refused { reason });
    assert!(read == 1 && !changes.any());
    let said = changes.failed[0].to_string();
    assert!(said.contains("a.crt") && said.contains("a.key") && said.contains("not with me"), "{said}");
    assert_eq!((id(&live, "a.example"), live.broken("a")), (before, vec![said]));
    // It isn't read again, and not told again.
    let (read, changes) = refused(|reason| PairProblem::Refused { reason });
    assert!(read == 0 && changes.failed.is_empty());
    // Another judge looks again; one who can't tell now is asked at each look, and told of once.
    assert!(live.forget_verdicts() && !live.forget_verdicts());
    for told in [1, 0] {
        let (read, changes) = refused(|reason| PairProblem::NotChecked { reason });
        assert_eq!((read, changes.failed.len()), (1, told));
        assert!(live.look(How::Quick, now()).unwrap().is_some());
    }
    assert_eq!(live.rescan(now()).unwrap().loaded.len(), 1);
    assert_ne!(id(&live, "a.example"), before);
}

#[test]
fn what_is_served_can_be_withdrawn_by_a_verdict() {
    let dir = tempfile::tempdir().unwrap();
    let live = Live::new(dir.path().to_owned(), None);
    add(dir.path(), "a", "a.example", Existing::Refuse);
    add(dir.path(), "b", "a.example", Existing::Refuse);
    live.rescan(now()).unwrap();
    let refuse = |pair: &Arc<Pair>| live.withdraw(pair, PairProblem::Refused { reason: "no".into() }, now());
    let pair = live.snapshot().pair(&CertName::new("a").unwrap()).cloned().unwrap();
    let changes = refuse(&pair);
    assert_eq!((changes.withdrawn.len(), changes.failed.len()), (1, 1));
    assert_eq!(id(&live, "a.example"), id_of(&live, "b"));
    assert!(!live.rescan(now()).unwrap().any(), "it stays away");
    assert!(!refuse(&pair).any(), "it isn't served any more");
}
