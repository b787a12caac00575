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
    assert_eq!(live.poll(now()).unwrap().loaded.len(), 1);
    let first = id(&live, "a.example").unwrap();
    assert!(!live.poll(now()).unwrap().any());
    assert_eq!(live.generation(), began + 1);

    add(live.folder(), "b", "b.example", Existing::Refuse);
    let changes = live.poll(now()).unwrap();
    assert_eq!(changes.loaded, [CertName::new("b").unwrap()]);
    assert_eq!(id(&live, "a.example"), Some(first), "an unchanged pair keeps its identifier");
    assert_ne!(id(&live, "b.example"), Some(first));

    add(live.folder(), "a", "a.example", Existing::Replace);
    live.poll(now()).unwrap();
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
    assert_eq!(live.broken("a"), Some(said));
    // And it recovers.
    add(dir.path(), "a", "a.example", Existing::Replace);
    assert_eq!(live.rescan(now()).unwrap().loaded.len(), 1);
    assert_ne!(id(&live, "a.example"), Some(before));
    assert_eq!(live.broken("a"), None);
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
    let looks = (0..FULL_LOOK_EVERY).filter(|_| live.poll(now()).unwrap().any()).count();
    assert_eq!(looks, 1);
    assert_ne!(id(&live, "b.example"), before);
}
