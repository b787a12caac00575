//! What a folder looks like: enough to say afterwards that nothing has changed.

use std::{collections::BTreeMap, fs, os::unix::fs::MetadataExt, path::Path};

/// Everything below a path, with contents and metadata; empty if there is nothing.
#[derive(Debug, PartialEq, Eq, Clone)]
pub struct Snapshot(BTreeMap<String, Entry>);

#[derive(Debug, PartialEq, Eq, Clone)]
struct Entry {
    inode: u64,
    mode: u32,
    owner: (u32, u32),
    size: u64,
    /// Of contents, and of contents or metadata. The time of reading is nobody's business.
    times: Option<[(i64, i64); 2]>,
    /// A file's bytes or a link's target.
    contents: Vec<u8>,
}

impl Snapshot {
    /// Everything, times included.
    pub fn of(path: &Path) -> Snapshot {
        let mut entries = BTreeMap::new();
        look(path, "", &mut entries);
        Snapshot(entries)
    }

    /// The same for comparing after an attempt that was undone: what it made and removed again shows in a directory's times
    /// and size. The lock file, which stays, is left out.
    pub fn undone(path: &Path) -> Snapshot {
        let mut snapshot = Snapshot::of(path);
        snapshot.0.retain(|name, _| !name.ends_with("/.lock"));
        for entry in snapshot.0.values_mut().filter(|entry| entry.mode & 0o170_000 == 0o040_000) {
            (entry.times, entry.size) = (None, 0);
        }
        snapshot
    }
}

fn look(path: &Path, name: &str, entries: &mut BTreeMap<String, Entry>) {
    let Ok(meta) = path.symlink_metadata() else { return };
    let mut contents = Vec::new();
    if meta.is_symlink() {
        contents = fs::read_link(path).unwrap().into_os_string().into_encoded_bytes();
    } else if meta.is_file() {
        contents = fs::read(path).unwrap();
    } else if meta.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            let entry = entry.unwrap();
            look(&entry.path(), &format!("{name}/{}", entry.file_name().to_string_lossy()), entries);
        }
    }
    let times = Some([(meta.mtime(), meta.mtime_nsec()), (meta.ctime(), meta.ctime_nsec())]);
    let owner = (meta.uid(), meta.gid());
    let entry = Entry { inode: meta.ino(), mode: meta.mode(), owner, size: meta.size(), times, contents };
    entries.insert(name.to_owned(), entry);
}
