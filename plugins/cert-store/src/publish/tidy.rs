//! Putting the folder in order after a failure or a kill: what was committed is finished, what was only begun is
//! undone. Runs under the lock, before each publication, and may itself be interrupted anywhere. What is followed is
//! remembered under the same lock, so that half a record is nobody's any more and goes.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::steps::{Steps, STAGE, STAGED_RECORD, SWAP};
use super::there;

/// Whether something was begun for a name, and neither finished nor undone so far.
pub(super) fn begun(folder: &Path, name: &str) -> bool {
    let staged = ["key", "crt", "csr", "link"].map(|kind| format!("{STAGE}{kind}-{name}"));
    let swap = ["now", "old", "new"].map(|which| format!("{SWAP}{which}-{name}"));
    staged.iter().chain(&swap).any(|file| there(&folder.join(file)))
}

/// Tidies every name that has something begun, and removes records that were. The folder's size bounds the work.
pub(super) fn tidy_all(steps: &mut Steps<'_>) -> io::Result<()> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(steps.folder)? {
        let entry = entry?;
        let file_name = entry.file_name();
        if file_name.to_str().is_some_and(|name| name.starts_with(STAGED_RECORD)) && entry.file_type()?.is_file() {
            steps.remove(&entry.path())?;
            continue;
        }
        let rest = file_name.to_str().and_then(|name| name.strip_prefix(STAGE).or_else(|| name.strip_prefix(SWAP)));
        // `key-NAME`, `now-NAME`: the kind has no hyphen.
        if let Some((_, name)) = rest.and_then(|rest| rest.split_once('-')) {
            names.insert(name.to_owned());
        }
    }
    for name in names {
        tidy_name(steps, &name)?;
    }
    Ok(())
}

/// Tidies one name.
pub(super) fn tidy_name(steps: &mut Steps<'_>, name: &str) -> io::Result<()> {
    steps.unstage(name, "link")?;
    for ext in ["key", "csr", "crt"] {
        let published = steps.file(name, ext);
        let ours = fs::read_link(&published).is_ok_and(|target| target.as_os_str() == link_target(name, ext).as_str());
        if !ours {
            continue;
        }
        if published.exists() {
            let staged = steps.staged(name, "link");
            let shown = steps.swap(name, "now").join(ext);
            steps.link(&shown, &staged)?;
            steps.rename(&staged, &published)?;
        } else {
            steps.remove(&published)?;
        }
    }
    let (now, old, new) = (steps.swap(name, "now"), steps.swap(name, "old"), steps.swap(name, "new"));
    if there(&now) {
        // What is published must be on the disk before that goes which it may have been a link to. Without this link no
        // published file ever was one, and a disk that can't sync is no reason to leave the rest lying there.
        steps.sync_folder()?;
        steps.remove(&now)?;
    }
    steps.remove_dir(&new)?;
    steps.remove_dir(&old)?;
    // A key that is staged and published at once, without a certificate: the addition never got to its commit.
    if !there(&steps.file(name, "crt")) {
        for ext in ["key", "csr"] {
            let (staged, published) = (steps.staged(name, ext), steps.file(name, ext));
            if same_file(&staged, &published) {
                steps.remove(&published)?;
            }
        }
    }
    for ext in ["crt", "csr", "key"] {
        steps.unstage(name, ext)?;
    }
    Ok(())
}

/// Where a published file points during a swap.
pub(super) fn link_target(name: &str, ext: &str) -> String {
    format!("{SWAP}now-{name}/{ext}")
}

fn same_file(a: &Path, b: &Path) -> bool {
    match (a.symlink_metadata(), b.symlink_metadata()) {
        (Ok(a), Ok(b)) => a.ino() == b.ino() && a.dev() == b.dev(),
        _ => false,
    }
}
