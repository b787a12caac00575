//! A running server and its file.

use super::*;
use crate::{book::Destination, edit, stored::Stored};
use std::fs;

struct Place {
    _folder: tempfile::TempDir,
    path: PathBuf,
    start: Instant,
    live: Live,
}

fn place(text: Option<&str>) -> Place {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.ron");
    if let Some(text) = text {
        fs::write(&path, text).unwrap();
    }
    let start = Instant::now();
    let live = Live::open(path.clone(), Settings::default(), start).unwrap();
    Place { _folder: folder, path, start, live }
}

impl Place {
    fn knows(&self, address: &str) -> bool {
        matches!(self.live.book().resolve(address), Ok(Destination::Local(_)))
    }
}

const A: &str = r#"(accounts: {"a@x.org": ()})"#;
const AB: &str = r#"(accounts: {"a@x.org": (), "b@x.org": ()})"#;

#[test]
fn one_look_a_second() {
    let place = place(Some(A));
    let at = |milliseconds| place.live.is_due(place.start + Duration::from_millis(milliseconds));
    let asked: Vec<_> = [0, 999, 1000, 1001, 1999, 2000, 9000, 9999].into_iter().map(at).collect();
    assert_eq!(asked, [false, false, true, false, false, true, true, false]);
}

#[test]
fn an_edit_is_taken_over() {
    let place = place(Some(A));
    place.live.look();
    assert!(!place.knows("b@x.org"));
    fs::write(&place.path, AB).unwrap();
    place.live.look();
    assert!(place.knows("b@x.org"));
}

#[test]
fn a_bad_edit_changes_nothing_until_it_is_mended() {
    let place = place(Some(A));
    for bad in ["(accounts: {", "()()", r#"(aliases: {"a@x.org": []})"#] {
        fs::write(&place.path, bad).unwrap();
        place.live.look();
        assert!(place.knows("a@x.org"), "{bad}");
    }
    fs::remove_file(&place.path).unwrap();
    place.live.look();
    assert!(place.knows("a@x.org"), "a missing file");
    fs::write(&place.path, AB).unwrap();
    place.live.look();
    assert!(place.knows("b@x.org"));
}

#[test]
fn a_bad_file_is_no_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.ron");
    fs::write(&path, "(accounts: {").unwrap();
    let error = Live::open(path, Settings::default(), Instant::now()).unwrap_err();
    assert!(error.to_string().contains("accounts.ron:1:"), "{error}");
}

#[test]
fn a_change_is_in_force_and_on_disk_at_once() {
    let place = place(None);
    assert!(!place.live.exists());
    let add = |content: &mut Content| edit::add(content, "a@x.org".parse().unwrap(), Stored::default());
    place.live.change(add).unwrap();
    assert!(place.live.exists() && place.knows("a@x.org"));
    assert_eq!(place.live.content().unwrap().accounts.iter().count(), 1);
    assert!(matches!(place.live.change(add), Err(EditError::Exists(_))));
}

#[test]
fn a_change_starts_from_the_file_not_from_what_is_known() {
    let place = place(Some(A));
    fs::write(&place.path, AB).unwrap();
    place.live.change(|content| edit::add(content, "c@x.org".parse().unwrap(), Stored::default())).unwrap();
    assert!(place.knows("b@x.org") && place.knows("c@x.org"));
}

#[test]
fn no_change_to_a_file_with_a_mistake_or_without_a_file() {
    let place = place(Some(A));
    let add = |content: &mut Content| edit::add(content, "c@x.org".parse().unwrap(), Stored::default());
    fs::write(&place.path, "(accounts: {").unwrap();
    assert!(matches!(place.live.change(add), Err(EditError::File(FileError::Mistake { .. }))));
    assert_eq!(fs::read_to_string(&place.path).unwrap(), "(accounts: {");
    fs::remove_file(&place.path).unwrap();
    assert!(matches!(place.live.change(add), Err(EditError::Gone(_))));
    assert!(!place.path.exists());
}

#[test]
fn a_change_that_does_not_fit_is_not_written() {
    let place = place(Some(r#"(accounts: {"a@x.org": (aliases: ["i@x.org"])})"#));
    let before = fs::read_to_string(&place.path).unwrap();
    let add = |content: &mut Content| edit::add(content, "i@x.org".parse().unwrap(), Stored::default());
    let error = place.live.change(add).unwrap_err().to_string();
    assert!(error.contains("stands for two things"), "{error}");
    assert_eq!(fs::read_to_string(&place.path).unwrap(), before);
}

/// The accounts of somebody who saves the file while it is being written.
const THEIRS: &str = r#"(accounts: {"a@x.org": (), "z@x.org": ()})"#;

#[test]
fn a_version_that_came_right_behind_ours_is_seen() {
    let rename: fn(&Path) = |path| {
        let theirs = path.with_extension("theirs");
        fs::write(&theirs, THEIRS).unwrap();
        fs::rename(&theirs, path).unwrap();
    };
    for save in [rename, |path| fs::write(path, THEIRS).unwrap()] {
        let place = place(None);
        let add = |address: &str| {
            place.live.change(|content| edit::add(content, address.parse().unwrap(), Stored::default())).unwrap();
        };
        add("a@x.org");
        file::tests::do_meanwhile(save);
        add("b@x.org");
        assert!(place.knows("b@x.org") && !place.knows("z@x.org"), "ours is in force");
        place.live.look();
        assert!(place.knows("z@x.org") && !place.knows("b@x.org"), "theirs, which stands there, is");
    }
}

#[test]
fn our_own_version_is_not_read_again() {
    let place = place(Some(A));
    place.live.change(|content| edit::add(content, "b@x.org".parse().unwrap(), Stored::default())).unwrap();
    assert_eq!(file::stamp(&place.path).unwrap(), *place.live.lock());
}

#[test]
fn what_changes_nothing_leaves_the_file_alone() {
    let place = place(Some(A));
    let stamp = file::stamp(&place.path).unwrap();
    place.live.change(|_| Ok(())).unwrap();
    assert_eq!((file::stamp(&place.path).unwrap(), fs::read_to_string(&place.path).unwrap().as_str()), (stamp, A));
    assert!(!place.path.with_extension("ron.bak").exists());
    // An edit that it has read on the way is in force.
    fs::write(&place.path, AB).unwrap();
    place.live.change(|_| Ok(())).unwrap();
    assert!(place.knows("b@x.org"));
}
