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
    live.snapshot().resolve(Some(name), None).map(|(id, _)| id)
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

#[test]
fn a_turn_that_changes_nothing_for_clients_is_no_change() {
    let dir = tempfile::tempdir().unwrap();
    let live = Live::new(dir.path().to_owned(), None);
    add(dir.path(), "a", "a.example", Existing::Refuse);
    live.rescan(now()).unwrap();
    let retired = id(&live, "a.example").unwrap();
    add(dir.path(), "a", "a.example", Existing::Replace);
    let old = SystemTime::now() - Duration::from_secs(60);
    std::fs::File::open(dir.path()).unwrap().set_modified(old).unwrap();
    live.rescan(now()).unwrap();
    let (generation, turn) = (live.generation(), live.snapshot().turn().unwrap());
    let before = turn - time::Duration::MILLISECOND;
    assert!(live.look(How::Quick, before).unwrap().is_none());
    let found = live.look(How::Quick, turn).unwrap().unwrap();
    assert!(!live.take(found, turn).any(), "nobody else is there to be served");
    assert_eq!((live.generation(), live.snapshot().turn()), (generation, None));
    assert!(live.snapshot().get(retired).is_some(), "somebody may be about to load it");
    // A clock that was wrong is set right.
    assert!(live.snapshot().is_due(before));
    live.rescan(before).unwrap();
    assert_eq!(live.snapshot().turn(), Some(turn));
}

#[test]
fn a_chain_leads_over_what_is_valid_at_the_time() {
    let (dir, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let live = Live::new(dir.path().to_owned(), None);
    add(dir.path(), "a", "a.example", Existing::Refuse);
    let files = PairFiles::of(dir.path(), &CertName::new("a").unwrap());
    let path = |name: &str| scratch.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("ca"), "basicConstraints=critical,CA:TRUE\n").unwrap();
    std::fs::write(path("server"), "subjectAltName=DNS:a.example\n").unwrap();
    let openssl = crate::testing::openssl;
    let authority = |name: &str| {
        let made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "900"];
        let (subject, key) = (format!("/CN={name}"), path(&format!("{name}.key")));
        let certificate = openssl(&[&made[..], &["-subj", &subject, "-keyout", &key]].concat(), b"");
        std::fs::write(path(name), &certificate).unwrap();
        certificate
    };
    let issue = |key: &str, subject: &str, issuer: &str, extensions: &str, days: &str| {
        let csr = openssl(&["req", "-new", "-key", key, "-subj", subject], b"");
        let args = ["x509", "-req", "-CA", &path(issuer), "-CAkey", &path(&format!("{issuer}.key")), "-days", days];
        openssl(&[&args[..], &["-extfile", &path(extensions)]].concat(), &csr)
    };
    // A new root that an old one has signed as well, for those who don't have it yet; that ends first.
    authority("old");
    let root = authority("new");
    let crossed = issue(&path("new.key"), "/CN=new", "old", "ca", "5");
    let leaf = issue(files.key.to_str().unwrap(), "/CN=a.example", "new", "server", "90");
    std::fs::write(&files.crt, [leaf, crossed, root].concat()).unwrap();
    let start = now() + time::Duration::minutes(1);
    live.rescan(start).unwrap();
    let chain = || live.snapshot().pairs().next().unwrap().identity.chain.len();
    assert_eq!((chain(), live.all_broken().len()), (2, 0));
    let turn = live.snapshot().turn().unwrap();
    assert_eq!((turn - start).whole_days(), 4);
    assert!(!live.rescan(turn - time::Duration::MILLISECOND).unwrap().any());
    assert!(live.rescan(turn).unwrap().any());
    assert_eq!(chain(), 1);
    assert!(!live.rescan(turn).unwrap().any(), "it is read once");
}
