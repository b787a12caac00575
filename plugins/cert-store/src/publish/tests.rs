//! Dies and fails before every single change that a publication makes, and looks at what is left.

use std::os::unix::fs::PermissionsExt;
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};

use time::OffsetDateTime;

use super::*;
use crate::create::{create, CreateRequest};
use crate::identity::Identity;

fn pair(name: &str, host: &str) -> Pair {
    let request = CreateRequest { name: Some(CertName::new(name).unwrap()), ..CreateRequest::for_host(host) };
    create(&request, OffsetDateTime::now_utc()).unwrap().0
}

fn copy(pair: &Pair) -> Pair {
    Pair {
        name: pair.name.clone(),
        key: pair.key.clone(),
        key_fingerprint: pair.key_fingerprint,
        certificate: pair.certificate.clone(),
        csr: pair.csr.clone(),
    }
}

fn read(folder: &Path, name: &str, ext: &str) -> Option<String> {
    std::fs::read_to_string(folder.join(format!("{name}.{ext}"))).ok()
}

/// Whether the folder shows exactly this pair to whoever opens the files.
fn shows(folder: &Path, pair: &Pair) -> bool {
    let name = pair.name.as_str();
    read(folder, name, "key").as_deref() == Some(pair.key.as_str())
        && read(folder, name, "crt").as_deref() == Some(pair.certificate.as_str())
}

fn hidden(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.') && name != ".lock")
        .collect();
    names.sort();
    names
}

fn assert_plain(folder: &Path, pair: &Pair) {
    for ext in ["key", "crt", "csr"] {
        let path = folder.join(format!("{}.{ext}", pair.name));
        if let Ok(meta) = path.symlink_metadata() {
            assert!(meta.is_file(), "{} is no plain file", path.display());
        }
    }
}

/// One way in which a name is published over another state of it.
struct Case {
    what: &'static str,
    before: Option<Pair>,
    new: Pair,
    existing: Existing,
}

fn cases() -> Vec<Case> {
    let old = pair("mail", "old.example");
    let other = pair("mail", "new.example");
    let renewed = Pair { certificate: format!("{}# renewed\n", old.certificate), csr: None, ..copy(&old) };
    let without_request = Pair { csr: None, ..copy(&other) };
    vec![
        Case { what: "a new name", before: None, new: copy(&other), existing: Existing::Refuse },
        Case {
            what: "a new name without a request",
            before: None,
            new: copy(&without_request),
            existing: Existing::RenewSameKey,
        },
        Case { what: "the same key", before: Some(copy(&old)), new: renewed, existing: Existing::RenewSameKey },
        Case { what: "another key", before: Some(copy(&old)), new: other, existing: Existing::Replace },
        Case {
            what: "another key without a request",
            before: Some(old),
            new: without_request,
            existing: Existing::Replace,
        },
    ]
}

fn folder_with(before: &Option<Pair>) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    if let Some(pair) = before {
        publish(dir.path(), pair, Existing::Refuse).unwrap();
    }
    dir
}

/// Publishes and dies before change number `at`; whether it got so far.
fn killed_at(folder: &Path, pair: &Pair, existing: Existing, at: usize) -> bool {
    let mut left = at;
    catch_unwind(AssertUnwindSafe(|| {
        publish_stepwise(folder, pair, existing, &mut || {
            if left == 0 {
                resume_unwind(Box::new("killed"));
            }
            left -= 1;
            Ok(())
        })
        .unwrap();
    }))
    .is_err()
}

fn assert_old_or_new(folder: &Path, case: &Case, when: &str) {
    let name = case.new.name.as_str();
    let new = shows(folder, &case.new);
    let old = match &case.before {
        Some(old) => shows(folder, old),
        // Without a certificate there is no pair, whatever else lies there.
        None => read(folder, name, "crt").is_none(),
    };
    assert!(old || new, "{}, {when}: neither the old pair nor the new one", case.what);
    if new {
        Identity::load(folder, &case.new.name, OffsetDateTime::now_utc()).unwrap();
    }
}

#[test]
fn a_kill_at_any_instant_leaves_the_old_pair_or_the_new() {
    let bystander = pair("bystander", "b.example");
    for case in cases() {
        let mut at: usize = 0;
        loop {
            let dir = folder_with(&case.before);
            if !killed_at(dir.path(), &case.new, case.existing, at) {
                assert!(shows(dir.path(), &case.new));
                break;
            }
            let when = format!("killed before change {at}");
            assert_old_or_new(dir.path(), &case, &when);
            let was_new = shows(dir.path(), &case.new);
            // The next publication, of any name, finishes or undoes it, and what it showed stays.
            publish(dir.path(), &bystander, Existing::Refuse).unwrap();
            assert_old_or_new(dir.path(), &case, &format!("{when}, and tidied"));
            assert_eq!(was_new, shows(dir.path(), &case.new), "{}, {when}", case.what);
            assert_eq!(hidden(dir.path()), [""; 0], "{}, {when}", case.what);
            assert_plain(dir.path(), &case.new);
            if case.before.is_none() && !was_new {
                assert_eq!(read(dir.path(), "mail", "key"), None, "{}, {when}", case.what);
                assert_eq!(read(dir.path(), "mail", "csr"), None, "{}, {when}", case.what);
            }
            if !was_new {
                publish(dir.path(), &case.new, case.existing).unwrap();
            }
            assert!(shows(dir.path(), &case.new));
            at += 1;
        }
        assert!(at >= 2, "{} took {at} changes", case.what);
    }
}

#[test]
fn a_kill_while_tidying_up_after_a_kill_is_survived_too() {
    let bystander = pair("bystander", "b.example");
    for case in cases().into_iter().skip(3) {
        for first in 0.. {
            let dir = folder_with(&case.before);
            if !killed_at(dir.path(), &case.new, case.existing, first) {
                break;
            }
            let was_new = shows(dir.path(), &case.new);
            for second in 0.. {
                let again = killed_at(dir.path(), &bystander, Existing::Replace, second);
                let when = format!("killed before {first}, then before {second}");
                assert_old_or_new(dir.path(), &case, &when);
                assert_eq!(was_new, shows(dir.path(), &case.new), "{when}");
                if !again {
                    break;
                }
            }
            assert_eq!(hidden(dir.path()), [""; 0]);
            assert_plain(dir.path(), &case.new);
        }
    }
}

#[test]
fn a_failure_at_any_change_leaves_everything_as_it_was() {
    for case in cases() {
        let mut at: usize = 0;
        loop {
            let dir = folder_with(&case.before);
            let mut left: usize = at;
            let mut failed = false;
            let result = publish_stepwise(dir.path(), &case.new, case.existing, &mut || {
                failed |= left == 0;
                left = left.wrapping_sub(1);
                match failed {
                    true => Err(io::Error::other("the disk is on fire")),
                    false => Ok(()),
                }
            });
            match result {
                Err(PublishError::Io { source, .. }) => {
                    assert!(source.to_string().contains("on fire"));
                    match &case.before {
                        Some(old) => assert!(shows(dir.path(), old), "{}, {at}", case.what),
                        None => {
                            for ext in ["key", "crt", "csr"] {
                                assert_eq!(read(dir.path(), "mail", ext), None, "{}, {at}", case.what);
                            }
                        }
                    }
                    assert_eq!(hidden(dir.path()), [""; 0], "{}, {at}", case.what);
                    assert_plain(dir.path(), &case.new);
                }
                // Past the commit: what is in place stays.
                Err(PublishError::NotDurable { .. }) => assert!(shows(dir.path(), &case.new)),
                Err(other) => panic!("{other}"),
                Ok(_) => {
                    assert!(shows(dir.path(), &case.new));
                    if !failed {
                        break;
                    }
                }
            }
            at += 1;
        }
    }
}

#[test]
fn files_have_the_right_modes_and_the_old_request_goes_with_its_key() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("a/b/certs");
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let old = pair("mail", "old.example");
    assert_eq!(publish(&folder, &old, Existing::Refuse).unwrap(), Published::New);
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join("mail.key")), 0o600);
    assert_eq!(read(&folder, "mail", "csr"), old.csr);
    let new = Pair { csr: None, ..pair("mail", "new.example") };
    assert_eq!(publish(&folder, &new, Existing::Replace).unwrap(), Published::PairReplaced);
    assert_eq!(mode(&folder.join("mail.key")), 0o600);
    assert_eq!(read(&folder, "mail", "csr"), None);
    // Without a key, or with something else in its place, `Replace` still works.
    std::fs::remove_file(folder.join("mail.key")).unwrap();
    publish(&folder, &old, Existing::Replace).unwrap();
    std::fs::write(folder.join("mail.key"), "rubbish").unwrap();
    publish(&folder, &new, Existing::Replace).unwrap();
    assert!(shows(&folder, &new));
}

#[test]
fn a_name_in_use_is_refused_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let (old, other) = (pair("mail", "old.example"), pair("mail", "new.example"));
    publish(dir.path(), &old, Existing::Refuse).unwrap();
    let error = publish(dir.path(), &old, Existing::Refuse).unwrap_err();
    assert!(matches!(error, PublishError::Taken { .. }), "{error}");
    let error = publish(dir.path(), &other, Existing::RenewSameKey).unwrap_err().to_string();
    for print in [old.key_fingerprint, other.key_fingerprint] {
        assert!(error.contains(&print.to_string()), "{error}");
    }
    assert_eq!(publish(dir.path(), &old, Existing::RenewSameKey).unwrap(), Published::CertificateReplaced);
    std::fs::write(dir.path().join("mail.key"), "rubbish").unwrap();
    let error = publish(dir.path(), &old, Existing::RenewSameKey).unwrap_err();
    assert!(matches!(error, PublishError::UnreadableKey { .. }), "{error}");
    std::fs::remove_file(dir.path().join("mail.key")).unwrap();
    let error = publish(dir.path(), &old, Existing::RenewSameKey).unwrap_err();
    assert!(matches!(error, PublishError::LoneCertificate { .. }), "{error}");
}

#[test]
fn of_many_at_once_one_wins_and_nothing_is_mixed() {
    let dir = tempfile::tempdir().unwrap();
    let pairs: Vec<Pair> = (0..8).map(|i| pair("mail", &format!("h{i}.example"))).collect();
    let won: Vec<bool> = std::thread::scope(|scope| {
        let running: Vec<_> =
            pairs.iter().map(|pair| scope.spawn(|| publish(dir.path(), pair, Existing::Refuse).is_ok())).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(won.iter().filter(|won| **won).count(), 1);
    let winner = won.iter().position(|won| *won).unwrap();
    assert!(shows(dir.path(), &pairs[winner]));
    std::thread::scope(|scope| {
        for pair in &pairs {
            scope.spawn(|| publish(dir.path(), pair, Existing::Replace).unwrap());
        }
    });
    assert_eq!(pairs.iter().filter(|pair| shows(dir.path(), pair)).count(), 1);
    assert_eq!(hidden(dir.path()), [""; 0]);
}

#[test]
fn a_certificate_is_renewed_only_if_it_is_still_the_one_that_was_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    let old = pair("mail", "old.example");
    publish(dir.path(), &old, Existing::Refuse).unwrap();
    let files = PairFiles::of(dir.path(), &old.name);
    let looked_at = files.stamp();
    // An authority's answer comes in between.
    let answer = Pair { certificate: format!("{}# an answer\n", old.certificate), csr: None, ..copy(&old) };
    publish(dir.path(), &answer, Existing::RenewSameKey).unwrap();
    let renewed = Pair { certificate: format!("{}# renewed\n", old.certificate), csr: None, ..copy(&old) };
    let error = publish(dir.path(), &renewed, Existing::Unchanged(looked_at)).unwrap_err();
    assert!(matches!(error, PublishError::Changed { .. }), "{error}");
    assert!(shows(dir.path(), &answer));
    let did = publish(dir.path(), &renewed, Existing::Unchanged(files.stamp())).unwrap();
    assert_eq!(did, Published::CertificateReplaced);
    assert!(shows(dir.path(), &renewed));
    // Another key is another pair, whatever the files look like.
    let other = pair("mail", "other.example");
    let error = publish(dir.path(), &other, Existing::Unchanged(files.stamp())).unwrap_err();
    assert!(matches!(error, PublishError::Changed { .. }), "{error}");
}

#[test]
fn a_record_that_was_half_written_goes_with_the_next_publication() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(".follow-mail"), "half").unwrap();
    std::fs::write(dir.path().join("mail.follow"), "whole").unwrap();
    publish(dir.path(), &pair("other", "other.example"), Existing::Refuse).unwrap();
    assert_eq!(hidden(dir.path()), [""; 0]);
    assert!(dir.path().join("mail.follow").exists());
}

#[test]
fn whoever_finds_the_folder_busy_for_too_long_is_told_who_it_may_be() {
    let dir = tempfile::tempdir().unwrap();
    let held = lock(dir.path()).unwrap();
    let busy = lock_within(dir.path(), Duration::ZERO).unwrap_err();
    assert!(matches!(busy, PublishError::Busy { .. }), "{busy}");
    let said = busy.to_string();
    assert!(said.contains(&format!("fuser -v {}", dir.path().join(".lock").display())), "{said}");
    assert!(!said.contains("remove"), "two would change the folder then: {said}");
    drop(held);
    lock_within(dir.path(), Duration::ZERO).unwrap();
}

#[test]
fn a_key_that_stood_open_is_closed_with_its_next_certificate_and_told() {
    let dir = tempfile::tempdir().unwrap();
    let old = pair("mail", "old.example");
    publish(dir.path(), &old, Existing::Refuse).unwrap();
    let key = PairFiles::of(dir.path(), &old.name).key;
    assert!(OpenKey::of(dir.path(), &old.name).is_none());
    let chmod = |mode| std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
    let mode = || key.metadata().unwrap().permissions().mode() & 0o7777;
    let renewed = Pair { certificate: format!("{}# an answer\n", old.certificate), csr: None, ..copy(&old) };
    for open in [0o644, 0o640, 0o602] {
        chmod(open);
        let was = OpenKey::of(dir.path(), &old.name).unwrap();
        publish(dir.path(), &renewed, Existing::RenewSameKey).unwrap();
        assert_eq!(mode(), 0o600);
        let said = was.warning(dir.path());
        assert!(said.contains(&format!("{open:04o}")) && said.contains("(0600) now"), "{said}");
    }
    // Stricter is right, too; and what a link leads to is somebody else's.
    chmod(0o400);
    publish(dir.path(), &renewed, Existing::RenewSameKey).unwrap();
    assert_eq!(mode(), 0o400);
    chmod(0o640);
    let elsewhere = dir.path().join("elsewhere");
    std::fs::rename(&key, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &key).unwrap();
    assert!(OpenKey::of(dir.path(), &old.name).is_none());
    publish(dir.path(), &renewed, Existing::RenewSameKey).unwrap();
    assert_eq!(mode(), 0o640);
}
