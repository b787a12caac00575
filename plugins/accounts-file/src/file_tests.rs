//! The file on disk.

use super::*;
use crate::content::Account;
use std::cell::Cell;

thread_local! {
    /// What somebody else does once, right after this thread has put a file in its place.
    static MEANWHILE: Cell<Option<Deed>> = const { Cell::new(None) };
}

/// Something that is done to a file.
type Deed = fn(&Path);

/// Has it done.
pub(crate) fn do_meanwhile(deed: Deed) {
    MEANWHILE.set(Some(deed));
}

/// Does it.
pub(super) fn meanwhile(path: &Path) {
    if let Some(deed) = MEANWHILE.take() {
        deed(path);
    }
}

fn content(names: &[&str]) -> Content {
    let mut content = Content::default();
    for name in names {
        content.accounts.add(name.parse().unwrap(), Account::new(String::new()));
    }
    content
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

#[test]
fn written_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.ron");
    assert!(matches!(read(&path), Err(FileError::Missing(_))));
    assert_eq!(stamp(&path).unwrap(), None);
    write(&path, &content(&["a@x.org"]), None).unwrap();
    let loaded = read(&path).unwrap();
    assert_eq!(loaded.content, content(&["a@x.org"]));
    assert_eq!(stamp(&path).unwrap(), Some(loaded.stamp));
    assert_eq!(mode(&path), 0o600);
    assert!(!loaded.exposed);
    write(&path, &content(&["a@x.org"]), Some(&loaded)).unwrap();
    assert_ne!(stamp(&path).unwrap(), Some(loaded.stamp), "a new file is another one");
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["accounts.ron"], "no leftovers, and no backup of our own file");
}

#[test]
fn a_file_edited_by_hand_is_kept_beside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.ron");
    fs::write(&path, "( /* mine */ )").unwrap();
    let old = read(&path).unwrap();
    write(&path, &content(&["a@x.org"]), Some(&old)).unwrap();
    let backup = folder.path().join("accounts.ron.bak");
    assert_eq!(fs::read_to_string(&backup).unwrap(), "( /* mine */ )");
    assert_eq!((mode(&path), mode(&backup)), (0o600, 0o600));
}

#[test]
fn a_link_stays_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let (link, real) = (folder.path().join("link"), folder.path().join("real"));
    fs::write(&real, "()").unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let old = read(&link).unwrap();
    write(&link, &content(&["a@x.org"]), Some(&old)).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(read(&real).unwrap().content, content(&["a@x.org"]));
}

#[test]
fn a_folder_that_cannot_be_synced_is_told_of_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    do_meanwhile(|path| {
        let inner = path.parent().unwrap();
        fs::rename(inner, inner.with_extension("moved")).unwrap();
    });
    let error = write(&inner.join("accounts.ron"), &content(&["a@x.org"]), None).unwrap_err().to_string();
    assert!(error.contains("the new version is in its place"), "{error}");
    assert_eq!(read(&folder.path().join("inner.moved/accounts.ron")).unwrap().content, content(&["a@x.org"]));
}

#[test]
fn errors_name_the_file_and_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.ron");
    fs::write(&path, "(\n  acounts: {},\n)").unwrap();
    let error = read(&path).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}:2:", path.display())), "{error}");
    assert!(error.contains("acounts"), "{error}");
    assert!(read(folder.path()).unwrap_err().to_string().contains("not a file"));
    let nowhere = folder.path().join("no/accounts.ron");
    let error = write(&nowhere, &Content::default(), None).unwrap_err().to_string();
    assert!(error.contains("cannot be written"), "{error}");
}

#[test]
fn a_file_that_is_too_big_is_not_read_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.ron");
    fs::write(&path, vec![b' '; MAX_SIZE as usize + 1]).unwrap();
    assert!(matches!(read(&path), Err(FileError::TooBig(_))));
}

#[test]
fn what_somebody_else_has_written_meanwhile_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.ron");
    write(&path, &content(&["a@x.org"]), None).unwrap();
    let old = read(&path).unwrap();
    fs::write(&path, "( /* theirs */ )").unwrap();
    for old in [Some(&old), None] {
        let error = write(&path, &content(&["b@x.org"]), old).unwrap_err();
        assert!(matches!(&error, FileError::Changed(_)), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "( /* theirs */ )");
        assert!(!folder.path().join("accounts.ron.tmp").exists());
    }
}
