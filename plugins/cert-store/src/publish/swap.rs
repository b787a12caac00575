//! Replacing key *and* certificate at one instant.
//!
//! No file system renames two files at once, but one symbolic link can stand for both. So: the old files and the
//! new ones are laid out in two hidden directories, `.swap-now-NAME` points to the old one, and each published
//! file becomes a link through it (still the old contents). Renaming a link to the new directory over
//! `.swap-now-NAME` is the commit: every file changes in the same instant. Afterwards `tidy` turns the links
//! into plain files again, with the contents they show.

use std::io;

use super::steps::Steps;
use super::{there, tidy, Pair};
use crate::input::{Input, InputError};

pub(super) fn swap(steps: &mut Steps<'_>, pair: &Pair) -> io::Result<()> {
    let name = pair.name.as_str();
    let (now, old, new) = (steps.swap(name, "now"), steps.swap(name, "old"), steps.swap(name, "new"));
    steps.make_dir(&old)?;
    steps.make_dir(&new)?;
    let news = [
        ("key", Some(pair.key.as_bytes())),
        // A request for the old key is of no use with the new one: without a new request, there is none.
        ("csr", pair.csr.as_deref().map(str::as_bytes)),
        ("crt", Some(pair.certificate.as_bytes())),
    ];
    let mut exts = Vec::new();
    for (ext, bytes) in news {
        let published = steps.file(name, ext);
        if there(&published) {
            // Contents, not a link: the published file may be a symbolic link itself.
            let copy = match Input::read(&published) {
                Ok(input) => Some(input.bytes),
                Err(InputError::Empty { .. }) => Some(Vec::new().into()),
                // Broken or foreign; nothing can be lost that could be read before.
                Err(InputError::Unreadable { source, .. }) if source.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(io::Error::other(error.to_string())),
            };
            if let Some(copy) = copy {
                steps.write(&old.join(ext), ext, &copy)?;
            }
            exts.push(ext);
        } else if bytes.is_some() {
            exts.push(ext);
        }
        if let Some(bytes) = bytes {
            steps.write(&new.join(ext), ext, bytes)?;
        }
    }
    steps.symlink_over(name, &format!(".swap-old-{name}"), &now)?;
    for ext in exts {
        let published = steps.file(name, ext);
        steps.symlink_over(name, &tidy::link_target(name, ext), &published)?;
    }
    steps.sync_folder()?;
    steps.symlink_over(name, &format!(".swap-new-{name}"), &now)?;
    // Committed. If the rest fails, the next publication does it.
    let _ = tidy::tidy_name(steps, name);
    Ok(())
}
