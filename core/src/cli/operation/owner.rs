//! Root carries out what changes somebody's files as that user: what is made belongs to whom the rest belongs to, and nothing
//! is done as root in a directory that is another's.
//!
//! What the command names was read before, as root: a key that only root may read can be imported. Rights are given up for good,
//! by the only thread that there is; threads that are started later have none.
//!
//! **How it fails**: if the system refuses, or if there are other threads already, with a sentence. Nothing has been done then.

use rustix::{
    process::{geteuid, Gid, Uid},
    thread::{set_thread_gid, set_thread_groups, set_thread_uid},
};
use std::{
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Goes on as the owner of a directory, if we are root and it is another's. One that isn't there yet will be made by us.
///
/// # Errors
/// If that cannot be.
pub fn become_owner(directory: &Path) -> Result<(), String> {
    let Some(there) = std::fs::metadata(directory).ok().filter(|_| geteuid().is_root()) else { return Ok(()) };
    if there.uid() == 0 {
        return Ok(());
    }
    let failed = |why: &dyn std::fmt::Display| {
        let shown = directory.display();
        format!(
            "{shown} belongs to user {}, and this can't go on as that user: {why} (run it as that user)",
            there.uid()
        )
    };
    match threads() {
        Ok(1) => {}
        Ok(count) => return Err(failed(&format!("{count} threads run already"))),
        Err(error) => return Err(failed(&format!("/proc/self/task: {error}"))),
    }
    let (user, group) = (Uid::from_raw(there.uid()), Gid::from_raw(there.gid()));
    let become_it = || -> rustix::io::Result<()> {
        set_thread_groups(&[group])?;
        set_thread_gid(group)?;
        set_thread_uid(user)
    };
    become_it().map_err(|errno| failed(&errno))
}

fn threads() -> io::Result<usize> {
    Ok(std::fs::read_dir(PathBuf::from("/proc/self/task"))?.count())
}
